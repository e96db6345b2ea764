import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseEntityKey } from "../src/model/entity.ts";
import type { EventDraft, StoredEvent } from "../src/model/event.ts";
import type { KnownFact } from "../src/model/topology.ts";
import type { RulingAnswer, RulingMatch } from "../src/model/ruling.ts";
import { decide } from "../src/pipeline/decisions.ts";
import type { Stages } from "../src/pipeline/ingest.ts";
import { groupByPlace, reattribute, resolveStored } from "../src/pipeline/reattribute.ts";
import { openRulings } from "../src/pipeline/rulings.ts";
import { loadSurroundings, viewOf } from "../src/pipeline/surroundings.ts";
import type { Reattribution, ResolvedPage, StatedFact } from "../src/store/event-store.ts";
import type { RulingVersion } from "../src/store/ruling-store.ts";
import { eventId } from "../src/store/postgres/event-id.ts";
import { openTestStore, type TestStore } from "./database.ts";
import { connection, controlPlane, draft, fact, minute, page } from "./drafts.ts";
import { ruledStagesOver } from "./stages.ts";

let db: TestStore;
let stages: Stages;
beforeAll(async () => {
  db = await openTestStore();
  stages = ruledStagesOver(db.store);
});
afterAll(() => db.close());

/** What happens: a record that tells an event, a fact or both, or a version of a ruling. */
type Step =
  | { readonly events: readonly EventDraft[]; readonly facts: readonly StatedFact[] }
  | { readonly ruling: RulingVersion };

const at = fc.integer({ min: 0, max: 12 });
const factArbitrary = fc.oneof(
  fc.record({
    from: fc.constantFrom("server:s", "volume:v"),
    relation: fc.constant("owned_by" as const),
    to: fc.constantFrom("project:a", "project:b"),
    at,
  }),
  fc.constantFrom({ from: "project:a", relation: "part_of" as const, to: "domain:one", at: 0 }),
);
const eventArbitrary = fc.record({
  subject: fc.constantFrom("server:s", "volume:v", "name:web-1"),
  at,
  storm: fc.boolean(),
});
const matchArbitrary = fc.oneof(
  fc.record({ type: fc.constantFrom("alert.*", "alert.cpu.firing") }),
  fc.record({ subject: fc.constantFrom("server:s", "name:web-1").map(parseEntityKey) }),
  fc.record({ alias: fc.constant(parseEntityKey("name:web-1")), from: at.map(minute) }),
  // Also of an event that is stored after the ruling, or never.
  fc.record({
    eventId: fc.integer({ min: 0, max: 5 }).map((n) => eventId(connection.name, "main", `record-${n}`)),
  }),
);
const answerArbitrary = fc.constantFrom<RulingAnswer>(
  { kind: "provider" },
  { kind: "tenant", owner: { kind: "project", id: "a" } },
  { kind: "tenant", owner: { kind: "project", id: "b" } },
);
const versionArbitrary = fc.record({
  match: matchArbitrary,
  answer: answerArbitrary,
  withdrawn: fc.boolean(),
});

const stepsArbitrary = fc
  .record({
    told: fc.array(fc.record({ event: fc.option(eventArbitrary), fact: fc.option(factArbitrary) }), {
      minLength: 1,
      maxLength: 6,
    }),
    rulings: fc.array(fc.array(versionArbitrary, { minLength: 1, maxLength: 3 }), {
      minLength: 1,
      maxLength: 2,
    }),
  })
  .map(({ told, rulings }) => ({
    told: told.map((one, n) => tell(n, one.event, one.fact)),
    rulings: rulings.map((versions, n) =>
      versions.map((version, index) => ({ ruling: toVersion(n, index, version) })),
    ),
  }));

