import type { EntityKind } from "../model/entity.ts";
import type { Relation } from "../model/topology.ts";
import type { Edge } from "./topology-paths.ts";

/** By how much and why the failure of one end of a relation harms the other. */
export interface Harm {
  /** Probability that the other end suffers, given that this one failed: above 0 and below 1. */
  readonly weight: number;
  /** For people, about the thing that is harmed. */
  readonly says: string;
}

/** One row: of which relation, which end fails, between which kinds; a kind that is absent is any. */
export interface HarmRule extends Harm {
  readonly relation: Relation;
  readonly failing: "from" | "to";
  readonly from?: EntityKind;
  readonly to?: EntityKind;
}

/**
 * Who depends on whom, in probabilities. It is another table than the ranking's `flow` (`topology-paths.ts`): that one
 * says where to look for a cause, so it leads both ways (two servers of a host tell of each other), while harm has one
 * direction (a server's failure does not harm its host). What is not in it harms nothing: an image nothing that runs
 * already, a snapshot not its volume, a name or an address nobody.
 */
export const harmRules: readonly HarmRule[] = [
  // What a tenant is told of a place, whatever place it is.
  {
    relation: "runs_on",
    failing: "to",
    to: "part",
    weight: 0.9,
    says: "stands on the part of the platform that this is about",
  },
  { relation: "runs_on", failing: "to", weight: 0.95, says: "runs on the host" },
  { relation: "serves", failing: "to", weight: 0.95, says: "is a service of the host" },
  {
    relation: "serves",
    failing: "from",
    weight: 0.2,
    says: "what stands on it goes on, but cannot be managed without the service",
  },
  { relation: "stored_on", failing: "to", weight: 0.9, says: "lies on the backend" },
  {
    relation: "attached_to",
    failing: "from",
    from: "volume",
    weight: 0.8,
    says: "has the volume attached",
  },
  { relation: "attached_to", failing: "from", from: "port", weight: 0.7, says: "is reached by the port" },
  {
    relation: "attached_to",
    failing: "to",
    from: "port",
    weight: 0.9,
    says: "answers only while what it is plugged into runs",
  },
  {
    relation: "attached_to",
    failing: "from",
    from: "share",
    weight: 0.7,
    says: "has the share mounted",
  },
  { relation: "bound_to", failing: "to", weight: 0.9, says: "is an address of the port" },
  { relation: "bound_to", failing: "from", weight: 0.3, says: "is reached from outside by the address" },
  { relation: "on_network", failing: "to", weight: 0.9, says: "is on the network" },
  {
    relation: "on_network",
    failing: "from",
    from: "subnet",
    weight: 0.6,
    says: "has its addresses from the subnet",
  },
  { relation: "routed_by", failing: "to", weight: 0.8, says: "is routed by the router" },
  { relation: "copy_of", failing: "to", from: "snapshot", weight: 0.4, says: "lies beside the volume" },
  { relation: "guards", failing: "from", weight: 0.5, says: "lets through what the group says" },
  { relation: "member_of", failing: "to", from: "host", weight: 0.5, says: "is a host of the aggregate" },
  { relation: "part_of", failing: "to", from: "backend", weight: 0.9, says: "is a pool of the backend" },
  { relation: "part_of", failing: "to", from: "project", weight: 0.9, says: "is a project of the domain" },
  { relation: "part_of", failing: "to", from: "domain", weight: 0.5, says: "is served in the region" },
  {
    relation: "owned_by",
    failing: "to",
    to: "project",
    weight: 0.3,
    says: "is the project's, whose members may no longer reach it",
  },
  {
    relation: "owned_by",
    failing: "to",
    to: "domain",
    weight: 0.3,
    says: "is the domain's, whose members may no longer reach it",
  },
];

/** The rules by which something of this kind can harm what it stands in a relation with. */
export function rulesOf(kind: EntityKind): readonly HarmRule[] {
  return harmRules.filter((rule) => {
    const own = rule.failing === "from" ? rule.from : rule.to;
    return own === undefined || own === kind;
  });
}

/** What becomes of the other end of the edge where `failing` fails; undefined where it takes no harm. */
export function harmAlong({ from, relation, to }: Edge, failing: "from" | "to"): Harm | undefined {
  return harmRules.find(
    (rule) =>
      rule.relation === relation &&
      rule.failing === failing &&
      (rule.from === undefined || rule.from === from.kind) &&
      (rule.to === undefined || rule.to === to.kind),
  );
}

/** A probability in a word that claims no more than the table can. */
export function likelihoodWord(probability: number): "very likely" | "likely" | "possible" | "unlikely" {
  if (probability >= 0.8) return "very likely";
  if (probability >= 0.5) return "likely";
  return probability >= 0.2 ? "possible" : "unlikely";
}
