import { useEffect } from "preact/hooks";
import type { DossierJson, IncidentAnswerJson, IncidentEditionJson } from "../../api/incident-contract.ts";
import { stateWords } from "../state/incident-words.ts";
import { preferredZone } from "../state/preferences.ts";
import { address, readRoute } from "../state/route.ts";
import { formatMoment } from "../time/zone.ts";
import { ErrorNotice } from "../ui/error-notice.tsx";
import { IncidentDocuments } from "../ui/incident-documents.tsx";
import { IncidentLog } from "../ui/incident-log.tsx";
import { IncidentPins } from "../ui/incident-pins.tsx";
import { IncidentSections } from "../ui/incident-sections.tsx";
import { IncidentSteps } from "../ui/incident-steps.tsx";
import { IncidentTimes } from "../ui/incident-times.tsx";
import { Link } from "../ui/link.tsx";
import { usePageData } from "../ui/page-data.ts";

/** One incident; for a tenant what it was told of it. */
export function IncidentPage() {
  const route = readRoute(address.value.path);
  const id = route.page === "incident" ? route.id : "";
  const { data, failure, retry } = usePageData<IncidentAnswerJson>(`incidents/${encodeURIComponent(id)}`);
  const title = data === undefined ? "Incident" : data.kind === "edition" ? data.title : data.incident.title;
  useEffect(() => void (document.title = `${title} · Isochron`), [title]);
  return (
    <main class="page" aria-busy={data === undefined && failure === undefined}>
      <p class="eyebrow">
        <Link href="/incidents">Incidents</Link>
      </p>
      <h1>{failure?.status === 404 && data === undefined ? "No such incident" : title}</h1>
      {failure !== undefined && <ErrorNotice failure={failure} retry={retry} />}
      {data?.kind === "edition" && <Edition edition={data} />}
      {data?.kind === "dossier" && <Dossier dossier={data} reread={retry} />}
    </main>
  );
}

function moment(at: string): string {
  return formatMoment(Date.parse(at), preferredZone.value);
}

function Edition({ edition }: { edition: IncidentEditionJson }) {
  return (
    <>
      <p class="dim">
        Published {moment(edition.published_at)}
        {edition.edition > 1 && `, edition ${edition.edition}`}
        {!edition.intact && "; words were erased from it since"}
      </p>
      <pre class="incident-text">{edition.markdown}</pre>
    </>
  );
}

function Dossier({ dossier, reread }: { dossier: DossierJson; reread: () => void }) {
  const { incident } = dossier;
  const part = { dossier, reread };
  return (
    <>
      <p class="lead">
        <span class="tag">{stateWords[incident.state]}</span> {incident.severity},{" "}
        {incident.to === null
          ? `since ${moment(incident.from)}`
          : `from ${moment(incident.from)} to ${moment(incident.to)}`}
        . <span class="dim">Opened by {incident.opened_by}.</span>
      </p>
      {incident.published !== null && (
        <p>
          Frozen {moment(incident.published.at)} by {incident.published.by}, SHA-256{" "}
          <code class="id">{incident.published.hash}</code>
          {!incident.published.intact && "; words were erased from it since"}
        </p>
      )}
      {incident.reviewed !== null && (
        <p class="dim">
          Reviewed {moment(incident.reviewed.at)} by {incident.reviewed.by}
          {incident.reviewed.by_another ? "" : ", who had written some of it"}
        </p>
      )}
      <IncidentTimes {...part} />
      <IncidentPins {...part} />
      <IncidentLog {...part} />
      <IncidentSections {...part} />
      <IncidentSteps {...part} />
      <IncidentDocuments dossier={dossier} />
    </>
  );
}
