import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Instant } from "../model/instant.ts";
import { relations, type Relation } from "../model/topology.ts";
import type { SeenEdge } from "./blast.ts";
import type { Correlatable } from "./correlatable.ts";

/** What two things stand in that one event names together: told by their kinds, since editions tell no facts. */
const pairs: readonly (readonly [from: string, relation: Relation, to: string])[] = [
  ["volume", "attached_to", "server"],
  ["port", "attached_to", "server"],
  ["share", "attached_to", "server"],
  ["floating_ip", "bound_to", "port"],
  ["port", "on_network", "network"],
  ["subnet", "on_network", "network"],
  ["subnet", "routed_by", "router"],
  ["port", "routed_by", "router"],
  ["snapshot", "copy_of", "volume"],
];

/** Words of a type by which the two part. */
const parting = /detach|delete|destroy|disassociate|unbind|remove/;

/**
 * The relations among a tenant's own things as its own editions tell them up to a moment. Nothing else is looked at: what
 * the provider's topology knows beyond them is nobody's to see here. The latest that was said of a pair counts, and of
 * what has one other end at a time the latest of all. Pure.
 */
export function toldRelations(
  editions: readonly Pick<
    Correlatable,
    "id" | "occurredAt" | "type" | "kind" | "phase" | "subject" | "related"
  >[],
  at: Instant,
): readonly SeenEdge[] {
  const said = new Map<string, { readonly edge: SeenEdge; readonly holds: boolean }>();
  const ordered = editions
    .filter(({ occurredAt, kind, phase }) => occurredAt <= at && kind !== "symptom" && phase !== "error")
    .toSorted((a, b) => a.occurredAt - b.occurredAt || (a.id < b.id ? -1 : 1));
  for (const { subject, related, type, phase, occurredAt } of ordered) {
    // What has only begun to part, or to come together, has not yet done so.
    if (phase === "start" || phase === "progress") continue;
    const holds = !parting.test(type);
    for (const { ref } of related) {
      const edge = relationOf(subject, ref);
      if (edge !== undefined) said.set(placeOf(edge), { edge: { ...edge, lastSeenAt: occurredAt }, holds });
    }
  }
  return [...said.values()].flatMap(({ edge, holds }) => (holds ? [edge] : []));
}

function relationOf(one: EntityRef, other: EntityRef): SeenEdge | undefined {
  for (const [from, relation, to] of pairs) {
    if (one.kind === from && other.kind === to) return { from: one, relation, to: other };
    if (one.kind === to && other.kind === from) return { from: other, relation, to: one };
  }
  return undefined;
}

function placeOf({ from, relation, to }: SeenEdge): string {
  const place = `${entityKey(from)}|${relation}`;
  return relations[relation] === "single" ? place : `${place}|${entityKey(to)}`;
}
