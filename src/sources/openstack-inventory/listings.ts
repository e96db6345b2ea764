import type { JsonObject } from "../../model/json.ts";
import type { DropLimit } from "../cursor/listing-diff.ts";
import { neverEmpty, usualDrop } from "../cursor/listing-diff.ts";
import type { Kept, Remember } from "./health.ts";
import { agentHealth, rememberHealth, serviceHealth, serviceName } from "./health.ts";
import { text } from "./item.ts";
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
}

const byId = (item: JsonObject): string | undefined => text(item, "id");

/** Remembers what is on its way to another status, so that its arrival is noticed. */
const rememberUnsettled: Remember = (item) => {
  const id = text(item, "id");
  const status = text(item, "status");
  return id === undefined || status === undefined || isSettled(status) ? undefined : { id, state: [status] };
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

const allTenants = { query: { all_tenants: "1" } } as const;

/** Every listing, in the order of a pass: owners before what they own. */
export const listings: readonly Listing[] = [
  whole("domains", "identity", "/domains", "domains", { paging: "none" }),
  whole("projects", "identity", "/projects", "projects", { paging: "none" }),
  whole("users", "identity", "/users", "users", { paging: "none" }),
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
  whole("server-groups", "compute", "/os-server-groups", "server_groups", {
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
  whole("volumes", "block-storage", "/volumes/detail", "volumes", {
    ...allTenants,
    remember: rememberUnsettled,
  }),
  whole("snapshots", "block-storage", "/snapshots/detail", "snapshots", {
    ...allTenants,
    remember: rememberUnsettled,
  }),
  whole("backups", "block-storage", "/backups/detail", "backups", {
    ...allTenants,
    remember: rememberUnsettled,
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
  whole("networks", "network", "/networks", "networks"),
  whole("subnets", "network", "/subnets", "subnets"),
  whole("routers", "network", "/routers", "routers"),
  whole("ports", "network", "/ports", "ports"),
  whole("floating-ips", "network", "/floatingips", "floatingips"),
  whole("images", "image", "/images", "images", { remember: rememberUnsettled }),
];

export function listingNamed(name: string): Listing | undefined {
  return listings.find((listing) => listing.name === name);
}
