import type { SeenEdge } from "../correlate/blast.ts";
import type { Described } from "../correlate/blast-report.ts";
import { toldRelations } from "../correlate/told-relations.ts";
import { entityKey, type EntityRef } from "../model/entity.ts";
import { instant, type Instant } from "../model/instant.ts";
import type { Scope } from "../model/scope.ts";
import type { EventReader, TenantEvent, VisibleEvent } from "../store/event-reader.ts";
import type { Walked } from "./blast-walk.ts";

/** How far back, and through how many, a tenant's own editions are asked what belongs together. */
const lookBackMs = 30 * 24 * 3_600_000;
const editionsMax = 1_000;

type Asked = { readonly at: Instant; readonly resources: readonly EntityRef[] };

/**
 * A tenant's own part, made from its own editions alone: what of its own the notices name, and what its other events say
 * hangs together. So neither what is reached nor how long it takes tells of anything that is not the tenant's. Undefined
 * for a resource that no edition names.
 */
export async function walkEditions(
  reader: Pick<EventReader, "timeline">,
  scope: Scope & { readonly kind: "tenant" },
  events: readonly VisibleEvent[],
  { at, resources }: Asked,
): Promise<Walked | undefined> {
  const planes = new Set(
    events.flatMap((one) => (one.audience === "tenant" ? [one.event.tenant.controlPlane] : [])),
  );
  for (const resource of resources) {
    const [mention] = (await reader.timeline(scope, { resource }, { limit: 1, order: "newest" })).events;
    if (mention?.audience !== "tenant") return undefined;
    planes.add(mention.event.tenant.controlPlane);
  }
  const span = { from: instant(Math.max(0, at - lookBackMs)), to: instant(at + 1) };
  const page = await reader.timeline(scope, span, { limit: editionsMax, order: "newest" });
  const own = page.events.flatMap((one) =>
    one.audience === "tenant" && planes.has(one.event.tenant.controlPlane) ? [one.event] : [],
  );
  const asked = events.flatMap((one) => (one.audience === "tenant" ? [one.event] : []));
  const places = asked.flatMap((event) => (event.notice ? placesOf(event) : []));
  const alone = asked.filter(({ notice }) => !notice).map(({ subject }) => subject);
  const failed = distinct([...places.map(({ place }) => place), ...alone, ...resources]);
  return {
    failed,
    told: failed,
    edges: [
      ...places.flatMap(({ edges }) => edges),
      ...toldRelations(
        own.filter(({ notice }) => !notice),
        at,
      ),
    ],
    gone: new Set(),
    described: namesIn([...asked, ...own]),
    truncated: page.more,
    unknown: [
      "This is told from your own events: what they do not name together is not known to hang together.",
      ...(page.more ? ["You have more events than were looked at: the counts are at least so many."] : []),
    ],
  };
}

/** The place that a notice speaks of by its alias, with what of the tenant's own stood on it. */
function placesOf({ id, subject, related, occurredAt }: TenantEvent): readonly {
  readonly place: EntityRef;
  readonly edges: readonly SeenEdge[];
}[] {
  const place = related.find(({ role }) => role === "place")?.ref ?? { kind: "part", id };
  const affected = related.filter(({ role }) => role === "affected").map(({ ref }) => ref);
  const resources = affected.length === 0 ? [subject] : affected;
  const stands = (from: EntityRef): SeenEdge => ({
    from,
    relation: "runs_on",
    to: place,
    lastSeenAt: occurredAt,
  });
  return [{ place, edges: resources.map(stands) }];
}

function namesIn(events: readonly TenantEvent[]): ReadonlyMap<string, Described> {
  const names = new Map<string, Described>();
  const learn = (ref: EntityRef, name: string | undefined): void => {
    if (name !== undefined && !names.has(entityKey(ref))) names.set(entityKey(ref), { name });
  };
  for (const { subject, subjectName, related } of events) {
    learn(subject, subjectName);
    for (const one of related) learn(one.ref, one.name);
  }
  return names;
}

function distinct(refs: readonly EntityRef[]): readonly EntityRef[] {
  return [...new Map(refs.map((ref) => [entityKey(ref), ref])).values()];
}
