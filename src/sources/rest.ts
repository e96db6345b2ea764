import type { z } from "zod";
import type { Observation } from "../model/event.ts";
import { duration } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import type { RestCursor } from "./rest/pass.ts";
import { fetchTickets, restCursor, settleMs, startTicketsAt } from "./rest/pass.ts";
import { readRestMeta } from "./rest/rest-record.ts";
import { restSettings } from "./rest/settings.ts";
import { draftTicket, unusable } from "./rest/ticket.ts";
import { draftTransitions } from "./rest/transition.ts";
import type { Decoders, PullSource, RawRecord } from "./source.ts";

/**
 * Ticket systems that can be asked what changed since. Each is described as data (`rest/presets.ts`): Request Tracker
 * 5 (REST 2), ServiceNow (Table API), Jira Cloud (REST 3), Zendesk (incremental export); others in the configuration.
 */
export const rest: PullSource<RestCursor> = {
  name: "rest",
  title: "Tickets over REST",
  summary:
    "Tickets opened, answered, resolved and reopened, polled from Request Tracker, ServiceNow, Jira, Zendesk, or any REST API that can be asked what changed since.",
  delivery: "pull",
  contract: {
    identity: "ticket id and transaction id; ticket id alone for its creation",
    version: "the transaction, which never changes; a ticket that was renamed revises its events",
    ordering: "unsorted",
    commitDelayMax: settleMs,
    clockErrorMax: duration(60_000),
    delivery: "pull",
    revisions: "allowed",
    completeness: "settled",
    blindSpots:
      "Tickets that the account may not read, and tickets deleted between two passes; what a comment says; in Jira, comments at all; with `history: false` every step but creation and resolution.",
  },
  config: restSettings as unknown as z.ZodType<JsonObject>,
  cursor: restCursor,
  fetch: fetchTickets,
  startAt: startTicketsAt,
  normalise,
};

function normalise(record: RawRecord, decode: Decoders): Observation {
  const { part, resolution, ticket, problem, reading } = readRestMeta(record.meta);
  const item = decode.json(decode.text(record.bytes));
  if (part === "history-lost") throw unusable(`has a history that could not be read: ${problem ?? ""}`);
  const events =
    part === "ticket"
      ? draftTicket(item, reading, resolution, decode)
      : draftTransitions(item, ticket ?? null, reading, decode);
  return { events, facts: [] };
}
