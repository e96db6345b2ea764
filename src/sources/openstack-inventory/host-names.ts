import type { Instant } from "../../model/instant.ts";
import type { TopologyFact } from "../../model/topology.ts";
import { fact, ref } from "./item.ts";

const nodeId = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/**
 * What monitors may call one of the cloud's own hosts. A guest chooses its own host name, so that what is told of the
 * provider's host would else be told to whoever calls a server so.
 */
export function hostNames(host: string, name: string | undefined, seenAt: Instant): readonly TopologyFact[] {
  const full = name?.toLowerCase();
  // Bare metal's nodes are called by their ids, many to a host.
  if (full === undefined || nodeId.test(full)) return [];
  return [...new Set([full, full.split(".")[0]!])].flatMap((one) =>
    fact(ref("host", host), "known_as", "hostname", one, seenAt),
  );
}