function toVersion(
  n: number,
  index: number,
  given: { match: RulingMatch; answer: RulingAnswer; withdrawn: boolean },
): RulingVersion {
  const words = { by: "provider", why: "tested", decidedAt: minute(20 + n) };
  const match = { controlPlane, ...given.match };
  // A withdrawal comes after something that it withdraws.
  const withdrawn = given.withdrawn && index > 0;
  return { id: `rul_${n}`, version: index + 1, match, answer: given.answer, withdrawn, ...words };
}

function tell(
  n: number,
  event: { subject: string; at: number; storm: boolean } | null,
  stated: { from: string; relation: "owned_by" | "part_of"; to: string; at: number } | null,
): Step {
  const name = `record-${n}`;
  const alert = { type: "alert.cpu.firing", kind: "symptom", category: "monitoring" } as const;
  return {
    events:
      event === null
        ? []
        : [
            draft(name, event.at, {
              ...alert,
              subject: parseEntityKey(event.subject),
              details: { storm: event.storm },
            }),
          ],
    facts:
      stated === null
        ? []
        : [
            fact(stated.from, stated.relation, stated.to, stated.at, {
              sourceId: stated.relation === "part_of" ? "i" : name,
            }),
          ],
  };
}

/** Resolves a page as `ingest` does, and leaves it to the caller when to store it. */
async function resolvePage(steps: readonly Step[]): Promise<ResolvedPage> {
  const told = steps.flatMap((step) => ("ruling" in step ? [] : [step]));
  const drafts = told.flatMap(({ events }) => events);
  const facts = told.flatMap((step) => step.facts);
  const topologyMark = await stages.topology.mark();
  const place = { name: connection.name, source: connection.source, controlPlane };
  const ruled = await openRulings(stages.rulings, place);
  const known = await loadSurroundings(stages.topology, controlPlane, drafts, ruled.ownerKeys(drafts));
  const own = facts.map((one): KnownFact => {
    return { ...one, controlPlane, connection: connection.name, recordedAt: one.at };
  });
  const view = viewOf(stages.buildView, controlPlane, known, own);
  const events = ruled.apply(stages.resolve(drafts, connection.name, view), view).map((one) => ({
    ...one,
    editions: stages.redact(one.draft, one.attribution, one.ownEntities),
    ...(one.draft.details["storm"] === true ? { storm: true as const } : {}),
  }));
  return page(events, { facts, topologyMark, rulingsVersion: ruled.version! });
}

async function rule(version: RulingVersion): Promise<void> {
  await decide(
    { clean: stages.clean, decisions: db.store.decisions },
    { kind: "ruling", version },
    {
      key: `ruling/${version.id}/${version.version}`,
      type: "isochron.ruling.made",
      subject: { kind: "ruling", id: version.id },
      summary: "ruled",
      by: version.by,
      why: version.why,
      at: version.decidedAt,
      details: {},
    },
  );
}

/** The first half of a round of re-attribution; the second half writes what was answered here. */
async function answerDue(): Promise<() => Promise<unknown>> {
  const due = await stages.store.dueForAttribution(500);
  const set = await stages.rulings!.book.current();
  const answers: Reattribution[] = [];
  for (const [place, group] of groupByPlace(due.events)) {
    const resolved = await resolveStored(stages, place, group, set);
    group.forEach((event: StoredEvent, index) => {
      const { attribution, dependsOn, ownEntities } = resolved[index]!;
      const editions = stages.redact(event, attribution, ownEntities);
      answers.push({ eventId: event.id, occurredAt: event.occurredAt, attribution, dependsOn, editions });
    });
  }
  return () => stages.store.reattributed(due, answers, set.version);
}

interface Order {
  readonly steps: readonly Step[];
  /** How many steps later a page is stored than it was resolved. */
  readonly delays: readonly number[];
}

async function clear(): Promise<void> {
  await db.sql(`TRUNCATE isochron.event, isochron.tenant_event, isochron.delivery, isochron.topology_fact,
    isochron.reattribution_due, isochron.pending_attribution, isochron.attribution_revision, isochron.ruling,
    isochron.ruling_search, isochron.storm_member, isochron.storm_member_edition`);
  await db.sql("TRUNCATE isochron.topology_run");
  // Nobody may take what was known of the rulings before for what stands now.
  await db.sql("UPDATE isochron.ruling_set SET version = version + 1");
  await db.store.events.connect(connection);
}

