import { useEffect } from "preact/hooks";
import type { EventJson, ResourceJson } from "../../api/contract.ts";
import { blastPath } from "../state/asked-path.ts";
import { resourcePath } from "../state/grouping.ts";
import { nameEntity } from "../state/entity-names.ts";
import { preferredZone } from "../state/preferences.ts";
import { address, readRoute } from "../state/route.ts";
import { isProvider, tenantNames } from "../state/session.ts";
import { plainView, spellView } from "../state/view.ts";
import { formatMoment } from "../time/zone.ts";
import { CoverageNote } from "../ui/coverage-note.tsx";
import { ErrorNotice } from "../ui/error-notice.tsx";
import { MomentField } from "../ui/moment-field.tsx";
import { KindWord, SeverityWord } from "../ui/glyph.tsx";
import { Link } from "../ui/link.tsx";
import { Aliases, OwnershipIntervals } from "../ui/resource-intervals.tsx";
import { usePageData } from "../ui/page-data.ts";

/** One resource as of a moment: whose it was, what it stood on, and what happened to it. */
export function ResourcePage() {
  const route = readRoute(address.value.path);
  return route.page === "resource" ? <AsOf kind={route.kind} id={route.id} /> : null;
}

function AsOf({ kind, id }: { kind: string; id: string }) {
  const asked = new URLSearchParams(address.value.search);
  const query = new URLSearchParams();
  for (const name of ["at", "known_at", "control_plane"]) {
    const value = asked.get(name);
    if (value !== null) query.set(name, value);
  }
  const suffix = query.size === 0 ? "" : `?${query.toString()}`;
  const path = `resources/${encodeURIComponent(kind)}/${encodeURIComponent(id)}${suffix}`;
  const { data, failure, since, retry } = usePageData<ResourceJson>(path);
  useEffect(
    () => void (document.title = `${kind} ${data?.resource.name ?? id} · Isochron`),
    [kind, id, data],
  );
  if (failure?.status === 404) {
    return (
      <main class="page">
        <h1>No such resource</h1>
        <p>It is not known, or it lies outside what you may see.</p>
      </main>
    );
  }
  return (
    <main class="page">
      {failure !== undefined && (
        <ErrorNotice failure={failure} {...(since === undefined ? {} : { since })} retry={retry} />
      )}
      {data !== undefined && <Resource data={data} />}
    </main>
  );
}

function Resource({ data }: { data: ResourceJson }) {
  const zone = preferredZone.value;
  const { resource } = data;
  const at = Date.parse(data.at);
  return (
    <>
      <p class="eyebrow">{resource.kind.replaceAll("_", " ")}</p>
      <h1>{nameEntity(resource)}</h1>
      <p class="event-actions">
        <Link class="control" href={blastPath({ resource, at: data.at })}>
          What would its failure reach?
        </Link>
      </p>
      <dl class="facts wide">
        <div>
          <dt>Id</dt>
          <dd>
            <code>{resource.id}</code>
          </dd>
        </div>
        <div>
          <dt>Owner</dt>
          <dd>{ownerWords(data)}</dd>
        </div>
        <div>
          <dt>Known since</dt>
          <dd>
            {data.known_since === null ? "not known" : formatMoment(Date.parse(data.known_since), zone)}
          </dd>
        </div>
        <div>
          <dt>As of</dt>
          <dd>
            <MomentField name="at" label="As of" at={at} key={data.at} />
          </dd>
        </div>
        {isProvider.value && (
          <div>
            <dt>Known at</dt>
            <dd>
              <MomentField
                name="known_at"
                label="By what was known at"
                at={data.known_at === undefined ? undefined : Date.parse(data.known_at)}
                key={data.known_at}
              />
            </dd>
          </div>
        )}
      </dl>
      <OwnershipIntervals data={data} />
      <Relations data={data} />
      <Aliases data={data} />
      <Events data={data} />
    </>
  );
}

