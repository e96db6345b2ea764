import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { IsochronError } from "../errors.ts";
import type { EventDraft } from "../model/event.ts";
import { regularEventType } from "../model/event-type.ts";
import { formatInstant } from "../model/instant.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { clean } from "../normalise/clean.ts";
import { decoders } from "../normalise/decode.ts";
import { bytesOf, fileOf, playFixture, playedAt, pullFixture, readFixture } from "./conformance/fixture.ts";
import type { Fixture } from "./conformance/fixture.ts";
import { sources } from "./registry.ts";
import type { RawRecord, Source } from "./source.ts";

/** What becomes of a record: the cleaned observation, or nothing for one that is refused. Anything else fails. */
function outcome(source: Source, record: RawRecord): readonly EventDraft[] {
  try {
    const observation = clean(source.normalise(record, decoders), record.receivedAt);
    JSON.stringify(observation);
    return observation.events;
  } catch (error) {
    if (error instanceof IsochronError && error.code === "record-invalid") return [];
    throw error;
  }
}

/** JSON that stands as text inside JSON, as the JSON that it is; everything else unchanged. */
function unwrapOnce(value: Json): Json {
  if (typeof value !== "string" || !/^[[{]/.test(value)) return value;
  try {
    return JSON.parse(value) as Json;
  } catch (error) {
    if (error instanceof SyntaxError) return value;
    throw error;
  }
}

/** All JSON in the record, at any depth of text inside JSON. */
function unwrap(wrapped: Json): Json {
  const value = unwrapOnce(wrapped);
  if (Array.isArray(value)) return value.map((item) => unwrap(item as Json));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, unwrap(member)]));
}

/** Whether a field of that name holds the id somewhere outside of what tells only who asked. */
function states(value: Json, field: string, id: string): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value as JsonObject).some(([name, member]) => {
    if (name.startsWith("_context") || name === "context" || name === "initiator") return false;
    return (name === field && member === id) || states(member, field, id);
  });
}

/** One change of the kind that broken senders make: another value, at any depth, also inside of nested text. */
function replaced(value: Json, path: readonly number[], by: Json | undefined): Json {
  const inner = unwrapOnce(value);
  if (inner !== value) return JSON.stringify(replaced(inner, path, by));
  const [step, ...rest] = path;
  if (step === undefined || typeof value !== "object" || value === null) return by ?? null;
  const names = Object.keys(value);
  const name = names[step % Math.max(names.length, 1)];
  if (name === undefined) return by ?? null;
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, Json>;
  if (rest.length === 0 && by === undefined) Reflect.deleteProperty(copy, name);
  else copy[name] = rest.length === 0 ? (by ?? null) : replaced(copy[name] ?? null, rest, by);
  return copy as Json;
}

const brokenValue = fc.oneof(
  fc.constantFrom<Json>(
    null,
    "",
    "\0",
    "\ud800",
    [],
    {},
    -1,
    1e308,
    true,
    "now",
    "0000-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-11-21T01:00:00",
    "9007199254740993",
    "__proto__",
    "x".repeat(10_000),
    [[[[[[]]]]]],
    { "nova_object.data": { a: null } },
  ),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
);

