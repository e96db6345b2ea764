import { parseEntityKey } from "../src/model/entity.ts";
import type { Related } from "../src/model/entity.ts";
import type { EventDraft } from "../src/model/event.ts";
import { duration, instant } from "../src/model/instant.ts";
import type { KnownFact, Relation } from "../src/model/topology.ts";

/** A fact as `server:1 owned_by project:a`, seen at second `at`; a leading `!` says that it no longer holds. */
export function knownFact(statement: string, at: number, controlPlane = "cloud"): KnownFact {
  const holds = !statement.startsWith("!");
  const [from = "", relation = "", to = ""] = statement.replace("!", "").split(" ");
  return {
    from: parseEntityKey(from),
    relation: relation as Relation,
    to: parseEntityKey(to),
    at: instant(at * 1000),
    holds,
    controlPlane,
    connection: "bus",
    sourceId: `fact at ${at}`,
    recordedAt: instant(at * 1000),
  };
}

/** A small event about `subject`, at second `at`. */
export function draftOf(subject: string, at: number, more: Partial<EventDraft> = {}): EventDraft {
  return {
    key: `${subject}@${at}`,
    sourceIds: [`${subject}@${at}`],
    occurredAt: instant(at * 1000),
    precision: duration(0),
    type: "test.thing.changed",
    kind: "change",
    category: "other",
    severity: "info",
    visibility: "operational",
    subject: parseEntityKey(subject),
    related: [],
    summary: `something happened to ${subject}`,
    details: {},
    ...more,
  };
}

/** `alias:server name:web-1`, `caller user:u`: a role and an entity each. */
export function relatedAs(...spellings: readonly string[]): readonly Related[] {
  return spellings.map((spelling) => {
    const [role = "", entity = ""] = spelling.split(" ");
    return { role, ref: parseEntityKey(entity) };
  });
}
