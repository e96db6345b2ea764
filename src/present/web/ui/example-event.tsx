import type { EventJson, EventsPageJson } from "../../api/contract.ts";
import type { QuarantineGroupJson } from "../../api/quarantine-contract.ts";
import { nameEntity } from "../state/entity-names.ts";
import { preferredZone } from "../state/preferences.ts";
import { decides } from "../state/session.ts";
import { formatMoment } from "../time/zone.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { EvidenceChain } from "./evidence-chain.tsx";
import { KindWord, SeverityWord } from "./glyph.tsx";
import { Link } from "./link.tsx";
import { usePageData } from "./page-data.ts";

/** A waiting event with what is known of whose it is. */
export function ExampleEvent({ event, title }: { event: EventJson; title: string }) {
  const zone = preferredZone.value;
  const names = event.related.filter(({ role }) => role === "within" || role.startsWith("alias"));
  return (
    <section aria-labelledby="example-title">
      <h2 id="example-title">{title}</h2>
      <div class="card">
        <p class="event-sign">
          <KindWord kind={event.kind} />
          <SeverityWord severity={event.severity} />
          <time>{formatMoment(Date.parse(event.occurred_at), zone, "ms")}</time>
        </p>
        <p class="example-summary">
          <Link href={`/e/${encodeURIComponent(event.id)}`}>{event.summary}</Link>
        </p>
        <dl class="facts">
          <div>
            <dt>About</dt>
            <dd>
              {event.subject.kind.replaceAll("_", " ")} {nameEntity(event.subject)}
            </dd>
          </div>
          {names.map((entity) => (
            <div key={`${entity.role} ${entity.kind} ${entity.id}`}>
              <dt>{entity.role === "within" ? "Within" : "Named"}</dt>
              <dd>
                {entity.kind.replaceAll("_", " ")} {entity.id}
              </dd>
            </div>
          ))}
        </dl>
        <div class="ownership">
          <EvidenceChain event={event} evidence={event.attribution.evidence} zone={zone} />
        </div>
      </div>
    </section>
  );
}

const eventsMax = 20;

/** The latest events that wait, of the group's type and source. */
export function GroupEvents({ group }: { group: QuarantineGroupJson }) {
  const query = new URLSearchParams({
    type: group.type,
    source: group.connection,
    attribution: group.status,
    limit: String(eventsMax),
    order: "newest",
  });
  const { data, failure, retry } = usePageData<EventsPageJson>(`events?${query.toString()}`);
  const zone = preferredZone.value;
  return (
    <section aria-labelledby="waiting-title">
      <h2 id="waiting-title">Waiting, the newest first</h2>
      {failure !== undefined && <ErrorNotice failure={failure} retry={retry} />}
      {data !== undefined && (
        <ol class="event-lines">
          {data.events.map((event) => (
            <li key={event.id}>
              <time>{formatMoment(Date.parse(event.occurred_at), zone)}</time>
              <span class="event-line-what">
                <Link href={`/e/${encodeURIComponent(event.id)}`}>{event.summary}</Link>{" "}
                <span class="dim">
                  {event.subject.kind.replaceAll("_", " ")} {nameEntity(event.subject)}
                </span>
              </span>
              {decides.value && (
                <Link href={`/quarantine?event=${encodeURIComponent(event.id)}`}>
                  Decide<span class="visually-hidden"> this one: {event.summary}</span>
                </Link>
              )}
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
