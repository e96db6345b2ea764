import { useEffect, useMemo, useState } from "preact/hooks";
import type { AlertGroupJson, AlertsJson } from "../../api/alert-contract.ts";
import { alertStates } from "../../../model/alert-state.ts";
import { preferredZone } from "../state/preferences.ts";
import { hasRight } from "../state/rights.ts";
import { session } from "../state/session.ts";
import { AlertGroup } from "../ui/alert-group.tsx";
import { CoverageNote } from "../ui/coverage-note.tsx";
import { ErrorNotice } from "../ui/error-notice.tsx";
import { MaintenanceList } from "../ui/maintenance-list.tsx";
import { usePageData } from "../ui/page-data.ts";
import { Pick } from "../ui/pick.tsx";

const hourMs = 3_600_000;
const spans: readonly (readonly [string, number])[] = [
  ["The last hour", hourMs],
  ["The last day", 24 * hourMs],
  ["The last week", 7 * 24 * hourMs],
];

/** Alerts in groups with what is known of each, and the work that makes them expected. */
export function AlertsPage() {
  useEffect(() => void (document.title = "Alerts · Isochron"), []);
  const [spanMs, setSpan] = useState(24 * hourMs);
  const [state, setState] = useState("");
  // One moment for each choice, so that reading again asks the same.
  const from = useMemo(() => new Date(Date.now() - spanMs).toISOString(), [spanMs]);
  const path = `alerts?from=${encodeURIComponent(from)}${state === "" ? "" : `&state=${state}`}`;
  const { data, failure, since, retry } = usePageData<AlertsJson>(path, 30_000);
  return (
    <main class="page">
      <h1>Alerts</h1>
      <div class="admin-form">
        <Pick label="Of" value={String(spanMs)} onPick={(value) => setSpan(Number(value))}>
          {spans.map(([words, ms]) => (
            <option key={ms} value={String(ms)}>
              {words}
            </option>
          ))}
        </Pick>
        <Pick label="State" value={state} onPick={setState} marked={state !== ""}>
          <option value="">any</option>
          {alertStates.map((word) => (
            <option key={word} value={word}>
              {word}
            </option>
          ))}
        </Pick>
      </div>
      {failure !== undefined && (
        <ErrorNotice failure={failure} retry={retry} {...(since === undefined ? {} : { since })} />
      )}
      {data === undefined && failure === undefined && <p aria-busy="true">Judging what monitors told…</p>}
      {data !== undefined && <Groups answer={data} reread={retry} />}
      {hasRight(session.value, "read-workbench") && (
        <MaintenanceList
          told={data?.windows.filter(({ told }) => told.by !== "planned") ?? []}
          reread={retry}
        />
      )}
    </main>
  );
}

function Groups({ answer, reread }: { answer: AlertsJson; reread: () => void }) {
  const { groups, checked, window, coverage } = answer;
  return (
    <section aria-labelledby="groups">
      <h2 id="groups">{countWords(groups)}</h2>
      {groups.length === 0 ? (
        <p>No monitor told of a problem that lasted into this time, as far as is known.</p>
      ) : (
        <ul class="cards">
          {groups.map((group) => (
            <AlertGroup key={group.id} group={group} reread={reread} />
          ))}
        </ul>
      )}
      {checked.truncated && <p class="hint">There were more than are shown or were looked at.</p>}
      <CoverageNote
        coverage={coverage}
        from={Date.parse(window.from)}
        to={Date.parse(window.to)}
        zone={preferredZone.value}
      />
    </section>
  );
}

function countWords(groups: readonly AlertGroupJson[]): string {
  const alerts = groups.reduce((sum, group) => sum + group.alerts.length, 0);
  return `${alerts} ${alerts === 1 ? "alert" : "alerts"} in ${groups.length} ${groups.length === 1 ? "group" : "groups"}`;
}
