import type { EntityRef } from "./entity.ts";
import type { Instant } from "./instant.ts";

/**
 * How two entities stand to each other. *Single* relations have one target at a time, so a later
 * statement about the same `from` ends the earlier one; *plural* ones hold side by side until denied.
 */
export const relations = {
  /** resource → project (or domain, for users, groups and projects): whose it is. */
  owned_by: "single",
  /** server → host. */
  runs_on: "single",
  /** project → domain; domain → region. */
  part_of: "single",
  /** anything → name, for people to read. */
  named: "single",
  /** volume → server, port → server. */
  attached_to: "plural",
  /** volume → backend. */
  stored_on: "single",
  /** port, subnet, floating IP → network. */
  on_network: "single",
  /** port, subnet → router. */
  routed_by: "plural",
  /** floating IP → port. */
  bound_to: "single",
  /** snapshot, backup → volume; image → server. */
  copy_of: "single",
  /** server, volume → image. */
  made_from: "single",
  /** server → flavor. */
  sized_by: "single",
  /** server → server group, host → aggregate, user → group. */
  member_of: "plural",
  /** server, port → ip or mac. */
  has_address: "plural",
  /** service → host, agent → host. */
  serves: "single",
  /** request → project: a record of this request stated its own owner. */
  concerns: "plural",
  /** security group → port, and the like. */
  guards: "plural",
  /** user, group → project or domain: a role is assigned there. */
  works_in: "plural",
  /** anything, also a name → user: a request made by this account spoke of it. Asked regardless of time. */
  used_by: "plural",
  /** server, port, host → hostname, libvirt_domain or path: what monitors and logs call it. */
  known_as: "plural",
  /** anything → component: deleted there, from then on. A thing that was brought back no longer is. */
  removed_from: "single",
} as const satisfies Record<string, "single" | "plural">;

export type Relation = keyof typeof relations;

/**
 * One observation: "at this moment the source says that the relation holds" (or, with `holds: false`,
 * no longer holds). Observations only ever accumulate, so that any order of arrival ends in the same
 * topology; what held at an instant is read from them by the topology view.
 */
export interface TopologyFact {
  readonly from: EntityRef;
  readonly relation: Relation;
  readonly to: EntityRef;
  readonly at: Instant;
  readonly holds: boolean;
}

/** A fact as the store knows it: in which control plane, who said so, and when we learnt it. */
export interface KnownFact extends TopologyFact {
  readonly controlPlane: string;
  readonly connection: string;
  readonly sourceId: string;
  readonly recordedAt: Instant;
  /**
   * Where the store gives a change point (the first of a run of equal observations): when the run was
   * last seen. What held between there and the next run is not known.
   */
  readonly lastAt?: Instant;
}
