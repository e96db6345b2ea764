import type { z } from "zod";
import type { EventDraft, Observation } from "../model/event.ts";
import { duration } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import type { TopologyFact } from "../model/topology.ts";
import { readCluster, readObjectStore } from "./openstack-notifications/cadf-services.ts";
import { readAudit } from "./openstack-notifications/audit.ts";
import {
  readCinder,
  readCinderPlatform,
  readVolumeScheduling,
  readVolumeTypeAccess,
} from "./openstack-notifications/cinder.ts";
import { notificationsConfig } from "./openstack-notifications/config.ts";
import { readDesignate } from "./openstack-notifications/designate.ts";
import { readEstateService } from "./openstack-notifications/estate-services.ts";
import { consumeNotifications } from "./openstack-notifications/consume.ts";
import { heartbeatMs } from "./openstack-notifications/queue-watch.ts";
import type { OsloMessage } from "./openstack-notifications/envelope.ts";
import { contextActor, operationOf, readEnvelope } from "./openstack-notifications/envelope.ts";
import { text, tidyPayload } from "./openstack-notifications/fields.ts";
import { readGlance } from "./openstack-notifications/glance.ts";
import { readHeat } from "./openstack-notifications/heat.ts";
import { readKeystone } from "./openstack-notifications/keystone.ts";
import {
  readException,
  readInstance,
  readKeypair,
  readScheduling,
  readServerGroup,
} from "./openstack-notifications/nova.ts";
import { readPlatform } from "./openstack-notifications/nova-platform.ts";
import { readNeutron } from "./openstack-notifications/neutron.ts";
import { readOtherService, readUnknown } from "./openstack-notifications/other-services.ts";
import type { Reader, Reading } from "./openstack-notifications/reading.ts";
import { fact, ref } from "./openstack-notifications/reading.ts";
import type { Decoders, RawRecord, SourceFile, StreamSource } from "./source.ts";

/** Asked in this order; the first that knows the type reads it. */
const readers: readonly Reader[] = [
  readAudit,
  readInstance,
  readScheduling,
  readKeypair,
  readServerGroup,
  readPlatform,
  readException,
  readKeystone,
  readGlance,
  readHeat,
  readDesignate,
  readCluster,
  readObjectStore,
  readEstateService,
  readOtherService,
  readCinder,
  readVolumeTypeAccess,
  readVolumeScheduling,
  readCinderPlatform,
  readNeutron,
];

/** The longest time that Nova was seen to take between its two reports of one occurrence, with room to spare. */
const twinWithin = duration(3000);

function normalise(record: RawRecord, decode: Decoders): Observation {
  const message = readEnvelope(record, decode);
  const reading =
    readers.reduce<Reading | undefined>((found, read) => found ?? read(message), undefined) ??
    readUnknown(message);
  const draft = makeDraft(message, reading);
  return { events: [draft], facts: makeFacts(message, reading, draft) };
}

function makeDraft(message: OsloMessage, reading: Reading): EventDraft {
  const {
    facts: _facts,
    removedFrom: _removedFrom,
    conceal = [],
    twinOf,
    twinSide,
    actor: readActor,
    operation: readOperation,
    details,
    ...rest
  } = reading;
  const actor = readActor === undefined ? contextActor(message) : { ...contextActor(message), ...readActor };
  const operation = readOperation ?? operationOf(message);
  const group =
    twinOf === undefined
      ? undefined
      : `${twinSide === undefined ? "nova" : "twice"}|${twinOf}|${operation?.requestId ?? "-"}`;
  return {
    ...rest,
    key: group ?? message.messageId,
    sourceIds: [message.messageId],
    occurredAt: message.occurredAt,
    precision: duration(0),
    severity: reading.severity ?? "info",
    visibility: reading.visibility ?? "operational",
    related: reading.related ?? [],
    ...(actor === undefined ? {} : { actor }),
    ...(operation === undefined ? {} : { operation }),
    ...(group === undefined
      ? {}
      : {
          twin: { group, side: twinSide ?? (message.versioned ? "versioned" : "legacy"), within: twinWithin },
        }),
    details: {
      source_type: message.eventType,
      publisher: message.publisherId,
      ...details,
      payload: tidyPayload(
        Object.fromEntries(Object.entries(message.payload).filter(([field]) => !conceal.includes(field))),
      ),
    } as JsonObject,
  };
}

/** The reader's facts, plus what every message proves about its request, its user and its project. */
function makeFacts(message: OsloMessage, reading: Reading, draft: EventDraft): readonly TopologyFact[] {
  const drafts = [...(reading.facts ?? [])];
  // Only the id that the service itself made: a global request id is the caller's choice, and may be anybody's.
  const requestId = draft.operation?.requestId;
  if (draft.stated?.owner.kind === "project" && requestId !== undefined) {
    drafts.push(fact(ref("request", requestId), "concerns", draft.stated.owner));
  }
  const context = message.context;
  const pairs = [
    ["user", "user_id", "owned_by", "user_domain"],
    ["project", "project_id", "part_of", "project_domain"],
  ] as const;
  for (const [kind, id, relation, domain] of pairs) {
    const from = text(context, id);
    const to = text(context, domain);
    if (from !== undefined && to !== undefined)
      drafts.push(fact(ref(kind, from), relation, ref("domain", to)));
  }
  if (reading.removedFrom !== undefined && reading.subject.kind !== "request") {
    drafts.push(fact(reading.subject, "removed_from", ref("component", reading.removedFrom)));
  }
  return drafts.map((item) => ({ at: message.occurredAt, ...item }));
}

async function* splitFile(file: SourceFile): AsyncIterable<RawRecord> {
  for await (const line of file.lines()) {
    yield {
      bytes: line.bytes,
      position: `line ${line.number}`,
      receivedAt: file.modifiedAt,
      meta: line.tooLarge ? { file: file.name, too_large: true } : { file: file.name },
    };
  }
}

export const openstackNotifications: StreamSource = {
  name: "openstack-notifications",
  title: "OpenStack notifications",
  summary:
    "What the OpenStack services announce over oslo.messaging: Nova (both formats), Cinder, Neutron, Glance, Heat, Keystone and the audit filter, live from RabbitMQ or from a capture.",
  delivery: "stream",
  contract: {
    identity:
      "oslo `message_id`; Nova's two reports of one occurrence share type, instance, request and order",
    version: "a message never changes",
    ordering: "unsorted",
    commitDelayMax: duration(60_000),
    clockErrorMax: duration(5_000),
    delivery: "push",
    revisions: "never",
    completeness: "read",
    blindSpots:
      "Services send at most once, and nothing at all until messagingv2 is configured; no notification says that a host died.",
  },
  config: notificationsConfig as unknown as z.ZodType<JsonObject>,
  normalise,
  splitFile,
  consume: consumeNotifications,
  heartbeatMs,
};
