import { spreadHarm } from "../correlate/blast.ts";
import { reportBlast, type BlastReport } from "../correlate/blast-report.ts";
import { IsochronError } from "../errors.ts";
import { entityKey, type EntityRef } from "../model/entity.ts";
import { instant, type Duration, type Instant } from "../model/instant.ts";
import type { Scope } from "../model/scope.ts";
import { relations, type KnownFact, type Relation } from "../model/topology.ts";
import type { TopologyView } from "../resolve/resolver.ts";
import type { EventReader, Span, VisibleEvent } from "../store/event-reader.ts";
import type { TopologyReader, Way } from "../store/topology-reader.ts";
import { walkEditions } from "./blast-editions.ts";
import { walkTopology, waysOf, type Walked } from "./blast-walk.ts";

/** So many symptoms of one thing are handed out. */
const symptomsEach = 3;

/** What is taken to have failed: events, resources at a moment, or several of both. */
export interface BlastQuestion {
  readonly events: readonly string[];
  readonly resources: readonly EntityRef[];
  /** Of events their own where absent, of several the earliest. */
  readonly at?: Instant;
  /** Needed only where two clouds know a resource by the same id. */
  readonly controlPlane?: string;
  /** How long after the moment symptoms count. */
  readonly windowMs: Duration;
  readonly hops: number;
  readonly limit: number;
}

export interface BlastAnswer extends BlastReport<VisibleEvent> {
  readonly target: {
    readonly events: readonly VisibleEvent[];
    readonly failed: readonly EntityRef[];
    readonly at: Instant;
  };
  readonly window: Span;
  /** True where more is reachable than was walked. */
  readonly truncated: boolean;
}

export interface BlastParts {
  readonly reader: EventReader;
  readonly topology: TopologyReader;
  readonly buildView: (controlPlane: string, facts: readonly KnownFact[]) => TopologyView;
}

/**
 * What the failure reaches as of its moment, within a scope; undefined where an event or a resource is not in it. The
 * provider's answer is walked over its topology, a tenant's over its own editions and nothing else. Reads are bounded:
 * per hop two or three statements over at most some thousands of things, then one for the symptoms.
 */
export async function findBlast(
  parts: BlastParts,
  scope: Scope,
  question: BlastQuestion,
): Promise<BlastAnswer | undefined> {
  const events: VisibleEvent[] = [];
  for (const id of question.events) {
    const event = await parts.reader.event(scope, id);
    if (event === undefined) return undefined;
    events.push(event);
  }
  const moments = events.map(({ event }) => event.occurredAt);
  const at = question.at ?? (moments.length === 0 ? undefined : instant(Math.min(...moments)));
  if (at === undefined) return undefined;
  const walked =
    scope.kind === "tenant"
      ? await walkEditions(parts.reader, scope, events, { ...question, at })
      : await walkAsProvider(parts, scope, events, { ...question, at });
  if (walked === undefined) return undefined;
  const reached = spreadHarm(walked.failed, walked.edges, question.hops).filter(
    ({ ref }) => !walked.gone.has(entityKey(ref)),
  );
  const blur = Math.max(0, ...events.map(({ event }) => event.precision));
  const window: Span = { from: instant(at - blur), to: instant(at + question.windowMs) };
  const symptoms = await parts.reader.symptoms(scope, {
    entities: reached.map(({ ref }) => ref),
    ...window,
    eachMax: symptomsEach,
    except: events.map(({ event }) => event.id),
  });
  const report = reportBlast({
    reached,
    symptoms: new Map(symptoms.map(({ entity, ...seen }) => [entityKey(entity), seen])),
    described: walked.described,
    at,
    unknown: walked.unknown,
    limit: question.limit,
  });
  return { ...report, target: { events, failed: walked.told, at }, window, truncated: walked.truncated };
}

async function walkAsProvider(
  parts: BlastParts,
  scope: Scope,
  events: readonly VisibleEvent[],
  question: BlastQuestion & { readonly at: Instant },
): Promise<Walked | undefined> {
  const controlPlane = await findPlane(parts, scope, events, question);
  if (controlPlane === undefined) return undefined;
  const failed = new Map<string, EntityRef>();
  for (const ref of [...events.flatMap(subjectsOf), ...question.resources]) failed.set(entityKey(ref), ref);
  return walkTopology(parts, controlPlane, [...failed.values()], question);
}

/** Kinds of names; what bears one stands in the evidence of whose it is. */
const nameKinds = new Set(["name", "hostname", "libvirt_domain", "path", "ip", "mac", "resource"]);

/** What the event is about; where it knows only a name for that, what the resolver found the name to mean. */
function subjectsOf(visible: VisibleEvent): readonly EntityRef[] {
  const { subject } = visible.event;
  if (visible.audience === "tenant" || !nameKinds.has(subject.kind)) return [subject];
  const meant = visible.event.attribution.evidence.flatMap(({ verdict, from }) =>
    verdict === "accepted" && from !== undefined && !nameKinds.has(from.kind) ? [from] : [],
  );
  return meant.length === 0 ? [subject] : [meant[0]!];
}

/** The cloud whose ids are spoken of; undefined where no cloud and no event knows a resource. */
async function findPlane(
  { reader, topology }: BlastParts,
  scope: Scope,
  events: readonly VisibleEvent[],
  { resources, controlPlane: asked, at }: BlastQuestion & { readonly at: Instant },
): Promise<string | undefined> {
  const told = new Set(
    events.flatMap((one) => (one.audience === "provider" ? [one.event.controlPlane] : [])),
  );
  if (told.size > 1) throw severalPlanes([...told], "Ask for the events of one control plane at a time.");
  const [ofEvents] = told;
  if (ofEvents !== undefined) return ofEvents;
  const { connections } = await reader.coverage(scope);
  const planes =
    asked === undefined ? [...new Set(connections.map(({ controlPlane }) => controlPlane))] : [asked];
  const knowing: string[] = [];
  for (const plane of planes.toSorted()) {
    const known = await Promise.all(resources.map((ref) => isKnown(topology, plane, ref, at)));
    if (known.some(Boolean)) knowing.push(plane);
  }
  if (knowing.length > 1) throw severalPlanes(knowing, "Give `control_plane`.");
  if (knowing[0] !== undefined) return knowing[0];
  for (const resource of resources) {
    const [mention] = (await reader.timeline(scope, { resource }, { limit: 1, order: "newest" })).events;
    if (mention?.audience === "provider") return mention.event.controlPlane;
  }
  return undefined;
}

/** Any of these tells that there is such a thing; who only used it does not. */
const telling = (Object.keys(relations) as Relation[]).filter(
  (relation) => relation !== "used_by" && relation !== "works_in",
);

async function isKnown(
  topology: TopologyReader,
  controlPlane: string,
  ref: EntityRef,
  at: Instant,
): Promise<boolean> {
  const own = telling.map((relation): Way => ({ entity: ref, relation, side: "from" }));
  return (await topology.adjoining(controlPlane, [...waysOf(ref, true), ...own], at, 1)).facts.length > 0;
}

function severalPlanes(planes: readonly string[], remedy: string): IsochronError {
  return new IsochronError(
    "query-invalid",
    `Several control planes know of it: ${planes.toSorted().join(", ")}.`,
    remedy,
  );
}
