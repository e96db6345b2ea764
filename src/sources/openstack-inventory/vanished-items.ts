import type { EntityKind } from "../../model/entity.ts";
import type { TopologyFact } from "../../model/topology.ts";
import type { InventoryRecord } from "./inventory-record.ts";
import { fact, needText, ref } from "./item.ts";
import { addressRef } from "./port-addresses.ts";
import { parseAssignmentKey } from "./role-assignment.ts";

/** The listings whose items can vanish: what they list, and the service that has deleted it, by its type in the catalog. */
const vanishing: Readonly<Record<string, readonly [kind: EntityKind, service: string]>> = {
  domains: ["domain", "identity"],
  projects: ["project", "identity"],
  users: ["user", "identity"],
  groups: ["group", "identity"],
  "server-groups": ["server_group", "compute"],
  volumes: ["volume", "block-storage"],
  snapshots: ["snapshot", "block-storage"],
  backups: ["backup", "block-storage"],
  networks: ["network", "network"],
  subnets: ["subnet", "network"],
  routers: ["router", "network"],
  ports: ["port", "network"],
  "floating-ips": ["floating_ip", "network"],
  images: ["image", "image"],
};

const assignmentListings: ReadonlySet<string> = new Set(["role-assignments", "role-assignments-effective"]);

/** What is proven by two complete listings that lack an item; undefined where the listing's own reader tells. */
export function readVanished(record: InventoryRecord): readonly TopologyFact[] | undefined {
  const { listing, item, seenAt } = record;
  if (record.gone !== true) return undefined;
  const id = needText(item, "id");
  if (assignmentListings.has(listing)) {
    const { account, place } = parseAssignmentKey(id);
    return fact(account, "works_in", place.kind, place.id, seenAt, false);
  }
  if (!Object.hasOwn(vanishing, listing)) return undefined;
  const [kind, service] = vanishing[listing]!;
  return [
    ...fact(ref(kind, id), "removed_from", "component", service, seenAt),
    ...(listing === "ports" || listing === "floating-ips" ? lostAddresses(record, kind, []) : []),
  ];
}

/** That a thing which the listing before lacked is there: it is new, or it was only out of sight. */
export function readReturned({
  listing,
  item,
  previous,
  previousSeenAt,
  seenAt,
}: InventoryRecord): readonly TopologyFact[] {
  if (previous !== undefined || previousSeenAt === undefined || !Object.hasOwn(vanishing, listing)) return [];
  const [kind, service] = vanishing[listing]!;
  return fact(ref(kind, needText(item, "id")), "removed_from", "component", service, seenAt, false);
}

/** The addresses that the thing had in the listing before and has no longer. */
export function lostAddresses(
  { item, previous = [], seenAt }: InventoryRecord,
  kind: EntityKind,
  has: readonly string[],
): readonly TopologyFact[] {
  const owner = ref(kind, needText(item, "id"));
  return previous.flatMap((address) => {
    if (typeof address !== "string" || has.includes(address)) return [];
    const to = addressRef(address);
    return fact(owner, "has_address", to.kind, to.id, seenAt, false);
  });
}
