import { useEffect } from "preact/hooks";
import type { SourcesJson } from "../../api/contract.ts";
import { preferredZone } from "../state/preferences.ts";
import { formatLength } from "../time/length.ts";
import { formatMoment } from "../time/zone.ts";
import { ErrorNotice } from "../ui/error-notice.tsx";
import { formatCount } from "../ui/number-words.ts";
import { usePageData } from "../ui/page-data.ts";

const refreshMs = 10_000;

/** Per connection: how far it is complete, how far behind, and what it last complained about. */
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
          {data.connections.length > 0 && <ConnectionTable connections={data.connections} />}
          <SetAside entries={data.set_aside} />
        </div>
      )}
    </main>
  );
}

type Connection = SourcesJson["connections"][number];

function moment(text: string | null): string {
  return text === null ? "never" : formatMoment(Date.parse(text), preferredZone.value);
}

function Headline({ connections }: { connections: readonly Connection[] }) {
  if (connections.length === 0) {
    return (
      <p class="lead">
        No connection has delivered anything yet. Import a recording or configure a source to begin.
      </p>
    );
  }
  const healthy = connections.filter((entry) => entry.state === "running" || entry.state === "idle");
  const times = healthy.flatMap((entry) =>
    entry.complete_to === null ? [] : [Date.parse(entry.complete_to)],
  );
  const troubled = connections.length - healthy.length;
  return (
    <p class="lead">
      {troubled === 0
        ? `All ${connections.length} connections are in order.`
        : `${troubled} of ${connections.length} connections need attention.`}{" "}
      {times.length > 0 && (
        <>
          The newest is complete to <strong>{formatMoment(Math.max(...times), preferredZone.value)}</strong>.
        </>
      )}
    </p>
  );
}

function ConnectionTable({ connections }: { connections: readonly Connection[] }) {
  const zone = preferredZone.value;
  return (
    <div class="table-wrap panel" tabIndex={0} role="group" aria-label="Connections, scrollable">
      <table class="plain">
        <caption class="visually-hidden">Connections and their health</caption>
        <thead>
          <tr>
            <th scope="col">Connection</th>
            <th scope="col">State</th>
            <th scope="col">Complete to ({zone})</th>
            <th scope="col" class="number">
              Lag
            </th>
            <th scope="col">Last event ({zone})</th>
            <th scope="col" class="number">
              Events
            </th>
            <th scope="col" class="number">
              Folded
            </th>
            <th scope="col" class="number">
              Repeated
            </th>
            <th scope="col" class="number">
              Revised
            </th>
            <th scope="col" class="number">
              Set aside
            </th>
          </tr>
        </thead>
        <tbody>
          {connections.map((entry) => (
            <ConnectionRows key={entry.connection} entry={entry} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ConnectionRows({ entry }: { entry: Connection }) {
  return (
    <>
      <tr>
        <th scope="row">
          {entry.connection}
          <span class="dim"> {entry.source}</span>
        </th>
        <td>
          <span class={`state state-${entry.state}`}>{entry.state}</span>
        </td>
        <td class="time">{entry.complete_to === null ? "not stated" : moment(entry.complete_to)}</td>
        <td class="number">{entry.lag_ms === null ? "–" : formatLength(entry.lag_ms)}</td>
        <td class="time">{moment(entry.last_event_at)}</td>
        <td class="number">{formatCount(entry.counts.events)}</td>
        <td class="number">{formatCount(entry.counts.folded)}</td>
        <td class="number">{formatCount(entry.counts.repeated)}</td>
        <td class="number">{formatCount(entry.counts.revised)}</td>
        <td class="number">{formatCount(entry.counts.set_aside)}</td>
      </tr>
      {entry.last_error !== null && (
        <tr class="under">
          <td colSpan={10}>
            <span class="severity severity-error">last error</span> {moment(entry.last_error.at)}{" "}
            <code>{entry.last_error.message}</code>
          </td>
        </tr>
      )}
    </>
  );
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
