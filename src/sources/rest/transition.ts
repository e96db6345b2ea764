import type { EventDraft } from "../../model/event.ts";
import { formatInstant } from "../../model/instant.ts";
import type { Json } from "../../model/json.ts";
import type { Decoders } from "../source.ts";
import type { RestApi } from "./api-shape.ts";
import { textAt, valueAt } from "./item-path.ts";
import type { Ticket, TicketReading } from "./ticket.ts";
import { readTicket, timeAt, unusable } from "./ticket.ts";

type History = NonNullable<RestApi["history"]>;
type Meaning = History["match"][number]["means"];

interface Change {
  readonly means: Meaning;
  readonly value: Json;
}

/** What of an item of a history is told of; everything else (mails sent, priorities, owners) is left alone. */
export function changesOf(item: Json, history: History): readonly Change[] {
  const list = history.changes === undefined ? [item] : valueAt(item, history.changes);
  if (!Array.isArray(list)) return [];
  return (list as readonly Json[]).flatMap((value) => {
    const rule = history.match.find(({ when }) =>
      Object.entries(when).every(([path, wanted]) => valueAt(value, path) === wanted),
    );
    return rule === undefined ? [] : [{ means: rule.means, value }];
  });
}

/** The events of one item of a ticket's history, each under the ticket's id and the item's own. Throws `record-invalid`. */
export function draftTransitions(
  item: Json,
  ticketItem: Json,
  reading: TicketReading,
  decode: Decoders,
): readonly EventDraft[] {
  const { history } = reading.api;
  if (history === undefined) throw unusable("has a history that nothing describes");
  const id = textAt(item, history.id);
  if (id === undefined) throw unusable(`has a history item without an id at \`${history.id}\``);
  const ticket = readTicket(ticketItem, reading, decode);
  const occurredAt = timeAt(item, history.at, reading.api, decode);
  const actor = textAt(item, history.actor);
  return changesOf(item, history).flatMap((change, index): EventDraft[] => {
    const told =
      change.means === "status"
        ? tellStatus(change.value, ticket, history, reading)
        : // The text that a ticket is opened with is no comment of its own.
          occurredAt === ticket.createdAt
          ? undefined
          : tellComment(change.means, ticket);
    if (told === undefined) return [];
    return [
      {
        ...ticket.base,
        sourceIds: [`${ticket.id}/${id}`],
        key: `${ticket.id}/${id}${index === 0 ? "" : `/${index}`}`,
        occurredAt,
        ...(actor !== undefined && { actor: { userName: actor } }),
        details: { ...ticket.details, opened_at: formatInstant(ticket.createdAt) },
        ...told,
      },
    ];
  });
}

type Told = Pick<EventDraft, "type" | "kind" | "summary"> &
  Partial<Pick<EventDraft, "phase" | "severity" | "visibility" | "changes">>;

/** A status that comes from nothing is the one that the ticket was opened with. */
function tellStatus(
  value: Json,
  ticket: Ticket,
  history: History,
  { api, done }: TicketReading,
): Told | undefined {
  const from = textAt(value, history.from);
  const to = textAt(value, history.to);
  if (from === undefined || to === undefined || from === to) return undefined;
  const word = (status: string): string => api.status_words[status] ?? status;
  const changes = [{ field: "status", before: word(from), after: word(to) }];
  const steps = `${word(from)} → ${word(to)}`;
  const wasDone = done.includes(from);
  const isDone = done.includes(to);
  if (isDone && !wasDone) {
    return {
      type: "ticket.resolved",
      kind: "recovery",
      phase: "end",
      summary: `Ticket ${ticket.label} resolved (${steps}): ${ticket.title}`,
      changes,
    };
  }
  if (wasDone && !isDone) {
    return {
      type: "ticket.reopened",
      kind: "human",
      phase: "start",
      severity: "warning",
      summary: `Ticket ${ticket.label} reopened (${steps}): ${ticket.title}`,
      changes,
    };
  }
  return {
    type: "ticket.status_changed",
    kind: "human",
    phase: "progress",
    summary: `Ticket ${ticket.label}: ${steps}: ${ticket.title}`,
    changes,
  };
}

/** That somebody wrote, never what: texts of tickets stay where they are. */
function tellComment(means: Exclude<Meaning, "status">, ticket: Ticket): Told {
  const isInternal = means === "internal_comment";
  return {
    type: isInternal ? "ticket.noted" : "ticket.commented",
    kind: "human",
    phase: "progress",
    ...(isInternal && { visibility: "provider" as const }),
    summary: `Ticket ${ticket.label}: ${isInternal ? "internal note" : "comment"} added: ${ticket.title}`,
  };
}
