import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IsochronError } from "../errors.ts";
import type { EventDraft, Observation } from "../model/event.ts";
import { regularEventType } from "../model/event-type.ts";
import { duration, instant } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import { clean } from "./clean.ts";
import * as limits from "./limits.ts";

const receivedAt = instant(Date.UTC(2026, 10, 21, 1, 0));

const draft: EventDraft = {
  key: "a-1",
  sourceIds: ["a-1"],
  occurredAt: receivedAt,
  precision: duration(0),
  type: "compute.instance.create.end",
  kind: "change",
  category: "provisioning",
  severity: "info",
  visibility: "operational",
  subject: { kind: "server", id: "8d6e" },
  related: [],
  summary: "Server web-1 was created",
  details: {},
};

function cleaned(changes: Partial<EventDraft>): EventDraft {
  const [event] = clean({ events: [{ ...draft, ...changes }], facts: [] }, receivedAt).events;
  if (event === undefined) throw new Error("no event");
  return event;
}

function refused(changes: Partial<EventDraft>): string {
  try {
    cleaned(changes);
  } catch (error) {
    if (error instanceof IsochronError && error.code === "record-invalid") return error.problem;
    throw error;
  }
  throw new Error("it was accepted");
}

test("a clean draft passes unchanged", () => {
  expect(cleaned({})).toEqual(draft);
});

describe("text", () => {
  test("NUL and lone surrogates become visible wherever people read", () => {
    const event = cleaned({
      subjectName: "n\udc00",
      related: [{ role: "host", ref: { kind: "host", id: "h" }, name: "\0" }],
      summary: "\0 and \ud83d",
      details: { "k\0": ["\ud800", { deep: "\0" }] },
    });
    expect(event.subjectName).toBe("n\ufffd");
    expect(event.related).toEqual([{ role: "host", ref: { kind: "host", id: "h" }, name: "␀" }]);
    expect(event.summary).toBe("␀ and \ufffd");
    expect(event.details).toEqual({ "k␀": ["\ufffd", { deep: "␀" }] });
  });

  test("ids that cannot be stored as they are set the record aside", () => {
    for (const id of ["i\0", "\ud800", "a\udfffb"]) {
      const invalid: Partial<EventDraft>[] = [
        { subject: { kind: "server", id } },
        { related: [{ role: "host", ref: { kind: "host", id } }] },
        { operation: { requestId: id } },
        { stated: { owner: { kind: "project", id }, path: "here" } },
      ];
      for (const change of invalid) expect(() => cleaned(change)).toThrow(/half a character/);
    }
  });

  test("keys and source ids that differ stay different, whatever they are made of", () => {
    const units = fc
      .array(fc.constantFrom(0, 0x61, 0x2400, 0xd800, 0xdc00, 0xdbff, 0xfffd), { minLength: 1, maxLength: 4 })
      .map((codes) => String.fromCharCode(...codes));
    fc.assert(
      fc.property(units, units, (one, other) => {
        fc.pre(one !== other);
        const { key, sourceIds } = cleaned({ key: one, sourceIds: [one, other] });
        expect(key).not.toBe(cleaned({ key: other }).key);
        expect(sourceIds).toHaveLength(2);
      }),
    );
  });

  test("marks that reorder or hide text are shown, and a summary is one line", () => {
    expect(cleaned({ summary: "  user\u202egnp.exe\n\nnext\tline\u200b\u007f\u001b[0m " }).summary).toBe(
      "user⟨U+202E⟩gnp.exe next line⟨U+200B⟩␡␛[0m",
    );
    expect(cleaned({ summary: "\n" }).summary).toBe(draft.type);
  });

  test("a long summary is cut at a whole character", () => {
    const { summary } = cleaned({ summary: "🜚".repeat(5_000) });
    expect(summary.length).toBeLessThanOrEqual(limits.summaryCharsMax);
    expect(summary.isWellFormed()).toBe(true);
    expect(summary.endsWith("🜚…")).toBe(true);
  });

  test("a type becomes regular", () => {
    expect(cleaned({ type: "Identity.OS-TRUST:trust. Created " }).type).toBe(
      "identity.os-trust:trust._created_",
    );
    expect(cleaned({ type: "..." }).type).toBe("unnamed");
  });
});

