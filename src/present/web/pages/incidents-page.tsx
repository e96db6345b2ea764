import { useEffect, useState } from "preact/hooks";
import type { IncidentsJson, OpenedIncidentJson } from "../../api/incident-contract.ts";
import { sendApi } from "../state/client.ts";
import { stateWords } from "../state/incident-words.ts";
import { preferredZone } from "../state/preferences.ts";
import { goTo } from "../state/route.ts";
import { decides } from "../state/session.ts";
import { formatMoment } from "../time/zone.ts";
import { ErrorNotice } from "../ui/error-notice.tsx";
import { Link } from "../ui/link.tsx";
import { usePageData } from "../ui/page-data.ts";
import { useSending } from "../ui/sending.ts";

/** All incidents; for a tenant what it was told of them. */
export function IncidentsPage() {
  const { data, failure, retry } = usePageData<IncidentsJson>("incidents?limit=200");
  useEffect(() => void (document.title = "Incidents · Isochron"), []);
  return (
    <main class="page" aria-busy={data === undefined && failure === undefined}>
      <h1>Incidents</h1>
      {failure !== undefined && <ErrorNotice failure={failure} retry={retry} />}
      {decides.value && <OpenIncident />}
      {data !== undefined && <Listing data={data} />}
    </main>
  );
}

function moment(at: string): string {
  return formatMoment(Date.parse(at), preferredZone.value);
}

function Listing({ data: { incidents, editions } }: { data: IncidentsJson }) {
  if (incidents.length === 0 && editions.length === 0) return <p class="lead">There are none.</p>;
  return (
    <>
      {incidents.length > 0 && (
        <div class="table-wrap panel" tabIndex={0} role="group" aria-label="Incidents, scrollable">
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">Incident</th>
                <th scope="col">State</th>
                <th scope="col">Severity</th>
                <th scope="col">From</th>
                <th scope="col">To</th>
                <th scope="col">Pinned</th>
              </tr>
            </thead>
            <tbody>
              {incidents.map((incident) => (
                <tr key={incident.id}>
                  <td class="words">
                    <Link href={`/incidents/${incident.id}`}>{incident.title}</Link>
                  </td>
                  <td>{stateWords[incident.state]}</td>
                  <td>{incident.severity}</td>
                  <td class="time">{moment(incident.from)}</td>
                  <td class="time">{incident.to === null ? "open" : moment(incident.to)}</td>
                  <td>{incident.pins}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {editions.length > 0 && (
        <ul class="cards">
          {editions.map((edition) => (
            <li class="card" key={edition.id}>
              <h2>
                <Link href={`/incidents/${edition.id}`}>{edition.title}</Link>
              </h2>
              <p class="dim">Published {moment(edition.published_at)}</p>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function OpenIncident() {
  const [title, setTitle] = useState("");
  const { busy, failure, send } = useSending();
  const open = async (event: Event) => {
    event.preventDefault();
    if (title.trim() === "" || busy) return;
    const done = await send(() => sendApi<OpenedIncidentJson>("POST", "incidents", { title: title.trim() }));
    if (done !== undefined) goTo(`/incidents/${done.answer.incident.id}`);
  };
  return (
    <details class="admin-details">
      <summary>Open an incident</summary>
      <form class="withdraw" onSubmit={(event) => void open(event)}>
        <label class="field">
          <span class="field-name">Title</span>
          <input
            class="wide-input"
            value={title}
            maxLength={300}
            required
            autocomplete="off"
            onInput={(event) => setTitle(event.currentTarget.value)}
          />
        </label>
        {failure !== undefined && <ErrorNotice failure={failure} />}
        <div class="event-actions">
          <button type="submit" class="control primary" disabled={busy || title.trim() === ""}>
            Open it
          </button>
        </div>
      </form>
    </details>
  );
}
