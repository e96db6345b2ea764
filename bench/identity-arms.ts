import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../src/config.ts";
import { createLog } from "../src/log.ts";
import { openIsochron } from "../src/main.ts";
import type { StoredEvent } from "../src/model/event.ts";
import { instant } from "../src/model/instant.ts";
import type { TopologyFact } from "../src/model/topology.ts";
import { readEvents } from "./stored-events.ts";
import type { IdentityData, IdentityRecord, InventoryRow } from "./identity-data.ts";

export const identityArms = ["stream only", "inventory first", "inventory after"] as const;
export type IdentityArm = (typeof identityArms)[number];

/**
 * Runs one arm in a store of its own: each region is a control plane with a connection of its own, and its lines are
 * imported as a file. Gives every event by each line that it stands for.
 */
export async function runIdentityArm(
  data: IdentityData,
  arm: IdentityArm,
): Promise<ReadonlyMap<string, StoredEvent>> {
  const folder = await mkdtemp(join(tmpdir(), "isochron-bench-"));
  const configFile = join(folder, "isochron.yaml");
  await writeFile(configFile, JSON.stringify(configOf(data)));
  const config = loadConfig({
    env: {},
    flags: { config: configFile, data: join(folder, "data"), log_level: "error" },
  });
  const log = createLog({ level: "error", format: "json", colour: false });
  const isochron = await openIsochron(config, log, { version: "bench" });
  try {
    if (arm === "inventory first") await stateInventory(isochron, data);
    for (const region of data.regions) {
      const path = join(folder, "stream.jsonl");
      const own = data.records.filter((record) => record.region === region);
      await writeFile(path, own.map(({ line }) => `${line}\n`).join(""));
      await isochron.importFile({
        source: "openstack-logs",
        connection: connectionOf(region),
        controlPlane: controlPlaneOf(region),
        path,
      });
    }
    if (arm === "inventory after") await stateInventory(isochron, data);
    return await readEvents(isochron, data.regions.map(connectionOf));
  } finally {
    await isochron.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Each record is judged by itself, so that none may be folded into a storm of its kind. */
function configOf({ regions }: IdentityData): object {
  return {
    connections: regions.map((region) => ({
      name: connectionOf(region),
      source: "openstack-logs",
      control_plane: controlPlaneOf(region),
      storm_threshold: 0,
    })),
  };
}

function connectionOf(region: string): string {
  return `openstack-logs@${controlPlaneOf(region)}`;
}

/** A region's name as a control plane may be called. */
function controlPlaneOf(region: string): string {
  return region
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "r")
    .slice(0, 40);
}

/** What `openstack-inventory` would state of the rows, in a connection of that source for each region. */
async function stateInventory(
  isochron: Awaited<ReturnType<typeof openIsochron>>,
  { records, inventory = [] }: IdentityData,
): Promise<void> {
  const regions = [...new Set(inventory.map(({ region }) => region))];
  for (const region of regions) {
    const name = `openstack-inventory@${controlPlaneOf(region)}`;
    const rows = inventory.filter((row) => row.region === region);
    const at = beginning(records.filter((record) => record.region === region));
    await isochron.store.events.connect({
      name,
      source: "openstack-inventory",
      controlPlane: controlPlaneOf(region),
      config: {},
    });
    await isochron.store.events.append({
      connection: name,
      stream: "inventory",
      controlPlane: controlPlaneOf(region),
      events: [],
      facts: rows.flatMap((row) =>
        factsOfRow(row, at).map((fact) => ({ ...fact, sourceId: `${row.kind} ${row.id}` })),
      ),
      rejects: [],
    });
    // It holds no record that was set aside; what waits for the facts is answered anew behind it.
    await isochron.replaySetAside(name);
  }
}

function beginning(records: readonly IdentityRecord[]): number {
  return records.reduce((first, { at }) => (at < first ? at : first), Date.UTC(2100, 0));
}

/**
 * A floating IP's name is its address, as Neutron's API lists it. It is not stated: addresses go from one floating IP to
 * the next within a stream, and the rows do not tell when.
 */
function factsOfRow({ kind, id, name, projectId }: InventoryRow, at: number): readonly TopologyFact[] {
  const stated = { from: { kind, id }, at: instant(at), holds: true };
  const owned = { ...stated, relation: "owned_by", to: { kind: "project", id: projectId } } as const;
  return name === undefined || kind === "floating_ip"
    ? [owned]
    : [owned, { ...stated, relation: "named", to: { kind: "name", id: name } }];
}
