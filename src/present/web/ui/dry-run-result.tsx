import type { DryRunJson } from "../../api/quarantine-contract.ts";
import { nameEntity } from "../state/entity-names.ts";
import { dryRunSentence } from "../state/ruling-words.ts";
import { ownershipWords, tenantWords } from "./ownership.tsx";
import { formatCount } from "./number-words.ts";

interface Share {
  readonly key: string;
  readonly label: string;
  readonly hint?: string;
  readonly events: number;
  readonly stays: boolean;
}

/** What a ruling would do: one sentence, how the events would be shared out, and examples. */
export function DryRunResult({ result, stale }: { result: DryRunJson; stale: boolean }) {
  return (
    <section class={`dry-run${stale ? " dimmed" : ""}`} aria-label="Dry run">
      <h3>Dry run, nothing is written yet</h3>
      <p class="dry-run-summary">{dryRunSentence(result, tenantWords)}</p>
      {result.truncated && (
        <p class="hint">More events match than were looked at: every number is a least one.</p>
      )}
      <Warnings result={result} />
      <Shares shares={sharesOf(result)} of={result.matching} />
      {result.examples.length > 0 && <Examples examples={result.examples} />}
    </section>
  );
}

function sharesOf(result: DryRunJson): readonly Share[] {
  const tenants = result.by_tenant.map(({ tenant, events }): Share => {
    const key = `${tenant.control_plane} ${tenant.domain_id} ${tenant.project_id}`;
    return { key, label: tenantWords(tenant), events, stays: false };
  });
  const provider: Share = {
    key: "provider",
    label: "The provider’s own",
    events: result.provider,
    stays: false,
  };
  const staying = result.stay_because.map(({ reason, says, events }): Share => ({
    key: `stay ${reason}`,
    label: "Would go on waiting",
    hint: says,
    events,
    stays: true,
  }));
  return [...tenants, provider, ...staying].filter((share) => share.events > 0);
}

/** What must not be overlooked before this is applied. */
export function Warnings({ result }: { result: DryRunJson }) {
  const { second_tenant: second, contradicted } = result;
  if (second === 0 && contradicted === 0) return null;
  return (
    <ul class="notice">
      {second > 0 && (
        <li>
          <strong>{formatCount(second)}</strong> {second === 1 ? "was" : "were"} shown to another tenant
          before, and would become visible to a second one.
        </li>
      )}
      {contradicted > 0 && (
        <li>
          <strong>{formatCount(contradicted)}</strong> {contradicted === 1 ? "has" : "have"} an owner whom
          facts prove. The rule contradicts them: they would wait from then on.
        </li>
      )}
    </ul>
  );
}

function Shares({ shares, of }: { shares: readonly Share[]; of: number }) {
  if (shares.length === 0) return null;
  return (
    <table class="shares">
      <caption class="visually-hidden">Whose the events would be</caption>
      <tbody>
        {shares.map((share) => (
          <tr key={share.key} class={share.stays ? "stays" : ""}>
            <th scope="row">
              {share.label}
              {share.hint !== undefined && <span class="dim"> {share.hint}</span>}
            </th>
            <td class="number">{formatCount(share.events)}</td>
            <td class="share-bar" aria-hidden="true">
              <svg viewBox="0 0 100 8" preserveAspectRatio="none">
                <rect x="0" y="0" width={Math.max(1, (100 * share.events) / Math.max(of, 1))} height="8" />
              </svg>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Examples({ examples }: { examples: DryRunJson["examples"] }) {
  return (
    <details class="examples">
      <summary>{examples.length === 1 ? "1 example" : `${examples.length} examples`}</summary>
      <ul>
        {examples.map(({ event, would_be }) => (
          <li key={event.id}>
            {event.summary}{" "}
            <span class="dim">
              {event.subject.kind.replaceAll("_", " ")} {nameEntity(event.subject)}
            </span>{" "}
            <span aria-hidden="true">→</span> <strong>{ownershipWords(would_be)}</strong>
          </li>
        ))}
      </ul>
    </details>
  );
}