async function run({ steps, delays }: Order): Promise<unknown> {
  await clear();
  const held: { readonly due: number; readonly write: () => Promise<unknown> }[] = [];
  for (const [index, step] of steps.entries()) {
    if ("ruling" in step) await rule(step.ruling);
    else {
      const resolved = await resolvePage([step]);
      held.push({ due: index + (delays[index] ?? 0), write: () => stages.store.append(resolved) });
    }
    for (const write of held.splice(0).filter((one) => (one.due <= index ? true : (held.push(one), false)))) {
      await write.write();
    }
    // A round that another process is in the middle of while the next step happens.
    const delay = delays[index] ?? 0;
    if (delay > 0) held.push({ due: index + delay, write: await answerDue() });
    else await reattribute(stages);
  }
  for (const { write } of held) await write();
  await reattribute(stages);
  return answers();
}

/** What is stored of each event that a source told; of a storm's, its member. */
async function answers(): Promise<unknown> {
  const events = await db.sql(
    `SELECT id, attribution, edition_keys FROM isochron.event WHERE connection = $1 AND NOT starts_with(key, 'storm/')
     UNION ALL
     SELECT id, attribution::jsonb, edition_keys FROM isochron.storm_member ORDER BY id`,
    [connection.name],
  );
  const due = await db.sql("SELECT entity_key FROM isochron.reattribution_due");
  const searches = await db.sql("SELECT id FROM isochron.ruling_search");
  return { events, due, searches };
}

test("rulings, withdrawals, facts and events end in the same answers, in whatever order and however they overlap", async () => {
  await fc.assert(
    fc.asyncProperty(
      stepsArbitrary.chain(({ told, rulings }) => {
        const steps = [...rulings.flat(), ...told];
        return fc.record({
          atOnce: fc.constant<Order>({ steps, delays: [] }),
          order: fc
            .shuffledSubarray(
              steps.map((_, index) => index),
              { minLength: steps.length },
            )
            .map((places) => inTurn(places.map((place) => steps[place]!))),
          delays: fc.array(fc.integer({ min: 0, max: 2 }), {
            minLength: steps.length,
            maxLength: steps.length,
          }),
        });
      }),
      async ({ atOnce, order, delays }) => {
        const expected = await run(atOnce);
        expect(await run({ steps: order, delays })).toEqual(expected);
      },
    ),
    { numRuns: 40 },
  );
}, 300_000);

test("an answer that was found before a ruling and is written after it is asked about again", async () => {
  await clear();
  await stages.store.append(
    await resolvePage([tell(0, { subject: "name:web-1", at: 1, storm: false }, null)]),
  );
  await db.sql(
    `INSERT INTO isochron.reattribution_due (control_plane, entity_key, since)
     SELECT DISTINCT control_plane, entity_key, '-infinity'::timestamptz FROM isochron.pending_attribution`,
  );
  const write = await answerDue();
  const match = { alias: parseEntityKey("name:web-1") };
  await rule(toVersion(0, 0, { match, answer: { kind: "provider" }, withdrawn: false }));
  await reattribute(stages);
  await write();
  await reattribute(stages);
  expect(await answers()).toMatchObject({ events: [{ attribution: { status: "provider" } }], due: [] });
});

/** Any order, but the versions of one ruling in theirs. */
function inTurn(steps: readonly Step[]): readonly Step[] {
  const versions = Map.groupBy(
    steps.flatMap((step) => ("ruling" in step ? [step.ruling] : [])),
    ({ id }) => id,
  );
  for (const own of versions.values()) own.sort((a, b) => a.version - b.version);
  return steps.map((step) => ("ruling" in step ? { ruling: versions.get(step.ruling.id)!.shift()! } : step));
}
