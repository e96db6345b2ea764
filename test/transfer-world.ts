import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { instant, type Instant } from "../src/model/instant.ts";
import type { JsonObject } from "../src/model/json.ts";
import { decoders } from "../src/normalise/decode.ts";
import { ingest, type Stages } from "../src/pipeline/ingest.ts";
import { reattribute } from "../src/pipeline/reattribute.ts";
import { findWhatElse } from "../src/pipeline/what-else.ts";
import { buildTopologyView } from "../src/resolve/topology-view.ts";
import { cloudevents } from "../src/sources/cloudevents.ts";
import { writeRecord } from "../src/sources/openstack-inventory/inventory-record.ts";
import { openstackInventory } from "../src/sources/openstack-inventory.ts";
import { openstackNotifications } from "../src/sources/openstack-notifications.ts";
import type { RawRecord, Source } from "../src/sources/source.ts";
import type { TokenScope } from "../src/store/token-store.ts";
import { startApi } from "./api-host.ts";
import { hashOf, tokenText } from "./api-world.ts";
import { openTestStore, type TestStore } from "./database.ts";
import { stagesOver } from "./stages.ts";

interface Fixture {
  readonly messages: readonly (JsonObject & { message_id: string; event_type: string; timestamp: string })[];
  readonly volume: JsonObject & { id: string };
  readonly projects: readonly (JsonObject & { id: string; domain_id: string })[];
  readonly domains: readonly (JsonObject & { id: string })[];
}

const fixture = JSON.parse(
  readFileSync(new URL("volume-transfer.fixture.json", import.meta.url), "utf8"),
) as Fixture;

export const controlPlane = "region-1";
export const volumeId = fixture.volume.id;
/** The donor and the recipient, both named `prod`, in two domains. */
export const [donor, recipient] = [
  ownerOf("volume.transfer.accept.start"),
  ownerOf("volume.transfer.accept.end"),
];

function ownerOf(type: string): { readonly projectId: string; readonly domainId: string } {
  const payload = messageOf(type)["payload"] as JsonObject;
  const project = fixture.projects.find(({ id }) => id === payload["tenant_id"]);
  if (project === undefined) throw new Error(`the fixture does not list the owner in ${type}`);
  return { projectId: project.id, domainId: project.domain_id };
}

function messageOf(type: string): Fixture["messages"][number] {
  const found = fixture.messages.find((message) => message.event_type === type);
  if (found === undefined) throw new Error(`the fixture has no ${type}`);
  return found;
}

/** Something that arrives: records of one source. */
export interface Arrival {
  readonly source: Source;
  readonly records: readonly RawRecord[];
}

const at = (time: string): Instant => instant(Date.parse(`2026-11-21T${time}Z`));

function notified(...messages: readonly JsonObject[]): Arrival {
  return {
    source: openstackNotifications,
    records: messages.map((message) => ({
      bytes: Buffer.from(JSON.stringify({ "oslo.version": "2.0", "oslo.message": JSON.stringify(message) })),
      position: `delivery of ${String(message["message_id"])}`,
      receivedAt: at("01:30:00"),
      meta: {},
    })),
  };
}

function listed(listing: string, seenAt: Instant, ...items: readonly JsonObject[]): Arrival {
  return {
    source: openstackInventory,
    records: items.map((item, index) =>
      writeRecord({ listing, item, seenAt }, `GET ${listing} at ${seenAt} #${index}`),
    ),
  };
}

/** An alert that knows the volume's id and nothing of any owner. */
export function alertAt(time: string, subject = `volume/${volumeId}`): Arrival {
  const body = {
    specversion: "1.0",
    id: `alert-${time}`,
    source: "/monitoring",
    type: "volume.latency.high",
    time: `2026-11-21T${time}Z`,
    isochronsubject: subject,
    isochronkind: "symptom",
  };
  const request = {
    headers: { "content-type": "application/cloudevents+json" },
    body: Buffer.from(JSON.stringify(body)),
    receivedAt: at("01:30:00"),
  };
  return { source: cloudevents, records: cloudevents.split(request, decoders) };
}

const owned = (projectId: string): JsonObject => ({
  ...fixture.volume,
  "os-vol-tenant-attr:tenant_id": projectId,
});