function ownerWords(data: ResourceJson): string {
  const { owner } = data;
  if (owner === null) return "not known at that moment";
  if (owner.status !== "owned" && owner.status !== "affected") return owner.status;
  const names = tenantNames.value;
  const domain = owner.domain_name ?? names.domains.get(owner.domain_id ?? "") ?? owner.domain_id;
  const project = owner.project_name ?? names.projects.get(owner.project_id ?? "") ?? owner.project_id;
  return [domain, project].filter((word) => word !== null).join(" / ") || "yours";
}

function Relations({ data }: { data: ResourceJson }) {
  const zone = preferredZone.value;
  return (
    <section aria-labelledby="relations">
      <h2 id="relations">Relations at that moment</h2>
      {data.relations.length === 0 ? (
        <p>No relation of it is known at that moment.</p>
      ) : (
        <div class="table-wrap panel" tabIndex={0} role="group" aria-label="Relations, scrollable">
          <table class="plain">
            <caption class="visually-hidden">What it was related to</caption>
            <thead>
              <tr>
                <th scope="col">Relation</th>
                <th scope="col">Resource</th>
                <th scope="col">Valid from</th>
                <th scope="col">Valid until</th>
              </tr>
            </thead>
            <tbody>
              {data.relations.map((relation) => (
                <tr
                  key={`${relation.relation} ${relation.direction} ${relation.entity.kind} ${relation.entity.id} ${relation.valid_from}`}
                >
                  <td>
                    {relation.relation.replaceAll("_", " ")}
                    {relation.direction === "to" ? "" : " this"}
                  </td>
                  <td>
                    <Link href={`${resourcePath(relation.entity)}?at=${data.at}`}>
                      {relation.entity.kind.replaceAll("_", " ")} {nameEntity(relation.entity)}
                    </Link>
                  </td>
                  <td class="time">{formatMoment(Date.parse(relation.valid_from), zone)}</td>
                  <td class="time">
                    {relation.valid_until === null
                      ? "still"
                      : formatMoment(Date.parse(relation.valid_until), zone)}
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

function Events({ data }: { data: ResourceJson }) {
  const times = data.events.map((event) => Date.parse(event.occurred_at));
  const [from, to] = [Math.min(...times), Math.max(...times)];
  return (
    <section aria-labelledby="events">
      <h2 id="events">Events</h2>
      <CoverageNote
        coverage={data.coverage}
        from={Math.min(from, Date.parse(data.known_since ?? data.at))}
        to={Date.parse(data.at)}
        zone={preferredZone.value}
      />
      {data.events.length === 0 ? (
        <p>No event about it is known.</p>
      ) : (
        <>
          <p>
            <Link href={timelineOf(data, from, to)}>Show them on the timeline</Link>
          </p>
          <EventList events={data.events} />
        </>
      )}
    </section>
  );
}

function timelineOf(data: ResourceJson, from: number, to: number): string {
  const air = Math.max((to - from) * 0.05, 30_000);
  return `/t?${spellView({
    ...plainView(preferredZone.value),
    from: { kind: "absolute", ms: Math.floor(from - air) },
    to: { kind: "absolute", ms: Math.ceil(to + air) },
    resource: `${data.resource.kind}/${data.resource.id}`,
  })}`;
}

function EventList({ events }: { events: readonly EventJson[] }) {
  const zone = preferredZone.value;
  return (
    <div class="table-wrap panel" tabIndex={0} role="group" aria-label="Events, scrollable">
      <table class="plain">
        <caption class="visually-hidden">Events about it</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Kind</th>
            <th scope="col">Severity</th>
            <th scope="col">What happened</th>
          </tr>
        </thead>
        <tbody>
          {events.map((event) => (
            <tr key={event.id}>
              <td class="time">{formatMoment(Date.parse(event.occurred_at), zone)}</td>
              <td>
                <KindWord kind={event.kind} />
              </td>
              <td>
                <SeverityWord severity={event.severity} />
              </td>
              <td>
                <Link href={`/e/${encodeURIComponent(event.id)}`}>{event.summary}</Link>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
