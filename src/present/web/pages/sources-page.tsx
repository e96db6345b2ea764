import { useEffect } from "preact/hooks";
import type { SourcesJson } from "../../api/contract.ts";
import { preferredZone } from "../state/preferences.ts";
import { completeToAll, needsAttention, worstFirst, type Connection } from "../state/source-words.ts";
import { formatMoment } from "../time/zone.ts";
import { ConnectionCard } from "../ui/connection-card.tsx";
import { ErrorNotice } from "../ui/error-notice.tsx";
import { usePageData } from "../ui/page-data.ts";

const refreshMs = 10_000;

/** Each connection, the worst first: how far it is complete, where it was blind, what it breaks; and what was set aside. */
export function SourcesPage() {
  const { data, failure, since, retry } = usePageData<SourcesJson>("sources", refreshMs);
  useEffect(() => void (document.title = "Sources · Isochron"), []);
  return (
    <main class="page">
      <h1>Sources</h1>
      {failure !== undefined && (
        <ErrorNotice failure={failure} {...(since === undefined ? {} : { since })} retry={retry} />
      )}
      {data !== undefined && (
        <div class={failure === undefined ? "" : "dimmed"}>
          <Headline connections={data.connections} />
          <ul class="connections">
            {worstFirst(data.connections).map((entry) => (
              <ConnectionCard key={entry.connection} entry={entry} now={Date.now()} />
            ))}
          </ul>
          <SetAside entries={data.set_aside} />
        </div>
      )}
    </main>
  );
}

/** What matters first: how far all is complete, and who is not. */
function Headline({ connections }: { connections: readonly Connection[] }) {
  if (connections.length === 0) {
    return (
      <p class="lead">
        No connection has delivered anything yet. Import a recording or configure a source to begin.
      </p>
    );
  }
  const live = connections.filter((entry) => entry.state !== "finished" && entry.state !== "retired");
  const troubled = connections.filter(needsAttention).length;
  const sound = live.filter((entry) => !needsAttention(entry));
  const reached = completeToAll(sound);
  return (
    <p class="lead">
      {troubled === 0
        ? `All ${connections.length} connections are in order.`
        : `${troubled} of ${connections.length} ${connections.length === 1 ? "connection needs" : "connections need"} attention.`}{" "}
      {reached !== undefined && (
        <>
          {troubled === 0
            ? "Complete"
            : sound.length === 1
              ? "The other is complete"
              : "The others are complete"}{" "}
          to <strong>{formatMoment(reached, preferredZone.value)}</strong>.
        </>
      )}
    </p>
  );
}

function moment(text: string): string {
  return formatMoment(Date.parse(text), preferredZone.value);
}

function SetAside({ entries }: { entries: SourcesJson["set_aside"] }) {
  return (
    <section aria-labelledby="set-aside">
      <h2 id="set-aside">Set aside</h2>
      {entries.length === 0 ? (
        <p>No record had to be set aside.</p>
      ) : (
        <div class="table-wrap panel" tabIndex={0} role="group" aria-label="Records set aside, scrollable">
          <table class="plain">
            <caption class="visually-hidden">Records that could not be used, kept whole</caption>
            <thead>
              <tr>
                <th scope="col">Received</th>
                <th scope="col">Connection</th>
                <th scope="col">Position</th>
                <th scope="col">Reason</th>
                <th scope="col">Beginning of the record</th>
              </tr>
            </thead>
            <tbody>
              {entries.map((entry) => (
                <tr key={entry.id}>
                  <td class="time">{moment(entry.received_at)}</td>
                  <td>{entry.connection}</td>
                  <td>{entry.position}</td>
                  <td>
                    {entry.reason} <code>{entry.code}</code>
                  </td>
                  <td class="excerpt">
                    <code>{entry.excerpt.slice(0, 160)}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