describe("ids and keys", () => {
  test("an id is never cut: a long or an empty one is refused", () => {
    expect(refused({ subject: { kind: "server", id: "x".repeat(513) } })).toContain("longer");
    expect(refused({ subject: { kind: "server", id: " " } })).toContain("empty");
    expect(refused({ related: [{ role: "host", ref: { kind: "Host!", id: "a" } }] })).toContain("lower-case");
    expect(cleaned({ subject: { kind: "server", id: "x".repeat(512) } }).subject.id).toHaveLength(512);
  });

  test("a long key becomes its hash, the same each time and another for another key", () => {
    const long = cleaned({ key: "x".repeat(600) }).key;
    expect(long).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(cleaned({ key: "x".repeat(600) }).key).toBe(long);
    expect(cleaned({ key: "x".repeat(601) }).key).not.toBe(long);
  });

  test("an event without key or source id is refused", () => {
    expect(refused({ key: "" })).toContain("key");
    expect(refused({ sourceIds: [] })).toContain("id of its source");
  });

  test("empty parts of an actor or operation are left out, and long ids refused", () => {
    expect(cleaned({ actor: { userId: "", userName: " " } })).not.toHaveProperty("actor");
    expect(cleaned({ operation: { requestId: "req-1", workflowId: "" } }).operation).toEqual({
      requestId: "req-1",
    });
    expect(refused({ actor: { projectId: "x".repeat(513) } })).toContain("actor's project");
  });
});

describe("times", () => {
  test("a time far ahead of its arrival is kept and flagged", () => {
    const ahead = instant(receivedAt + limits.futureMsMax + 1);
    expect(cleaned({ occurredAt: ahead, details: { a: 1 } })).toMatchObject({
      occurredAt: ahead,
      details: { a: 1, time_suspect: true },
    });
    expect(cleaned({ occurredAt: instant(receivedAt + limits.futureMsMax) }).details).toEqual({});
  });

  test.each([NaN, -1, Infinity, -Infinity, 253_402_300_800_000])("the time %d is refused", (ms) => {
    expect(refused({ occurredAt: ms as typeof receivedAt })).toContain("1970");
  });

  test("the precision is a length of time", () => {
    expect(refused({ precision: duration(NaN) })).toContain("precision");
    expect(refused({ precision: duration(-1) })).toContain("precision");
    expect(cleaned({ precision: duration(Infinity) }).precision).toBe(limits.precisionMsMax);
  });
});

describe("size", () => {
  test("details that are too large keep all their fields and say that they were cut", () => {
    const { details } = cleaned({
      details: { log: "x".repeat(1_000_000), code: 500, list: ["y".repeat(100)] },
    });
    expect(details).toMatchObject({ code: 500, list: ["y".repeat(100)], details_cut: true });
    expect(String(details["log"]).endsWith("…")).toBe(true);
  });

  test("details with very many members keep the first ones and a mark", () => {
    const { details } = cleaned({
      details: { list: Array.from({ length: 100_000 }, (_, n) => `item ${n}`) },
    });
    const list = details["list"] as unknown[];
    expect(list[0]).toBe("item 0");
    expect(list.at(-1)).toBe("…");
    expect(JSON.stringify(details).length).toBeLessThanOrEqual(limits.detailsBytesMax);
  });

  test("nesting below the limit is cut with a mark", () => {
    let nested: JsonObject = { bottom: true };
    for (let level = 0; level < 60; level += 1) nested = { nested };
    const { details } = cleaned({ details: nested });
    expect(details["details_cut"]).toBe(true);
    expect(JSON.stringify(details)).toContain('{"nested":"…"}');
  });

  test("details that refer to each other in circles end", () => {
    const circle: Record<string, unknown> = {};
    for (let n = 0; n < 10; n += 1) circle[`self${n}`] = circle;
    expect(cleaned({ details: circle as JsonObject }).details["details_cut"]).toBe(true);
  });

  test("related entities are counted once, and beyond the limit their number is kept", () => {
    const related = Array.from({ length: 300 }, (_, n) => ({
      role: "port",
      ref: { kind: "port", id: `p${n % 250}` },
    }));
    const event = cleaned({ related });
    expect(event.related).toHaveLength(limits.relatedMax);
    expect(event.details["related_cut"]).toBe(50);
  });

  test("changes share the room", () => {
    const changes = Array.from({ length: 150 }, (_, n) => ({
      field: `${n}${"f".repeat(1_000)}`,
      before: "b".repeat(10_000),
      after: n,
    }));
    const event = cleaned({ changes });
    expect(event.changes).toHaveLength(limits.changesMax);
    expect(event.details["changes_cut"]).toBe(50);
    expect(event.changes?.at(-1)?.after).toBe(99);
    expect(Buffer.byteLength(JSON.stringify(event.changes))).toBeLessThanOrEqual(limits.detailsBytesMax);
  });

  test("a record with very many events is refused", () => {
    const events = Array.from({ length: limits.recordEventsMax + 1 }, () => draft);
    expect(() => clean({ events, facts: [] }, receivedAt)).toThrow(IsochronError);
  });
});

test("a `__proto__` among the details is data", () => {
  const { details } = cleaned({
    details: JSON.parse('{"__proto__":{"admin":true},"constructor":1}') as JsonObject,
  });
  expect(Object.getPrototypeOf(details)).toBe(Object.prototype);
  expect(details).toEqual({ "[__proto__]": { admin: true }, constructor: 1 });
});

function attempt(event: EventDraft): Observation | undefined {
  try {
    return clean({ events: [event], facts: [] }, receivedAt);
  } catch (error) {
    if (!(error instanceof IsochronError)) throw error;
    return undefined;
  }
}

