import type { JsonObject } from "../../model/json.ts";
import type { DropLimit } from "../cursor/listing-diff.ts";
import { neverEmpty, usualDrop } from "../cursor/listing-diff.ts";
import type { Kept, Remember } from "./health.ts";
import { agentHealth, rememberHealth, serviceHealth, serviceName } from "./health.ts";
import { text } from "./item.ts";
import { addressesOfPort } from "./port-addresses.ts";
import { assignmentKey, assignmentOf } from "./role-assignment.ts";
import type { ServiceName } from "./settings.ts";
import { isSettled } from "./status-events.ts";

/** One listing of one API, and how it is read. */
export interface Listing {
  readonly name: string;
  readonly service: ServiceName;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** The field of the answer that holds the items. */
  readonly key: string;
  /** Read in every pass, or only as often as whole inventories are. */
  readonly every: "pass" | "full";
  /** How following pages are found: by the answer's links, by counting, or not at all. */
  readonly paging: "links" | "offset" | "none";
  /** Whether `changes-since` narrows it: from the second pass on, or always (to `look_back_hours` at first). */
  readonly since?: "later" | "always";
  readonly firstPassOnly?: true;
  readonly remember?: Remember;
  /** Set where an item that two listings in a row lack is itself news: when so many are missing that it is not believed. */
  readonly reportsGone?: DropLimit;
  /**
   * Set where each item is remembered by its id, so that what vanishes is noticed, up to `idsMax` of them; `statuses`
   * where items on their way to another status are remembered beyond that.
   */
  readonly remembersAll?: "ids" | "statuses";
  /** True where several items stand for one thing, so that there are fewer ids than items. */
  readonly countsPairs?: true;
}

const byId = (item: JsonObject): string | undefined => text(item, "id");

/** A longer listing than this would make the cursor too large: only what is on its way is remembered of it then. */
export const idsMax = 10_000;

/** Remembers that a thing was there, and the status of what is on its way to another, so that its arrival is noticed. */
const rememberThing: Remember = (item) => {
  const id = text(item, "id");
  const status = text(item, "status");
  if (id === undefined) return undefined;
  return { id, state: status === undefined || isSettled(status) ? [] : [status] };
};

const rememberId: Remember = (item) => {
  const id = text(item, "id");
  return id === undefined ? undefined : { id, state: [] };
};

/** What a port's addresses were, so that one that it has no longer is noticed. */
const rememberPort: Remember = (item) => {
  const id = text(item, "id");
  return id === undefined ? undefined : { id, state: addressesOfPort(item) };
};

const rememberFloatingIp: Remember = (item) => {
  const id = text(item, "id");
  const address = text(item, "floating_ip_address")?.toLowerCase();
  return id === undefined ? undefined : { id, state: address === undefined ? [] : [address] };
};

const rememberAssignment: Remember = (item) => {
  const assigned = assignmentOf(item);
  return assigned === undefined ? undefined : { id: assignmentKey(assigned), state: [] };
};

/** A transfer vanishes when it is accepted or cancelled; what it was about has to be known then. */
const rememberTransfer: Remember = (item) => {
  const id = text(item, "id");
  const fields: readonly Kept[] = ["volume_id", "name", "source_project_id"].map(
    (field) => text(item, field) ?? null,
  );
  return id === undefined ? undefined : { id, state: fields };
};

function whole(
  name: string,
  service: ServiceName,
  path: string,
  key: string,
  more: Partial<Listing> = {},
): Listing {
  return { name, service, path, key, query: {}, every: "full", paging: "links", ...more };
}

/** An inventory whose things all vanish was asked with a narrower scope. */
export const thingsDrop: DropLimit = { ...usualDrop, emptiedMin: 5 };

/** A listing whose items are things that can be deleted, of which nobody else may tell. */
function things(
  name: string,
  service: ServiceName,
  path: string,
  key: string,
  more: Partial<Listing> = {},
): Listing {
  return whole(name, service, path, key, {
    remember: rememberId,
    reportsGone: thingsDrop,
    remembersAll: "ids",
    ...more,
  });
}

const allTenants = { query: { all_tenants: "1" } } as const;

/** Every listing, in the order of a pass: owners before what they own. */
export const listings: readonly Listing[] = [
  things("domains", "identity", "/domains", "domains", { paging: "none" }),
  things("projects", "identity", "/projects", "projects", { paging: "none" }),
  things("users", "identity", "/users", "users", { paging: "none" }),
  things("groups", "identity", "/groups", "groups", { paging: "none" }),
  things("role-assignments", "identity", "/role_assignments", "role_assignments", {
    paging: "none",
    remember: rememberAssignment,
    countsPairs: true,
  }),
  // Keystone itself expands groups and inheritance here, and tells by which membership.
  things("role-assignments-effective", "identity", "/role_assignments", "role_assignments", {
    query: { effective: "true" },
    paging: "none",
    remember: rememberAssignment,
    countsPairs: true,
  }),
  whole("services", "compute", "/os-services", "services", {
    every: "pass",
    paging: "none",
    remember: rememberHealth(serviceHealth, byId),
    reportsGone: neverEmpty,
  }),
  whole("hypervisors", "compute", "/os-hypervisors/detail", "hypervisors", {
    every: "pass",
    remember: rememberHealth(serviceHealth, byId),
  }),
  whole("aggregates", "compute", "/os-aggregates", "aggregates", { paging: "none" }),
  things("server-groups", "compute", "/os-server-groups", "server_groups", {
    query: { all_projects: "true" },
    paging: "offset",
  }),
  whole("servers", "compute", "/servers/detail", "servers", { ...allTenants, every: "pass", since: "later" }),
  whole("servers-deleted", "compute", "/servers/detail", "servers", {
    query: { all_tenants: "1", deleted: "true" },
    every: "pass",
    since: "always",
    firstPassOnly: true,
  }),
  whole("migrations", "compute", "/os-migrations", "migrations", { every: "pass", since: "always" }),
  whole("volume-services", "block-storage", "/os-services", "services", {
    every: "pass",
    paging: "none",
    remember: rememberHealth(serviceHealth, serviceName),
    reportsGone: neverEmpty,
  }),
  things("volumes", "block-storage", "/volumes/detail", "volumes", {
    ...allTenants,
    remember: rememberThing,
    remembersAll: "statuses",
  }),
  things("snapshots", "block-storage", "/snapshots/detail", "snapshots", {
    ...allTenants,
    remember: rememberThing,
    remembersAll: "statuses",
  }),
  things("backups", "block-storage", "/backups/detail", "backups", {
    ...allTenants,
    remember: rememberThing,
    remembersAll: "statuses",
  }),
  whole("transfers", "block-storage", "/volume-transfers/detail", "transfers", {
    ...allTenants,
    remember: rememberTransfer,
    reportsGone: usualDrop,
  }),
  whole("agents", "network", "/agents", "agents", {
    every: "pass",
    paging: "none",
    remember: rememberHealth(agentHealth, byId),
    reportsGone: neverEmpty,
  }),
  things("networks", "network", "/networks", "networks"),
  things("subnets", "network", "/subnets", "subnets"),
  things("routers", "network", "/routers", "routers"),
  things("ports", "network", "/ports", "ports", { remember: rememberPort }),
  things("floating-ips", "network", "/floatingips", "floatingips", { remember: rememberFloatingIp }),
  things("images", "image", "/images", "images", { remember: rememberThing, remembersAll: "statuses" }),
];

export function listingNamed(name: string): Listing | undefined {
  return listings.find((listing) => listing.name === name);
}
