import { entityKey, type EntityRef } from "../model/entity.ts";
import { formatInstant } from "../model/instant.ts";
import type { MaintenanceWindow, WorkWindow } from "../model/maintenance.ts";
import type { Correlatable } from "./correlatable.ts";
import { bearerOf, footingsOf, indexStanding, type Footing, type StandingIndex } from "./stands-on.ts";
import type { Edge } from "./topology-paths.ts";

/** That an event fell into work that was known of. It says nothing of whether the work is why it happened. */
export interface Expectation {
  readonly window: WorkWindow;
  /** The thing that was worked on. */
  readonly on: EntityRef;
  /** How the event's thing stood on it; empty where it is the very thing. */
  readonly hops: readonly Edge[];
  /** In words, with where they come from. */
  readonly says: string;
}

/** What the expectation needs to know of an event. */
export type Expectable = Pick<
  Correlatable,
  "occurredAt" | "precision" | "subject" | "related" | "controlPlane"
> & {
  /** Of an alert: its series, for silences. */
  readonly series?: string;
};

/** Roles in which a record itself says where its subject is. */
const placing = new Set(["host", "within", "service"]);

/**
 * The work within which an event fell: work on its thing, or on what that thing stood on by the edges, which are those of
 * the event's control plane as of its moment. Undefined for none; the nearest thing counts, and of one thing the window
 * that began last. An event without a control plane, as a tenant's edition is, is never compared.
 */
export function expectedBy(
  windows: readonly WorkWindow[],
  event: Expectable,
  edges: readonly Edge[] | StandingIndex,
): Expectation | undefined {
  const covering = windows.filter((window) => covers(window, event));
  if (covering.length === 0) return undefined;
  const index = "up" in edges ? edges : indexStanding(edges);
  const footings = footingsOf(placesOf(event, index), index);
  let best: { readonly window: WorkWindow; readonly footing: Footing } | undefined;
  for (const window of covering) {
    const footing = window.on
      .flatMap((thing) => footings.get(entityKey(thing)) ?? [])
      .toSorted((one, other) => one.hops.length - other.hops.length)[0];
    if (footing !== undefined && isBetter({ window, footing }, best)) best = { window, footing };
  }
  if (best === undefined) return undefined;
  const { window, footing } = best;
  return { window, on: footing.thing, hops: footing.hops, says: tell(window, footing) };
}

function covers(window: WorkWindow, { controlPlane, occurredAt, precision, series }: Expectable): boolean {
  if (controlPlane === undefined || window.controlPlane !== controlPlane) return false;
  if ("told" in window && window.series !== undefined && window.series !== series) return false;
  if ("id" in window && window.cancelledAt !== undefined) return false;
  return occurredAt + precision >= window.from && (window.to === undefined || occurredAt < window.to);
}

/** The subject, whatever bears its name, and where the record itself says that it is. */
function placesOf({ subject, related }: Expectable, index: StandingIndex): readonly EntityRef[] {
  const named = related.filter(({ role, ref }) => placing.has(role) && ref.kind !== "project");
  const refs = [subject, ...named.map(({ ref }) => ref)];
  return refs.flatMap((ref) => [ref, ...(bearerOf(ref, index) === undefined ? [] : [bearerOf(ref, index)!])]);
}

interface Match {
  readonly window: WorkWindow;
  readonly footing: Footing;
}

function isBetter(one: Match, other: Match | undefined): boolean {
  if (other === undefined) return true;
  const nearer = other.footing.hops.length - one.footing.hops.length;
  if (nearer !== 0) return nearer > 0;
  const later = one.window.from - other.window.from;
  if (later !== 0) return later > 0;
  return keyOf(one.window) < keyOf(other.window);
}

function keyOf(window: WorkWindow): string {
  return "id" in window ? window.id : window.told.event;
}

function tell(window: WorkWindow, { thing, hops }: Footing): string {
  const place = `${thing.kind} ${thing.id}`;
  const standing = hops.length === 0 ? `on ${place}` : `on ${place}, which it stood on`;
  const until =
    window.to === undefined ? "with no end told" : `until ${formatInstant(window.to).slice(0, 16)}Z`;
  const when = `from ${formatInstant(window.from).slice(0, 16)}Z ${until}`;
  return `expected: ${provenance(window)} ${standing}, ${when}`;
}

function provenance(window: WorkWindow): string {
  if (!("told" in window)) return `planned work “${window.title}”`;
  switch (window.told.by) {
    case "status-page":
      return `maintenance “${window.title}” that ${window.told.connection} announced`;
    case "silence":
      return `${window.title} in ${window.told.connection}`;
    case "disabled-service":
      return `${window.title}, as ${window.told.connection} tells,`;
  }
}

/** Whether the window is one that a person planned here. */
export function isPlanned(window: WorkWindow): window is MaintenanceWindow {
  return !("told" in window);
}
