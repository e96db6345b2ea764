import { IsochronError } from "../../errors.ts";
import type { EntityRef, Related } from "../../model/entity.ts";
import type { Actor, EventDraft, Severity, StatedOwner } from "../../model/event.ts";
import { regularizeEventType } from "../../model/event-type.ts";
import { duration, instant } from "../../model/instant.ts";
import type { Duration, Instant } from "../../model/instant.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import type { Decoders, TableRow } from "../source.ts";
import { holds, textOf } from "./condition.ts";
import type { TableMapping, Transition } from "./mapping.ts";
import type { RowRecord } from "./row-record.ts";
import { keyOf } from "./row-record.ts";
import { readTime } from "./row-time.ts";
import { fillTemplate } from "./template.ts";

type Told = RowRecord["told"][number];

/** Columns hold microseconds, of which the store keeps milliseconds. */
const stampPrecision = duration(1);

/** What one row tells, read with its mapping. */
export class RowReading {
  readonly #mapping: TableMapping;
  readonly #record: RowRecord;
  readonly #zone: string;
  readonly #decode: Decoders;

  constructor(mapping: TableMapping, record: RowRecord, zone: string, decode: Decoders) {
    this.#mapping = mapping;
    this.#record = record;
    this.#zone = zone;
    this.#decode = decode;
  }

  drafts(): readonly EventDraft[] {
    return this.#record.told.map((told) => (this.#record.is_gone ? this.#gone(told) : this.#draft(told)));
  }

  #draft(told: Told): EventDraft {
    const { transitions, visibility, platform } = this.#mapping;
    const { row } = this.#record;
    const transition = transitions.find(({ name }) => name === told.name);
    if (transition === undefined) {
      throw new IsochronError(
        "record-invalid",
        `The mapping has no transition ${JSON.stringify(told.name)}.`,
        "Correct the mapping.",
      );
    }
    const time = this.#timeOf(transition, told);
    const actor = this.#actor(transition);
    const stated = this.#owner();
    const { subject, name } = this.#subject();
    return {
      ...this.#names(told),
      occurredAt: time.at,
      precision: time.precision,
      type: regularizeEventType(fillTemplate(transition.type, row)),
      kind: transition.kind,
      category: transition.category,
      ...(transition.phase === undefined ? {} : { phase: transition.phase }),
      severity: severityOf(transition, row),
      visibility: transition.visibility ?? visibility,
      subject,
      ...(name === undefined ? {} : { subjectName: name }),
      related: this.#related(),
      ...(actor === undefined ? {} : { actor }),
      ...(stated === undefined ? {} : { stated }),
      ...(platform ? { platform } : {}),
      summary: fillTemplate(transition.summary, row),
      details: { ...this.#details(), ...time.details },
      ...(transition.of !== undefined && told.before !== undefined
        ? { changes: [{ field: transition.of, before: told.before, after: told.value }] }
        : {}),
    };
  }

  #gone(told: Told): EventDraft {
    const { platform, visibility } = this.#mapping;
    const subject = this.#self();
    return {
      ...this.#names(told),
      ...this.#seen(),
      type: regularizeEventType(`${subject.kind}.gone`),
      kind: "change",
      category: "other",
      severity: "info",
      visibility,
      subject,
      related: [],
      ...(platform ? { platform } : {}),
      summary: `The row ${keyOf(this.#mapping, this.#record.row).join("/")} is no longer in ${this.#table()}`,
      details: { table: this.#table(), time_from: "seen" },
    };
  }

  /** The key names the row, what happened to it, and which time that was. */
  #names({ name, value, version }: Told): Pick<EventDraft, "key" | "sourceIds"> {
    const key = keyOf(this.#mapping, this.#record.row);
    const what = value === null ? name : `${name}:${value}`;
    const row = [this.#table(), ...key.map((part) => encodeURIComponent(wellFormed(part)))].join("/");
    return { key: [row, what, version].join("/"), sourceIds: [row] };
  }

  #table(): string {
    const { schema, table } = this.#mapping;
    return schema === undefined ? table : `${schema}.${table}`;
  }