/** All that is ever told of the volume, by name. */
export const arrivals = {
  create: notified(messageOf("volume.create.start"), messageOf("volume.create.end")),
  offer: notified(messageOf("volume.transfer.create.end")),
  acceptStart: notified(messageOf("volume.transfer.accept.start")),
  acceptEnd: notified(messageOf("volume.transfer.accept.end")),
  snapshot: notified(messageOf("snapshot.create.end")),
  alertBefore: alertAt("01:14:54.500"),
  alertAfter: alertAt("01:15:10.000"),
  listedBefore: listed("volumes", at("01:14:54.600"), owned(donor.projectId)),
  listedAfter: listed("volumes", at("01:20:00"), owned(recipient.projectId)),
  projects: listed("projects", at("01:00:00"), ...fixture.projects),
  domains: listed("domains", at("01:00:00"), ...fixture.domains),
} satisfies Record<string, Arrival>;

/** Keystone's list at a moment in which the donor's project stood in the recipient's domain. */
export function projectsMovedAt(time: string): Arrival {
  const moved = fixture.projects.map((project) =>
    project.id === donor.projectId ? { ...project, domain_id: recipient.domainId } : project,
  );
  return listed("projects", at(time), ...moved);
}

/** A volume that the project makes at a moment. */
export function createdAt(time: string, projectId: string): Arrival {
  const message = messageOf("volume.create.end");
  const id = `made-at-${time}`;
  return notified({
    ...message,
    message_id: id,
    timestamp: `2026-11-21 ${time}.000000`,
    payload: { ...(message["payload"] as JsonObject), tenant_id: projectId, volume_id: id },
  });
}

/** Something new for either tenant, whose arrival on a stream tells that all before it has come. */
export function markerOf(projectId: string): Arrival {
  const message = messageOf("volume.create.end");
  const id = `marker-of-${projectId}`;
  const payload = { ...(message["payload"] as JsonObject), tenant_id: projectId, volume_id: id };
  return notified({ ...message, message_id: id, timestamp: "2026-11-21 01:29:00.000000", payload });
}

const scopes: Readonly<Record<string, TokenScope>> = {
  provider: { kind: "provider" },
  donor: { kind: "project", controlPlane, projectId: donor.projectId },
  recipient: { kind: "project", controlPlane, projectId: recipient.projectId },
  "donor's domain": { kind: "domain", controlPlane, domainId: donor.domainId },
  "recipient's domain": { kind: "domain", controlPlane, domainId: recipient.domainId },
};

/** A store of its own with the API listening over it. */
export class TransferWorld {
  readonly #database: TestStore;
  readonly stages: Stages;
  readonly api: FastifyInstance;
  readonly port: number;

  private constructor(database: TestStore, stages: Stages, api: FastifyInstance) {
    this.#database = database;
    this.stages = stages;
    this.api = api;
    this.port = (api.server.address() as AddressInfo).port;
  }

  static async open(): Promise<TransferWorld> {
    const database = await openTestStore();
    const { store } = database;
    const stages = stagesOver(store);
    for (const { name } of [openstackNotifications, openstackInventory, cloudevents]) {
      await store.events.connect({ name, source: name, controlPlane, config: {} });
    }
    for (const [name, scope] of Object.entries(scopes)) {
      await store.tokens.create({ name, hash: hashOf(tokenText(name)), scope });
    }
    const { reader, correlation } = store;
    const api = await startApi(store, {
      clock: () => at("01:30:00"),
      whatElse: (scope, question) =>
        findWhatElse({ reader, correlation, buildView: buildTopologyView }, scope, question),
      limits: { liveHeartbeatMs: 50 },
    });
    await api.listen({ host: "127.0.0.1", port: 0 });
    return new TransferWorld(database, stages, api);
  }

  /** Takes in what arrives, and answers anew for what it changes. */
  async take(...arrived: readonly Arrival[]): Promise<void> {
    for (const { source, records } of arrived) {
      const connection = { name: source.name, source: source.name, controlPlane };
      await ingest(this.stages, { connection, source, stream: "main", records });
      await reattribute(this.stages);
    }
  }

  async close(): Promise<void> {
    await this.api.close();
    await this.#database.close();
  }
}
