import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connection, draft, edition, event, minute, page, project } from "../../../test/drafts.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { parseEntityKey } from "../../model/entity.ts";
import { severities } from "../../model/event.ts";
import type { Scope } from "../../model/scope.ts";
import { tenantKey } from "../../model/tenant.ts";
import type { AttributeQuestion } from "../event-reader.ts";
import type { StorableEvent } from "../event-store.ts";

let db: TestStore;
beforeAll(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
});
afterAll(() => db.close());

const provider: Scope = { kind: "provider" };
const tenants = [project("red"), project("blue")];

interface Told {
  readonly at: number;
  readonly type: string;
  readonly host: string;
  readonly image: string;
  readonly severity: (typeof severities)[number];
  readonly owner: number;
  readonly words: string;
}

const anyTold: fc.Arbitrary<Told> = fc.record({
  at: fc.integer({ min: 0, max: 59 }),
  type: fc.constantFrom("compute.instance.create.end", "volume.create.end", "port.update.end"),
  host: fc.constantFrom("h1", "h2", "h3"),
  image: fc.constantFrom("i1", "i2"),
  severity: fc.constantFrom(...severities),
  owner: fc.integer({ min: 0, max: 1 }),
  words: fc.constantFrom("NoValidHost was told", "DBConnectionError: gone, HTTP 503", "all is well"),
});

function toEvent(told: Told, key: string, base: number): StorableEvent {
  const of = draft(key, base + told.at, {
    type: told.type,
    severity: told.severity,
    summary: told.words,
    actor: { userName: `user-${told.host}` },
    related: [
      { role: "host", ref: { kind: "host", id: told.host } },
      { role: "image", ref: { kind: "image", id: told.image } },
    ],
  });
  const tenant = tenants[told.owner]!;
  return event(of, tenant, { editions: [edition(of, tenant, { related: of.related.slice(1) })] });
}

/** The same counts as the statement makes, by going through all events. */
function countByHand(told: readonly Told[], isInside: (one: Told) => boolean): Record<string, string> {
  const counts = new Map<string, [number, number]>();
  for (const one of told) {
    const isError = severities.indexOf(one.severity) >= 2;
    const values = [
      `type=${one.type}`,
      `severity=${one.severity}`,
      `host=${one.host}`,
      `image=${one.image}`,
      `actor=user-${one.host}`,
      `tenant=project/${tenants[one.owner]!.projectId}`,
      ...(isError && one.words.startsWith("DB") ? ["exception=DBConnectionError", "error code=503"] : []),
    ];
    for (const value of values) {
      const [inside, outside] = counts.get(value) ?? [0, 0];
      counts.set(value, isInside(one) ? [inside + 1, outside] : [inside, outside + 1]);
    }
  }
  const frequent = [...counts].filter(([, [inside, outside]]) => inside + outside > 1);
  return Object.fromEntries(frequent.map(([value, pair]) => [value, pair.join("/")]));
}

let stretch = 0;
/** An hour that no other run has used, with the events in it. */
async function storeHour(told: readonly Told[]): Promise<number> {
  stretch += 1;
  const base = stretch * 120;
  const events = told.map((one, index) => toEvent(one, `e-${stretch}-${index}`, base));
  await db.store.events.append(page(events));
  return base;
}

function question(base: number, split = 30): AttributeQuestion {
  return {
    selection: { from: minute(base + split), to: minute(base + 60) },
    baseline: { filter: {}, spans: [{ from: minute(base), to: minute(base + split) }] },
  };
}

const compared = ["type", "severity", "host", "image", "actor", "tenant", "exception", "error code"];

describe("counting attributes", () => {
  it("is exact, and gives what going through the events gives", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyTold, { minLength: 1, maxLength: 40 }), async (told) => {
        const base = await storeHour(told);
        const counts = await db.store.reader.attributeCounts(provider, question(base));
        const isInside = ({ at }: Told) => at >= 30;
        expect(counts.inside).toBe(told.filter(isInside).length);
        expect(counts.outside).toEqual([told.length - counts.inside]);
        expect(counts.truncated).toBe(false);
        const given = counts.values
          .filter(({ attribute }) => compared.includes(attribute))
          .map(({ attribute, value, inside, outside }) => [`${attribute}=${value}`, `${inside}/${outside}`]);
        expect(Object.fromEntries(given)).toEqual(countByHand(told, isInside));
      }),
      { numRuns: 15 },
    );
  });

  it("takes no event of the selection for usual, whatever the baseline's filter says", async () => {
    const told = Array.from({ length: 8 }, (_, at): Told => {
      return {
        at,
        type: "port.update.end",
        host: at < 3 ? "h1" : "h2",
        image: "i1",
        severity: "info",
        owner: 0,
        words: "",
      };
    });
    const base = await storeHour(told);
    const whole = { from: minute(base), to: minute(base + 60) };
    const counts = await db.store.reader.attributeCounts(provider, {
      selection: { ...whole, resource: parseEntityKey("host:h1") },
      baseline: { filter: {}, spans: [whole] },
    });
    expect([counts.inside, counts.outside]).toEqual([3, [5]]);
    expect(counts.values.find(({ value }) => value === "h1")).toMatchObject({ inside: 3, outside: 0 });
  });

  it("counts for a tenant its own editions alone, by what stands in them", async () => {
    const told = Array.from({ length: 10 }, (_, at): Told => {
      return {
        at: at * 6,
        type: "port.update.end",
        host: "h1",
        image: "i1",
        severity: "info",
        owner: at % 2,
        words: "",
      };
    });
    const base = await storeHour(told);
    const scope: Scope = { kind: "tenant", label: "red", keys: [tenantKey(tenants[0]!)] };
    const counts = await db.store.reader.attributeCounts(scope, question(base));
    expect([counts.inside, counts.outside]).toEqual([2, [3]]);
    expect(counts.values).toContainEqual({ attribute: "image", value: "i1", inside: 2, outside: 3 });
    const attributes = new Set(counts.values.map(({ attribute }) => attribute));
    for (const foreign of ["host", "actor", "connection", "source", "tenant"])
      expect(attributes.has(foreign)).toBe(false);
    const none = await db.store.reader.attributeCounts(
      { kind: "tenant", label: "none", keys: [] },
      question(base),
    );
    expect(none).toEqual({ inside: 0, outside: [0], truncated: false, values: [] });
  });
});
