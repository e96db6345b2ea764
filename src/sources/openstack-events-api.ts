import type { z } from "zod";
import type { Observation } from "../model/event.ts";
import type { JsonObject } from "../model/json.ts";
import { readRecord } from "./openstack-events-api/event-record.ts";
import type { EventsApiCursor } from "./openstack-events-api/events-cursor.ts";
import { eventsApiCursor } from "./openstack-events-api/events-cursor.ts";
import { readObject } from "./openstack-events-api/object-event.ts";
import { commitDelayMs, fetchEventsApi, startEventsApiAt } from "./openstack-events-api/pass.ts";
import { eventsApiSettings } from "./openstack-events-api/settings.ts";
import { readStackEvent } from "./openstack-events-api/stack-event.ts";
import { clockErrorMs } from "./openstack-events-api/stack-events.ts";
import type { Decoders, PullSource, RawRecord } from "./source.ts";

function normalise(raw: RawRecord, decode: Decoders): Observation {
  const record = readRecord(raw, decode);
  return record.part === "stack-event" ? readStackEvent(record, decode) : readObject(record, decode);
}

/** Heat's orchestration API v1 and Octavia's load balancer API v2. */
export const openstackEventsApi: PullSource<EventsApiCursor> = {
  name: "openstack-events-api",
  title: "OpenStack events APIs",
  summary:
    "What Heat notes of every resource of every stack, and the states of load balancers and all their parts, polled from Heat and Octavia with clouds.yaml credentials.",
  delivery: "pull",
  contract: {
    identity:
      "a stack event's id; of Octavia, the object's id with the status that it came to and when, or with `created` or `deleted`",
    version: "none: Heat's events and past turns of a status are final, but for names beside them",
    ordering: "unsorted",
    commitDelayMax: commitDelayMs,
    clockErrorMax: clockErrorMs,
    delivery: "pull",
    revisions: "allowed",
    completeness: "settled",
    blindSpots:
      "Stack events that Heat pruned unread (it keeps `max_events_per_stack` of each stack, which is told as a hole); stacks that were deleted and purged between two passes; of Octavia, what turned and turned back between two passes, and who did it.",
  },
  config: eventsApiSettings as unknown as z.ZodType<JsonObject>,
  cursor: eventsApiCursor,
  fetch: fetchEventsApi,
  startAt: startEventsApiAt,
  normalise,
};
