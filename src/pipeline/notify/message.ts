import type { Instant } from "../../model/instant.ts";
import type { MessageKind } from "../../model/notification.ts";
import type { EntityRef } from "../../model/entity.ts";
import type { EventKind, Severity } from "../../model/event.ts";

/** How many events a message spells out; the others it counts. */
export const spelledEventsMax = 5;

/** An event as far as a message tells of it: what its reader is shown, and no more. */
export interface SpelledEvent {
  readonly id: string;
  readonly type: string;
  readonly kind: EventKind;
  readonly severity: Severity;
  readonly occurredAt: Instant;
  readonly summary: string;
  readonly subject: EntityRef;
  readonly subjectName?: string;
}

/** All that a format writes down. */
export interface NotificationMessage {
  /** The idempotency key, the same at every try. */
  readonly id: string;
  readonly kind: MessageKind;
  readonly rule: { readonly id: string; readonly name: string; readonly severity: Severity };
  /** Lower-case hex: what receivers tell groups apart by. */
  readonly group: string;
  /** In words; empty for the group of everything, and where nothing may be told. */
  readonly groupLabel: string;
  readonly madeAt: Instant;
  readonly events: readonly SpelledEvent[];
  /** Beside those that are spelled out. */
  readonly more: number;
  readonly late: boolean;
  /** Of an absence: when one was seen last, and how far what would show one is known. */
  readonly since?: Instant;
  readonly completeTo?: Instant;
  readonly corrects?: string;
  readonly whole?: boolean;
}

/** A request's body with its type; `path` is put behind the address where the receiver has one of its own. */
export interface WrittenMessage {
  readonly contentType: string;
  readonly body: string;
  readonly path?: string;
}

/** One line that says what it is about, without any markup. */
export function headlineOf(message: NotificationMessage): string {
  const { kind, rule, events, more, late, groupLabel } = message;
  const about = groupLabel === "" ? "" : ` (${groupLabel})`;
  const first = events[0];
  switch (kind) {
    case "test":
      return `Test of the rule “${rule.name}”. Nothing has happened.`;
    case "correction":
      return `Correction: what the message ${message.corrects ?? ""} of the rule “${rule.name}” told does not stand any more${message.whole === true ? "" : " in part"}.`;
    case "absence":
      return `Missing${about}: nothing that the rule “${rule.name}” expects was seen since ${moment(message.since)}.${doubtOf(message)}`;
    case "ended":
      return `Seen again${about}: what the rule “${rule.name}” expects has come.`;
    case "events": {
      // Receivers such as Slack refuse a message without words, again and again.
      const told = first === undefined ? rule.name : first.summary.trim() || first.type;
      const others = events.length - 1 + more;
      return `${late ? "Late: " : ""}${told}${others > 0 ? `, and ${others} more` : ""}${about}`;
    }
  }
}

/** No record of a monitor that is behind says that something is missing. */
function doubtOf({ since, completeTo, madeAt }: NotificationMessage): string {
  if (since === undefined) return "";
  if (completeTo === undefined)
    return " Whether it is missing or only unknown cannot be told: no source says how far it is complete.";
  return completeTo < madeAt - unsureMs
    ? ` It may be unknown rather than missing: the sources are complete to ${moment(completeTo)} only.`
    : "";
}

const unsureMs = 900_000;

function moment(at: Instant | undefined): string {
  return at === undefined ? "the rule was made" : new Date(at).toISOString().replace(/\.\d{3}Z$/, "Z");
}