  #timeOf(
    transition: Transition,
    told: Told,
  ): { readonly at: Instant; readonly precision: Duration; readonly details: JsonObject } {
    const { row } = this.#record;
    const { order, series } = this.#mapping;
    const stamp = transition.stamp === undefined ? undefined : textOf(row, transition.stamp);
    if (stamp !== undefined) return { ...this.#stamped(stamp), details: {} };
    const column = transition.at.find((name) => textOf(row, name) !== undefined);
    // What changed between two looks happened between them, unless the column moves with each change or each row.
    const moves =
      series !== undefined || (order.by === "time" && column !== undefined && order.columns.includes(column));
    if (column === undefined || (told.live && !moves))
      return { ...this.#seenTime(), details: { time_from: "seen" } };
    return { ...this.#stamped(textOf(row, column)!), details: { time_from: column } };
  }

  #stamped(text: string): { readonly at: Instant; readonly precision: Duration } {
    return { at: readTime(text, this.#zone, this.#decode), precision: stampPrecision };
  }

  #seenTime(): { readonly at: Instant; readonly precision: Duration } {
    const { seen_ms: seen, previous_ms: previous } = this.#record;
    return { at: instant(seen), precision: duration(Math.max(1, seen - (previous ?? seen))) };
  }

  #seen(): Pick<EventDraft, "occurredAt" | "precision"> {
    const { at, precision } = this.#seenTime();
    return { occurredAt: at, precision };
  }

  #self(): EntityRef {
    return { kind: this.#mapping.row_kind, id: keyOf(this.#mapping, this.#record.row).join("/") };
  }

  #subject(): { readonly subject: EntityRef; readonly name?: string } {
    const { row, seen_ms: nowMs } = this.#record;
    for (const { kind, column, name, when } of this.#mapping.subject) {
      const id = textOf(row, column);
      if (id === undefined || !holds(when, row, nowMs)) continue;
      const known = name === undefined ? undefined : textOf(row, name);
      return { subject: { kind, id }, ...(known === undefined ? {} : { name: known }) };
    }
    return { subject: this.#self() };
  }

  #related(): readonly Related[] {
    const { row, seen_ms: nowMs } = this.#record;
    const { subject } = this.#subject();
    const self = this.#self();
    const others = this.#mapping.related.flatMap(({ role, kind, column, name, when }): readonly Related[] => {
      const id = textOf(row, column);
      if (id === undefined || !holds(when, row, nowMs)) return [];
      const known = name === undefined ? undefined : textOf(row, name);
      return [{ role, ref: { kind, id }, ...(known === undefined ? {} : { name: known }) }];
    });
    const isItself = subject.kind === self.kind && subject.id === self.id;
    return [...(isItself ? [] : [{ role: "record", ref: self }]), ...others, ...this.#ownerNames()];
  }

  /**
   * Names are unique together and within one control plane only, so they are handed on as names. A domain's is unique
   * there by itself, and no tenant can choose it: it is an alias. A project's says nothing without its domain's id.
   */
  #ownerNames(): readonly Related[] {
    const { owner_names: names } = this.#mapping;
    if (names === undefined) return [];
    const { row } = this.#record;
    const domain = textOf(row, names.domain);
    const project = names.project === undefined ? undefined : textOf(row, names.project);
    if (domain === undefined) return [];
    const name = project === undefined ? domain : `${domain}/${project}`;
    const role = project === undefined ? "domain_name" : "project_name";
    return [
      { role: "alias:domain", ref: { kind: "name", id: domain } },
      { role, ref: { kind: "name", id: name }, name },
    ];
  }

  #owner(): StatedOwner | undefined {
    const { row, seen_ms: nowMs } = this.#record;
    for (const { kind, column, when } of this.#mapping.owner) {
      const id = textOf(row, column);
      if (id !== undefined && holds(when, row, nowMs)) return { owner: { kind, id }, path: `row.${column}` };
    }
    return undefined;
  }

  #actor({ actor }: Transition): Actor | undefined {
    if (actor === undefined) return undefined;
    const value = (column: string | undefined): string | undefined =>
      column === undefined ? undefined : textOf(this.#record.row, column);
    const [userId, userName, address] = [value(actor.id), value(actor.name), value(actor.address)];
    if (userId === undefined && userName === undefined && address === undefined) return undefined;
    return {
      ...(userId === undefined ? {} : { userId }),
      ...(userName === undefined ? {} : { userName }),
      ...(address === undefined ? {} : { address }),
    };
  }

  /** An array or a scalar where an object was expected is data like any other. */
  #details(): JsonObject {
    const { row } = this.#record;
    const entries = this.#mapping.details.flatMap((name): readonly (readonly [string, Json])[] => {
      const value = row[name];
      if (value === null || value === undefined) return [];
      return [[name, this.#mapping.json.includes(name) ? this.#decode.json(value) : value]];
    });
    return { table: this.#table(), ...Object.fromEntries(entries) };
  }
}

function severityOf({ severity }: Transition, row: TableRow): Severity {
  if (typeof severity === "string") return severity;
  const word = textOf(row, severity.column)?.toLowerCase();
  return word !== undefined && Object.hasOwn(severity.words, word) ? severity.words[word]! : severity.else;
}

/** Half of a surrogate pair cannot be written in a key. */
function wellFormed(text: string): string {
  return text.replaceAll(/[\ud800-\udfff]/gu, "\ufffd");
}
