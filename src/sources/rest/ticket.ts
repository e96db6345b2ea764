import { IsochronError } from "../../errors.ts";
import type { Related } from "../../model/entity.ts";
import type { EventDraft } from "../../model/event.ts";
import { duration } from "../../model/instant.ts";
import type { Instant } from "../../model/instant.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import type { Decoders } from "../source.ts";
import type { RestApi } from "./api-shape.ts";
import { encodePart, fillIn, idAt, textAt } from "./item-path.ts";

/** What of a connection's settings the reading of its records needs; kept with each record. */
export interface TicketReading {
  readonly api: RestApi;
  readonly url: string;
  /** Stands before the ids, so that equal numbers of two systems are two tickets. */
  readonly name: string;
  readonly done: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  readonly resources: readonly { readonly kind: string; readonly path: string }[];
}

/** What all events of one ticket share. Nothing in it is expected to change in a ticket's life but its title. */
export interface Ticket {
  readonly id: string;
  readonly createdAt: Instant;
  readonly base: Pick<
    EventDraft,
    | "sourceIds"
    | "precision"
    | "category"
    | "visibility"
    | "subject"
    | "subjectName"
    | "related"
    | "operation"
    | "severity"
  >;
  readonly label: string;
  readonly title: string;
  readonly details: JsonObject;
}

/** Reads what names a ticket. Throws `record-invalid`. */
export function readTicket(item: Json, reading: TicketReading, decode: Decoders): Ticket {
  const { api, name } = reading;
  const id = idAt(item, api.fields.id);
  if (id === undefined) throw unusable(`has no usable id at \`${api.fields.id}\``);
  const number = textAt(item, api.fields.number) ?? id;
  const title = textAt(item, api.fields.title) ?? "(without a title)";
  const queue = textAt(item, api.fields.queue);
  const url =
    api.url === undefined
      ? undefined
      : fillIn(api.url, {
          ...api.variables,
          ...reading.variables,
          base: reading.url.replace(/\/+$/, ""),
          id: encodePart(id),
          number: encodePart(number),
        });
  return {
    id,
    createdAt: timeAt(item, api.fields.created, api, decode),
    base: {
      sourceIds: [id],
      precision: duration(api.precision_ms),
      category: "ticket",
      severity: "info",
      visibility: "operational",
      subject: { kind: "ticket", id: `${name}:${id}` },
      subjectName: number === id ? `#${id} ${title}` : `${number} ${title}`,
      related: relatedOf(item, reading),
      operation: { workflowId: `${name}:${id}` },
    },
    label: number === id ? `#${id}` : number,
    title,
    details: { ticket: number, ...(queue !== undefined && { queue }), ...(url !== undefined && { url }) },
  };
}

/**
 * Who a ticket belongs to in the desk's own books, and what people wrote into its fields: neither proves an owner, since
 * whoever opens a ticket can write down anybody's id.
 */
function relatedOf(item: Json, { api, name, resources }: TicketReading): readonly Related[] {
  const organisation = textAt(item, api.fields.organisation);
  const referred = resources.flatMap(({ kind, path }): Related[] => {
    const id = textAt(item, path)?.trim();
    return id === undefined || id.length > 512 ? [] : [{ role: "refers_to", ref: { kind, id } }];
  });
  if (organisation === undefined) return referred;
  return [
    { role: "organisation", ref: { kind: "organisation", id: `${name}:${organisation}` } },
    ...referred,
  ];
}

/** The time at a path. Throws `record-invalid` where there is none, or none that can be read. */
export function timeAt(item: Json, path: string, api: RestApi, decode: Decoders): Instant {
  const text = textAt(item, path);
  if (text === undefined) throw unusable(`has no time at \`${path}\``);
  return api.naive_times === undefined ? decode.time(text) : decode.time(text, { naive: "utc" });
}

/** What a ticket's own fields say happened to it: it was opened, and (where no history tells) it was resolved. */
export function draftTicket(
  item: Json,
  reading: TicketReading,
  withResolution: boolean,
  decode: Decoders,
): readonly EventDraft[] {
  const { api } = reading;
  const ticket = readTicket(item, reading, decode);
  const requester = textAt(item, api.fields.requester);
  const created: EventDraft = {
    ...ticket.base,
    key: `${ticket.id}/created`,
    occurredAt: ticket.createdAt,
    type: "ticket.created",
    kind: "human",
    phase: "start",
    ...(requester !== undefined && { actor: { userName: requester } }),
    summary: `Ticket ${ticket.label} opened: ${ticket.title}`,
    details: { ...ticket.details, ...(requester !== undefined && { requester }) },
  };
  const resolvedPath = (api.fields.resolved ?? []).find((path) => textAt(item, path) !== undefined);
  const status = textAt(item, api.fields.status);
  const isDone = status === undefined || reading.done.includes(status);
  if (!withResolution || resolvedPath === undefined || !isDone) return [created];
  const occurredAt = timeAt(item, resolvedPath, api, decode);
  const resolved: EventDraft = {
    ...ticket.base,
    key: `${ticket.id}/resolved/${occurredAt}`,
    occurredAt,
    type: "ticket.resolved",
    kind: "recovery",
    phase: "end",
    summary: `Ticket ${ticket.label} resolved: ${ticket.title}`,
    details: ticket.details,
  };
  return [created, resolved];
}

export function unusable(what: string): IsochronError {
  return new IsochronError(
    "record-invalid",
    `The ticket ${what}.`,
    "Check that the preset fits the service's version, and what the account may read.",
  );
}