function everyText(value: unknown, visit: (text: string) => void): void {
  if (typeof value === "string") visit(value);
  else if (typeof value === "object" && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      visit(name);
      expect(name).not.toBe("__proto__");
      everyText(member, visit);
    }
  }
}

function expectStorable(observation: Observation): void {
  everyText(observation, (text) => {
    expect(text.isWellFormed()).toBe(true);
    expect(text.includes("\0")).toBe(false);
  });
  for (const event of observation.events) {
    expect(event.summary.length).toBeGreaterThan(0);
    expect(event.summary.length).toBeLessThanOrEqual(limits.summaryCharsMax);
    expect(event.key.length).toBeLessThanOrEqual(limits.keyCharsMax);
    expect(event.type).toMatch(regularEventType);
    expect(Buffer.byteLength(JSON.stringify(event.details))).toBeLessThanOrEqual(limits.detailsBytesMax);
    expect(JSON.parse(JSON.stringify(event))).toEqual(event);
  }
}

describe("whatever a source reports", () => {
  const anyText = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.constantFrom("", "\0", "\ud800", "a\udfff", "\u202e", "__proto__", "constructor", "server", "…"),
    fc.integer({ min: 500, max: 1_100 }).map((length) => "ø".repeat(length)),
    // Lone surrogates, which fast-check's own strings never hold.
    fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 })
      .map((units) => String.fromCharCode(...units)),
  );
  const ref = fc.record({ kind: fc.oneof(fc.constantFrom("server", "host", "x_1"), anyText), id: anyText });
  const anyJson = fc.anything({
    key: anyText,
    values: [anyText, fc.double(), fc.integer(), fc.boolean(), fc.constant(null), fc.bigInt()],
    withNullPrototype: true,
    withDate: true,
    withMap: true,
  });
  const anyMs = fc.oneof(
    fc.integer(),
    fc.double(),
    fc.integer({ min: 0, max: 3e14 }),
    fc.constantFrom(NaN, Infinity),
  );
  const anyDraft = fc.record(
    {
      key: anyText,
      sourceIds: fc.array(anyText, { maxLength: 4 }),
      occurredAt: anyMs,
      precision: anyMs,
      type: anyText,
      kind: fc.constantFrom("change", "symptom"),
      category: fc.constantFrom("other", "network"),
      phase: fc.constantFrom("start", "end"),
      severity: fc.constantFrom("info", "critical"),
      visibility: fc.constantFrom("operational", "provider"),
      subject: ref,
      subjectName: anyText,
      related: fc.array(fc.record({ role: anyText, ref, name: anyText }, { requiredKeys: ["role", "ref"] })),
      actor: fc.record({ userId: anyText, userName: anyText, projectId: anyText }, { requiredKeys: [] }),
      operation: fc.record({ requestId: anyText }, { requiredKeys: [] }),
      stated: fc.record({ owner: fc.record({ kind: fc.constant("project"), id: anyText }), path: anyText }),
      twin: fc.record({ group: anyText, side: anyText, within: anyMs }),
      summary: anyText,
      details: fc.dictionary(anyText, anyJson),
      changes: fc.array(fc.record({ field: anyText, before: anyJson, after: anyJson })),
    },
    { requiredKeys: Object.keys(draft) as (keyof EventDraft)[] as never },
  ) as unknown as fc.Arbitrary<EventDraft>;
  /** Drafts that mostly pass: wild where people read, sound where machines join. */
  const mostlySound = anyDraft.map((wild) => ({
    ...wild,
    key: `k${wild.key}`,
    sourceIds: ["s", ...wild.sourceIds.map((id) => `s${id}`)],
    occurredAt: draft.occurredAt,
    precision: draft.precision,
    subject: { kind: "server", id: "s-1" },
    related: wild.related.map((one) => ({
      ...one,
      ref: { kind: "host", id: `h${one.ref.id.slice(0, 100).toWellFormed().replaceAll("\0", "")}` },
    })),
    stated: { owner: { kind: "project" as const, id: "p" }, path: wild.summary },
    twin: { group: "g", side: "s", within: draft.precision },
    operation: { requestId: "req-1" },
    actor: { userName: wild.summary },
  }));

  test("comes out storable or is refused", () => {
    fc.assert(
      fc.property(anyDraft, (event) => {
        const out = attempt(event);
        expect(out?.events.length ?? 1).toBe(1);
        if (out !== undefined) expectStorable(out);
      }),
      { numRuns: 1_000 },
    );
  });

  test("comes out storable where its ids and times are sound, and cleaning it again changes nothing", () => {
    fc.assert(
      fc.property(mostlySound, (event) => {
        const out = clean({ events: [event], facts: [] }, receivedAt);
        expectStorable(out);
        expect(clean(out, receivedAt)).toEqual(out);
      }),
      { numRuns: 1_000 },
    );
  });
});
