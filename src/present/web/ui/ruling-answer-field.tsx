import type { RulingDraft } from "../state/ruling-draft.ts";
import { session } from "../state/session.ts";
import type { TenantChoice } from "../state/tenant-tree.ts";
import { shortId } from "../state/grouping.ts";
import { tenantWords } from "./ownership.tsx";
import { TenantPick } from "./tenant-pick.tsx";

/** Whose the events are: a tenant's, from the tree, or the provider's own. */
export function RulingAnswerField(props: {
  draft: RulingDraft;
  change: (draft: RulingDraft) => void;
  problem: string | undefined;
}) {
  const { draft, change, problem } = props;
  const { answer } = draft;
  const tenant = answer?.kind === "tenant" ? answer.tenant : undefined;
  return (
    <fieldset class={`field${problem === undefined ? "" : " answer-problem"}`}>
      <legend>Whose they are</legend>
      <div class="answers">
        <TenantPick
          label="Tenant"
          words={tenant === undefined ? "choose…" : choiceName(tenant)}
          chosen={tenant}
          withCustomers={false}
          onPick={(choice) => {
            if (choice !== undefined && choice.kind !== "customer")
              change({ ...draft, answer: { kind: "tenant", tenant: choice } });
          }}
        />
        <span class="dim">or</span>
        <button
          type="button"
          class={`control${answer?.kind === "provider" ? " marked" : ""}`}
          aria-pressed={answer?.kind === "provider"}
          onClick={() =>
            change({ ...draft, answer: answer?.kind === "provider" ? undefined : { kind: "provider" } })
          }
        >
          The provider’s own
        </button>
      </div>
      {problem !== undefined && <p class="hint problem">{problem}</p>}
    </fieldset>
  );
}

function choiceName(choice: Exclude<TenantChoice, { kind: "customer" }>): string {
  const known = session.value?.tenants.find(
    (each) =>
      each.control_plane === choice.controlPlane &&
      (choice.kind === "project"
        ? each.project_id === choice.id
        : each.domain_id === choice.id && each.project_id === undefined),
  );
  return known === undefined ? shortId(choice.id) : tenantWords(known);
}