describe.each(sources.map((source) => ({ name: source.name, source })))("$name", ({ name, source }) => {
  let fixture: Fixture;
  let records: readonly RawRecord[];
  let drafts: readonly { readonly record: RawRecord; readonly draft: EventDraft }[];

  beforeAll(async () => {
    fixture = readFixture(name);
    records = await playFixture(source, fixture, decoders);
    drafts = records.flatMap((record) =>
      source.normalise(record, decoders).events.map((draft) => ({ record, draft })),
    );
  });

  test("has a fixture that says where it comes from, and gives events", () => {
    expect(fixture.origin.length).toBeGreaterThan(10);
    expect(drafts.length).toBeGreaterThan(0);
  });

  test("gives the same records and the same observations each time", async () => {
    expect(await playFixture(source, fixture, decoders)).toEqual(records);
    for (const record of records) {
      const replayed = { ...record, meta: JSON.parse(JSON.stringify(record.meta)) as JsonObject };
      expect(source.normalise(replayed, decoders)).toEqual(source.normalise(record, decoders));
    }
  });

  test("names each occurrence by a key of its own", () => {
    const byKey = Map.groupBy(drafts, ({ draft }) => draft.key);
    for (const same of byKey.values()) {
      const sides = same.map(({ draft }) => draft.twin?.side ?? "");
      const occurrences = new Set(
        same.map(({ draft }) => `${draft.occurredAt} ${draft.type} ${draft.twin?.side}`),
      );
      // The same report may come twice; two sides of one occurrence share a key; nothing else does.
      expect(occurrences.size).toBeLessThanOrEqual(new Set(sides).size);
    }
  });

  test("gives drafts that cleaning leaves as they are in everything that identifies them", () => {
    for (const { record, draft } of drafts) {
      const [cleaned] = clean({ events: [draft], facts: [] }, record.receivedAt).events;
      const { summary: _summary, details: _details, ...identity } = draft;
      expect(cleaned).toMatchObject(JSON.parse(JSON.stringify(identity)) as object);
      expect(JSON.parse(JSON.stringify(cleaned))).toEqual(cleaned);
    }
  });

  test("gives regular types, plain summaries, source ids and times that can be", () => {
    for (const { record, draft } of drafts) {
      expect(draft.type).toMatch(regularEventType);
      expect(draft.summary.trim()).not.toBe("");
      expect(draft.summary.length).toBeLessThanOrEqual(1_024);
      expect(draft.sourceIds.length).toBeGreaterThan(0);
      expect(draft.sourceIds.every((id) => id !== "")).toBe(true);
      expect(Number.isSafeInteger(draft.occurredAt)).toBe(true);
      expect(draft.occurredAt).toBeGreaterThan(Date.UTC(2000, 0));
      expect(draft.occurredAt).toBeLessThanOrEqual(record.receivedAt + 5 * 60_000);
      expect(draft.precision).toBeGreaterThanOrEqual(0);
    }
  });

  test("guesses no tenant: an owner is stated only by a field of the record that is not about who asked", () => {
    for (const { record, draft } of drafts) {
      expect(draft).not.toHaveProperty("tenant");
      expect(draft).not.toHaveProperty("attribution");
      if (draft.stated === undefined) continue;
      const { owner, path } = draft.stated;
      expect(path).not.toMatch(/(^|\.)(_?context|initiator|actor)/);
      const field = path
        .split(".")
        .at(-1)!
        .replace(/\[\d*\]$/, "");
      const content = [unwrap(decoders.text(record.bytes)), record.meta];
      expect(content.some((part) => states(part, field, owner.id))).toBe(true);
    }
  });

  test("refuses broken copies of its records, or reads them, and nothing else", () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(),
        fc.uint8Array({ maxLength: 4 }),
        fc.nat(8),
        (pick, at, inserted, removed) => {
          const record = records[pick % records.length]!;
          const place = at % (record.bytes.length + 1);
          const bytes = Buffer.concat([
            record.bytes.subarray(0, place),
            inserted,
            record.bytes.subarray(removed === 8 ? record.bytes.length : place + removed),
          ]);
          expect(outcome(source, { ...record, bytes: new Uint8Array(bytes) })).toBeInstanceOf(Array);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test("refuses records with wrong values, or reads them, and nothing else", () => {
    const trees = records.flatMap((record) => {
      const text = Buffer.from(record.bytes).toString();
      return /^\s*[[{]/.test(text) ? [{ record, tree: JSON.parse(text) as Json }] : [];
    });
    if (trees.length === 0) return;
    fc.assert(
      fc.property(
        fc.nat(),
        fc.array(fc.nat(40), { minLength: 1, maxLength: 6 }),
        fc.option(brokenValue, { nil: undefined }),
        (pick, path, by) => {
          const { record, tree } = trees[pick % trees.length]!;
          expect(
            outcome(source, { ...record, bytes: bytesOf({ json: replaced(tree, path, by) }) }),
          ).toBeInstanceOf(Array);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("refuses arbitrary bytes and texts, or reads them, and nothing else", () => {
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.string({ unit: "binary", maxLength: 40 }).map((text) => bytesOf({ text })),
      fc.json({ maxDepth: 3 }).map((text) => bytesOf({ text })),
    );
    fc.assert(
      fc.property(fc.nat(), garbage, (pick, bytes) => {
        expect(outcome(source, { ...records[pick % records.length]!, bytes })).toBeInstanceOf(Array);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ["10 MB", "x".repeat(10_000_000)],
    ["nesting 6,000 deep", '{"a":'.repeat(6_000) + "1" + "}".repeat(6_000)],
    ["nesting 100,000 deep", "[".repeat(100_000) + "]".repeat(100_000)],
    ["a prototype", '{"__proto__":{"body":"{}"},"constructor":null}'],
  ])("refuses %s or reads it", (_what, text) => {
    for (const record of records.slice(0, 5)) {
      expect(outcome(source, { ...record, bytes: bytesOf({ text }) })).toBeInstanceOf(Array);
    }
  });

  test("gives what was reviewed", async () => {
    const review = records.map((record) => {
      const { events, facts } = clean(source.normalise(record, decoders), record.receivedAt);
      return {
        position: record.position,
        events: events.map((draft) => ({ ...draft, occurredAt: formatInstant(draft.occurredAt) })),
        ...(facts.length > 0 && {
          facts: facts.map(
            ({ from, relation, to, at, holds }) =>
              `${from.kind}:${from.id} ${holds ? "" : "no longer "}${relation} ${to.kind}:${to.id} at ${formatInstant(at)}`,
          ),
        }),
      };
    });
    await expect(`${JSON.stringify(review, null, 1)}\n`).toMatchFileSnapshot(
      `./__snapshots__/${name}.normalised.txt`,
    );
  });

  test.runIf(source.delivery === "pull")("is quiet on a second pass over the same answers", async () => {
    const { records: first, cursor } = await pullFixture(source, fixture, decoders);
    const { records: second } = await pullFixture(source, fixture, decoders, cursor);
    const known = new Set(first.flatMap((record) => outcome(source, record)).map((draft) => draft.key));
    const fresh = second
      .flatMap((record) => outcome(source, record))
      .filter((draft) => !known.has(draft.key));
    expect(fresh.map((draft) => draft.key)).toEqual([]);
  });

  test.runIf(source.delivery === "webhook")("refuses broken requests by code, or splits them", () => {
    if (source.delivery !== "webhook") return;
    const requests = fixture.requests ?? [];
    expect(requests.length).toBeGreaterThan(0);
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(),
        fc.uint8Array({ maxLength: 3 }),
        fc.boolean(),
        (pick, at, inserted, typed) => {
          const request = requests[pick % requests.length]!;
          const body = bytesOf(request);
          const place = at % (body.length + 1);
          const broken = new Uint8Array(
            Buffer.concat([body.subarray(0, place), inserted, body.subarray(place + 2)]),
          );
          const headers = typed ? request.headers : { "content-type": "text/plain" };
          try {
            for (const record of source.split({ headers, body: broken, receivedAt: playedAt }, decoders)) {
              expect(outcome(source, record)).toBeInstanceOf(Array);
            }
          } catch (error) {
            const known =
              error instanceof IsochronError && /^(body-invalid|media-type-unknown)$/.test(error.code);
            if (!known) throw error;
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test.runIf(source.splitFile !== undefined)("loses no record of a garbled file", async () => {
    const texts = ["", "\n\n", "{", "[1,2", "\0\0", "x\ny\nz", '{"__proto__":1}\n[[[[', "---\n---\n| Time |"];
    for (const text of texts) {
      for (const ending of ["jsonl", "json", "md", "csv"]) {
        const file = fileOf(`x.${ending}`, new TextEncoder().encode(text));
        let count = 0;
        for await (const record of source.splitFile!(file, decoders)) {
          expect(outcome(source, record)).toBeInstanceOf(Array);
          count += 1;
        }
        expect(count > 0 || text.trim() === "").toBe(true);
      }
    }
  });
});
