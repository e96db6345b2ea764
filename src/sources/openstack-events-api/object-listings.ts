/** One listing of Octavia's API v2, and what its objects are called in events. */
export interface ObjectListing {
  readonly name: string;
  readonly path: string;
  readonly key: string;
  /** Also the kind of the entity. */
  readonly stem: string;
  readonly label: string;
  /** Whether its `updated_at` moves only with what was done to it: those of listeners and pools follow their balancer's. */
  readonly tellsUpdates: boolean;
}

/** In the order of a pass: pools before the members that are listed under them. */
export const objectListings: readonly ObjectListing[] = [
  {
    name: "load-balancers",
    path: "/lbaas/loadbalancers",
    key: "loadbalancers",
    stem: "load_balancer",
    label: "Load balancer",
    tellsUpdates: true,
  },
  {
    name: "listeners",
    path: "/lbaas/listeners",
    key: "listeners",
    stem: "listener",
    label: "Listener",
    tellsUpdates: false,
  },
  { name: "pools", path: "/lbaas/pools", key: "pools", stem: "pool", label: "Pool", tellsUpdates: false },
  { name: "members", path: "", key: "members", stem: "member", label: "Member", tellsUpdates: true },
  {
    name: "health-monitors",
    path: "/lbaas/healthmonitors",
    key: "healthmonitors",
    stem: "health_monitor",
    label: "Health monitor",
    tellsUpdates: true,
  },
  {
    name: "amphorae",
    path: "/octavia/amphorae",
    key: "amphorae",
    stem: "amphora",
    label: "Amphora",
    tellsUpdates: false,
  },
];

export function objectListingNamed(name: string): ObjectListing | undefined {
  return objectListings.find((listing) => listing.name === name);
}
