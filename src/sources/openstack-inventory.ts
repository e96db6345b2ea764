import type { z } from "zod";
import { IsochronError } from "../errors.ts";
import type { Observation } from "../model/event.ts";
import { duration } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import {
  readAggregate,
  readComputeService,
  readHypervisor,
  readServer,
  readServerGroup,
} from "./openstack-inventory/compute-items.ts";
import {
  readDomain,
  readGroup,
  readProject,
  readRoleAssignment,
  readUser,
} from "./openstack-inventory/identity-items.ts";
import { readImage } from "./openstack-inventory/image-items.ts";
import type { InventoryCursor } from "./openstack-inventory/inventory-cursor.ts";
import { inventoryCursor } from "./openstack-inventory/inventory-cursor.ts";
import type { InventoryRecord } from "./openstack-inventory/inventory-record.ts";
import { readRecord } from "./openstack-inventory/inventory-record.ts";
import {
  readAgent,
  readFloatingIp,
  readNetwork,
  readPort,
  readRouter,
  readSubnet,
} from "./openstack-inventory/network-items.ts";
import { readMigration, readServerAction } from "./openstack-inventory/operation-items.ts";
import { fetchInventory, startInventoryAt } from "./openstack-inventory/pass.ts";
import { inventorySettings } from "./openstack-inventory/settings.ts";
import {
  readBackup,
  readSnapshot,
  readTransfer,
  readVolume,
  readVolumeService,
} from "./openstack-inventory/storage-items.ts";
import { readReturned, readVanished } from "./openstack-inventory/vanished-items.ts";
import type { Decoders, PullSource, RawRecord } from "./source.ts";

/** Who reads the items of which listing. */
const readers: Readonly<Record<string, (record: InventoryRecord, decode: Decoders) => Observation>> = {
  domains: readDomain,
  projects: readProject,
  users: readUser,
  groups: readGroup,
  "role-assignments": readRoleAssignment,
  "role-assignments-effective": readRoleAssignment,
  services: readComputeService,
  hypervisors: readHypervisor,
  aggregates: readAggregate,
  "server-groups": readServerGroup,
  servers: readServer,
  "servers-deleted": readServer,
  "server-actions": readServerAction,
  migrations: readMigration,
  "volume-services": readVolumeService,
  volumes: readVolume,
  snapshots: readSnapshot,
  backups: readBackup,
  transfers: readTransfer,
  agents: readAgent,
  networks: readNetwork,
  subnets: readSubnet,
  routers: readRouter,
  ports: readPort,
  "floating-ips": readFloatingIp,
  images: readImage,
};

function normalise(raw: RawRecord, decode: Decoders): Observation {
  const record = readRecord(raw, decode);
  const read = Object.hasOwn(readers, record.listing) ? readers[record.listing] : undefined;
  const vanished = readVanished(record);
  if (vanished !== undefined) return { events: [], facts: vanished };
  if (read !== undefined) {
    const { events, facts } = read(record, decode);
    return { events, facts: [...facts, ...readReturned(record)] };
  }
  throw new IsochronError(
    "record-invalid",
    `Nobody reads the listing ${record.listing}.`,
    "Update Isochron.",
  );
}

export const openstackInventory: PullSource<InventoryCursor> = {
  name: "openstack-inventory",
  title: "OpenStack inventory",
  summary:
    "What stands where and whose it is, and the changes that only looking can see (a host falling silent, a stopped agent), polled from Keystone, Nova, Cinder, Neutron and Glance with clouds.yaml credentials.",
  delivery: "pull",
  contract: {
    identity:
      "immutable id with the value that was seen: server, request id and outcome of an action; uuid and status of a migration; service id and last heartbeat of a silence",
    version: "`updated_at`, heartbeat or status; an item that repeats them is a repetition",
    ordering: "unsorted",
    commitDelayMax: duration(300_000),
    clockErrorMax: duration(5_000),
    delivery: "pull",
    revisions: "allowed",
    blindSpots:
      "What happened and was undone between two passes is not seen; services tell when they were last heard of, not when they failed; detached volumes are not inferred from absence, and of listings of more than 10,000 items neither are deletions; users of domains with identity drivers of their own are not listed.",
  },
  config: inventorySettings as unknown as z.ZodType<JsonObject>,
  cursor: inventoryCursor,
  fetch: fetchInventory,
  startAt: startInventoryAt,
  normalise,
};
