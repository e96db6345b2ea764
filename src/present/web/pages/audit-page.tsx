import { useEffect, useState } from "preact/hooks";
import type { AuditEntryJson, AuditPageJson } from "../../api/audit-contract.ts";
import { auditQuery, detailsText, tellActor, type AuditConditions } from "../state/audit-words.ts";
import { preferredZone } from "../state/preferences.ts";
import { formatMoment } from "../time/zone.ts";
import { ErrorNotice } from "../ui/error-notice.tsx";
import { usePageData } from "../ui/page-data.ts";
import { Pick } from "../ui/pick.tsx";

const actions = {
  "sign-in": "Sign-ins",
  "sign-out": "Sign-outs",
  denied: "Denied",
  "break-glass": "Broken glass",
  "look-as-tenant": "Looking as a tenant",
  rule: "Rulings",
  "notice-template": "Notice texts",
  export: "Exports",
  token: "Tokens",
  retention: "Retention",
  hold: "Legal holds",
  erasure: "Erasures",
  configuration: "Configuration",
};

/** Who did what, the latest first, for auditors and administrators. */
export function AuditPage() {
  const [conditions, setConditions] = useState<AuditConditions>({});
  const { data, failure, since, retry } = usePageData<AuditPageJson>(`audit?${auditQuery(conditions)}`);
  useEffect(() => void (document.title = "Audit · Isochron"), []);
  const next = data?.next_before;
  return (
    <main class="page">
      <h1>Audit</h1>
      <p class="lead">
        Who did what. <code>isochron audit verify</code> finds out whether anybody changed it since.
      </p>
      <Conditions conditions={conditions} onChange={setConditions} />
      {failure !== undefined && (
        <ErrorNotice failure={failure} {...(since === undefined ? {} : { since })} retry={retry} />
      )}
      {data !== undefined && (
        <div class={failure === undefined ? "" : "dimmed"}>
          {data.entries.length === 0 ? (
            <p class="lead">No entry is like that.</p>
          ) : (
            <EntryTable entries={data.entries} />
          )}
          <p class="audit-pages">
            {conditions.before !== undefined && (
              <button
                type="button"
                class="control"
                onClick={() => setConditions({ ...conditions, before: undefined })}
              >
                Latest
              </button>
            )}
            {next !== null && next !== undefined && (
              <button
                type="button"
                class="control"
                onClick={() => setConditions({ ...conditions, before: next })}
              >
                Older
              </button>
            )}
          </p>
        </div>
      )}
    </main>
  );
}

function Conditions(props: { conditions: AuditConditions; onChange: (conditions: AuditConditions) => void }) {
  const { conditions, onChange } = props;
  return (
    <form
      class="audit-conditions"
      onSubmit={(event) => {
        event.preventDefault();
        const given = new FormData(event.currentTarget).get("actor");
        const actor = typeof given === "string" && given.trim() !== "" ? given.trim() : undefined;
        onChange({ ...conditions, actor, before: undefined });
      }}
    >
      <Pick
        label="Action"
        value={conditions.action ?? ""}
        onPick={(action) =>
          onChange({ ...conditions, action: action === "" ? undefined : action, before: undefined })
        }
      >
        <option value="">All</option>
        {Object.entries(actions).map(([action, title]) => (
          <option key={action} value={action}>
            {title}
          </option>
        ))}
      </Pick>
      <label class="audit-actor">
        <span class="pick-label">Who</span>
        <input name="actor" type="text" placeholder="id or name" maxLength={500} autocomplete="off" />
      </label>
      <button type="submit" class="control">
        Show
      </button>
    </form>
  );
}

function EntryTable({ entries }: { entries: readonly AuditEntryJson[] }) {
  return (
    <div class="table-wrap panel" tabIndex={0} role="group" aria-label="Entries, scrollable">
      <table class="plain">
        <caption class="visually-hidden">Entries of the audit trail</caption>
        <thead>
          <tr>
            <th scope="col">Entry</th>
            <th scope="col">Time</th>
            <th scope="col">Action</th>
            <th scope="col">Who</th>
            <th scope="col">Object</th>
            <th scope="col" class="audit-why">
              Why and what
            </th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <Entry key={entry.sequence} entry={entry} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Entry({ entry }: { entry: AuditEntryJson }) {
  const { sequence, at, action, outcome, object, count, actor, why } = entry;
  const details = detailsText(entry);
  return (
    <tr>
      <th scope="row">{sequence}</th>
      <td class="audit-nowrap">{formatMoment(Date.parse(at), preferredZone.value)}</td>
      <td class="audit-nowrap">
        {action}
        {outcome !== "done" && <strong> {outcome}</strong>}
        {count > 1 && <span class="dim"> × {count}</span>}
      </td>
      <td title={actor.id ?? undefined}>
        {tellActor(entry)}
        {actor.address !== null && <span class="dim"> {actor.address}</span>}
      </td>
      <td>
        <code>{object}</code>
      </td>
      <td>
        {why}
        {details !== "" && (
          <details>
            <summary>Details</summary>
            <pre class="audit-details">{details}</pre>
          </details>
        )}
      </td>
    </tr>
  );
}
