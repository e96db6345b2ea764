import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { TokenJson } from "../../api/token-contract.ts";
import type { GrantJson } from "../../api/session-contract.ts";
import { announce } from "../state/announcer.ts";
import { sendApi } from "../state/client.ts";
import { hasRight } from "../state/rights.ts";
import { session } from "../state/session.ts";
import { targetWords, toTarget } from "../state/tenant-target.ts";
import { tokenBody, type TokenDraft, type TokenTarget } from "../state/token-words.ts";
import type { TenantChoice } from "../state/tenant-tree.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { Pick } from "./pick.tsx";
import { useSending } from "./sending.ts";
import { TenantPick } from "./tenant-pick.tsx";

type NewToken = TokenJson & { readonly token: string };

const tenantRoles = { reader: "Reader", admin: "Administrator" };
const providerRoles = { operator: "Operator", auditor: "Auditor", admin: "Administrator" };
const lengths = { 1: "a day", 7: "a week", 30: "30 days", 90: "90 days", 366: "a year" };

/** Makes a token, and shows it the one time that it can be seen. */
export function TokenForm({ onMade }: { onMade: () => void }) {
  const ownTenants = administeredBy(session.value?.grants ?? []);
  const isProvider = hasRight(session.value, "administer");
  const first: TokenTarget = isProvider ? { kind: "provider" } : { kind: "tenant", tenant: ownTenants[0] };
  const start: TokenDraft = {
    name: "",
    target: first,
    role: isProvider ? "operator" : "reader",
    days: 90,
  };
  const [draft, setDraft] = useState(start);
  const [made, setMade] = useState<NewToken>();
  const { busy, failure, send } = useSending();
  const body = tokenBody(draft);
  const make = async (event: Event) => {
    event.preventDefault();
    if (body === undefined || busy) return;
    const done = await send(() => sendApi<NewToken>("POST", "tokens", body));
    if (done === undefined) return;
    setMade(done.answer);
    setDraft({ ...draft, name: "" });
    onMade();
  };
  return (
    <section aria-labelledby="new-token">
      <h2 id="new-token">A new token</h2>
      <form class="admin-form" onSubmit={(event) => void make(event)}>
        <label class="field">
          <span class="field-name">Name</span>
          <input
            value={draft.name}
            maxLength={100}
            autocomplete="off"
            placeholder="what it is for"
            onInput={(event) => setDraft({ ...draft, name: event.currentTarget.value })}
          />
        </label>
        {isProvider ? (
          <ProviderTarget draft={draft} change={setDraft} />
        ) : (
          <OwnTarget tenants={ownTenants} draft={draft} change={setDraft} />
        )}
        {draft.target.kind !== "ingest" && <RolePick draft={draft} change={setDraft} />}
        <Pick
          label="Good for"
          value={String(draft.days)}
          onPick={(days) => setDraft({ ...draft, days: Number(days) })}
        >
          {Object.entries(lengths).map(([days, says]) => (
            <option key={days} value={days}>
              {says}
            </option>
          ))}
        </Pick>
        <button type="submit" class="control primary" disabled={body === undefined || busy}>
          Make the token
        </button>
      </form>
      {failure !== undefined && <ErrorNotice failure={failure} />}
      {made !== undefined && <MadeToken key={made.id} made={made} close={() => setMade(undefined)} />}
    </section>
  );
}

interface Editing {
  readonly draft: TokenDraft;
  readonly change: (draft: TokenDraft) => void;
}

function ProviderTarget({ draft, change }: Editing) {
  const [choice, setChoice] = useState<TenantChoice>();
  const { target } = draft;
  return (
    <>
      <Pick
        label="Opens"
        value={target.kind}
        onPick={(kind) => {
          if (kind === "provider") change({ ...draft, target: { kind }, role: "operator" });
          if (kind === "ingest") change({ ...draft, target: { kind, connection: "" } });
          if (kind === "tenant") {
            const tenant = choice === undefined ? undefined : toTarget(choice);
            change({ ...draft, target: { kind, tenant }, role: "reader" });
          }
        }}
      >
        <option value="provider">the provider’s view</option>
        <option value="tenant">a tenant’s view</option>
        <option value="ingest">a connection, to post to</option>
      </Pick>
      {target.kind === "tenant" && (
        <TenantPick
          label="Tenant"
          words={choice === undefined ? "choose…" : targetWords(toTarget(choice), session.value)}
          chosen={choice}
          withCustomers
          onPick={(picked) => {
            setChoice(picked);
            const tenant = picked === undefined ? undefined : toTarget(picked);
            change({ ...draft, target: { kind: "tenant", tenant } });
          }}
        />
      )}
      {target.kind === "ingest" && (
        <label class="field">
          <span class="field-name">Connection</span>
          <input
            value={target.connection}
            maxLength={200}
            autocomplete="off"
            onInput={(event) =>
              change({ ...draft, target: { kind: "ingest", connection: event.currentTarget.value } })
            }
          />
        </label>
      )}
    </>
  );
}

function OwnTarget({ tenants, draft, change }: Editing & { tenants: readonly GrantJson[] }) {
  const chosen = draft.target.kind === "tenant" ? draft.target.tenant : undefined;
  return (
    <Pick
      label="Opens"
      value={String(tenants.findIndex((tenant) => tenant === chosen))}
      onPick={(index) => change({ ...draft, target: { kind: "tenant", tenant: tenants[Number(index)] } })}
    >
      {tenants.map((tenant, index) => (
        <option key={JSON.stringify(tenant)} value={String(index)}>
          {tenants.length === 1
            ? (session.value?.label ?? "")
            : targetWords(tenant as Parameters<typeof targetWords>[0], undefined)}
        </option>
      ))}
    </Pick>
  );
}

function RolePick({ draft, change }: Editing) {
  const roles = draft.target.kind === "provider" ? providerRoles : tenantRoles;
  return (
    <Pick label="As" value={draft.role} onPick={(role) => change({ ...draft, role })}>
      {Object.entries(roles).map(([role, says]) => (
        <option key={role} value={role}>
          {says}
        </option>
      ))}
    </Pick>
  );
}

function administeredBy(grants: readonly GrantJson[]): readonly GrantJson[] {
  return grants.filter(({ scope, role }) => scope !== "provider" && role === "admin");
}

function MadeToken({ made, close }: { made: NewToken; close: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState<boolean>();
  useLayoutEffect(() => field.current?.select(), []);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(made.token);
      setCopied(true);
      announce("Token copied.");
    } catch (error) {
      // A page that is not on HTTPS has no clipboard, and a browser may refuse it.
      if (!(error instanceof DOMException) && !(error instanceof TypeError)) throw error;
      setCopied(false);
      field.current?.select();
    }
  };
  return (
    <div class="notice made-token" role="status">
      <p>
        <strong>{made.name}: this is shown only now.</strong> Nobody can read it again; if it is lost, revoke
        it and make another.
      </p>
      <div class="sign-in-row">
        <input
          ref={field}
          readOnly
          value={made.token}
          aria-label={`The token ${made.name}`}
          spellcheck={false}
        />
        <button type="button" class="control primary" onClick={() => void copy()}>
          {copied === true ? "Copied" : "Copy"}
        </button>
        <button type="button" class="control" onClick={close}>
          I have it
        </button>
      </div>
      {copied === false && (
        <p class="hint problem">This browser does not allow copying. It is selected above.</p>
      )}
    </div>
  );
}
