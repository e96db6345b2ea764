import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { redact } from "./redact.ts";
import { withEditions } from "../src/pipeline/editions.ts";
import type { Stages } from "../src/pipeline/ingest.ts";
import { reattribute } from "../src/pipeline/reattribute.ts";
import { loadSurroundings, viewOf } from "../src/pipeline/surroundings.ts";
import { createResolver } from "../src/resolve/graph-resolver.ts";
import { buildTopologyView } from "../src/resolve/topology-view.ts";
import type { ResolvedPage, StatedFact } from "../src/store/event-store.ts";
import type { EventDraft } from "../src/model/event.ts";
import type { Instant } from "../src/model/instant.ts";
import type { KnownFact, Relation } from "../src/model/topology.ts";
import { openTestStore, type TestStore } from "./database.ts";
import { connection, controlPlane, draft, fact, page } from "./drafts.ts";
import { relatedAs } from "./facts.ts";

let db: TestStore;
let stages: Stages;
beforeAll(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
  stages = {
    decoders: undefined as never,
    clean: (observation) => observation,
    resolve: createResolver({ providerDomains: new Set(["ops"]) }),
    buildView: buildTopologyView,
    redact,
    store: db.store.events,
    topology: db.store.topology,
    now: () => Date.now() as Instant,
  };
});
afterAll(() => db.close());

/** What one record tells: an event, a fact, or both. */
interface Told {
  readonly events: readonly EventDraft[];
  readonly facts: readonly StatedFact[];
}

const things = ["volume:v", "server:s", "port:x", "ip:10.0.0.1", "snapshot:n", "backend:k"] as const;
const at = fc.integer({ min: 0, max: 12 });
const factArbitrary = fc.oneof(
  fc.record({
    from: fc.constantFrom("volume:v", "server:s", "port:x"),
    relation: fc.constant("owned_by" as const),
    to: fc.constantFrom("project:a", "project:b"),
    at,
    holds: fc.boolean(),
  }),
  fc.record({
    from: fc.constant("port:x"),
    relation: fc.constant("has_address" as const),
    to: fc.constant("ip:10.0.0.1"),
    at,
    holds: fc.boolean(),
  }),
  fc.record({
    from: fc.constant("snapshot:n"),
    relation: fc.constant("copy_of" as const),
    to: fc.constant("volume:v"),
    at,
    holds: fc.constant(true),
  }),
  // What stands on a place, and what its owner calls it, is told in the notices of what befalls the place.
  fc.record({
    from: fc.constant("volume:v"),
    relation: fc.constant("stored_on" as const),
    to: fc.constant("backend:k"),
    at,
    holds: fc.boolean(),
  }),
  fc.record({
    from: fc.constant("volume:v"),
    relation: fc.constant("named" as const),
    to: fc.constantFrom("name:data", "name:logs"),
    at,
    holds: fc.constant(true),
  }),
  // A project stays in its domain for life (Keystone), so answers do not wait for another one.
  fc.constantFrom(
    { from: "project:a", relation: "part_of" as const, to: "domain:one", at: 0, holds: true },
    { from: "project:b", relation: "part_of" as const, to: "domain:ops", at: 0, holds: true },
  ),
  fc.record({
    from: fc.constant("request:r"),
    relation: fc.constant("concerns" as const),
    to: fc.constantFrom("project:a", "project:b"),
    at,
    holds: fc.constant(true),
  }),
);
/** Things beside the subject that its owner is shown where they are its own too, in roles that may and may not be shown. */
const beside = fc.subarray(["server server:s", "volume volume:v", "port port:x", "attached_server server:s"]);
const eventArbitrary = fc.record({
  subject: fc.constantFrom(...things),
  at,
  asked: fc.boolean(),
  beside,
  stated: fc.boolean(),
});
const recordsArbitrary = fc
  .array(fc.record({ event: fc.option(eventArbitrary), fact: fc.option(factArbitrary) }), {
    minLength: 2,
    maxLength: 12,
  })
  .map((records) => records.map((record, n) => tell(n, record.event, record.fact)));

function tell(
  n: number,
  event: { subject: string; at: number; asked: boolean; beside: string[]; stated: boolean } | null,
  stated: { from: string; relation: Relation; to: string; at: number; holds: boolean } | null,
): Told {
  const name = `record-${n}`;
  const [kind, ...id] = (event?.subject ?? "server:s").split(":");
  return {
    events:
      event === null
        ? []
        : [
            draft(name, event.at, {
              subject: { kind: kind!, id: id.join(":") },
              related: relatedAs(...event.beside),
              ...(kind === "backend" ? { kind: "symptom" as const } : {}),
              ...(event.stated && kind !== "backend"
                ? { stated: { owner: { kind: "project" as const, id: "a" }, path: "payload.tenant_id" } }
                : {}),
              ...(event.asked ? { actor: { userId: "u" }, operation: { requestId: "r" } } : {}),
            }),
          ],
    facts:
      stated === null
        ? []
        : [
            fact(stated.from, stated.relation, stated.to, stated.at, {
              holds: stated.holds,
              sourceId: stated.relation === "part_of" ? "inventory" : name,
            }),
          ],
  };
}

/** Resolves a page as the pipeline does, and leaves it to the caller when to store it. */
async function resolvePage(records: readonly Told[]): Promise<ResolvedPage> {
  const drafts = records.flatMap(({ events }) => events);
  const facts = records.flatMap((record) => record.facts);
  const topologyMark = await stages.topology.mark();
  const known = await loadSurroundings(stages.topology, controlPlane, drafts);
  const own = facts.map((one): KnownFact => ({
    ...one,
    controlPlane,
    connection: connection.name,
    recordedAt: one.at,
  }));
  const resolved = stages.resolve(
    drafts,
    connection.name,
    viewOf(stages.buildView, controlPlane, known, own),
  );
  const events = resolved.map((one) => withEditions(one, redact));
  return page(events, { facts, topologyMark });
}

async function digestOf(pages: readonly (readonly Told[])[], overlapping: boolean): Promise<string> {
  await db.sql(`TRUNCATE isochron.event, isochron.tenant_event, isochron.delivery, isochron.topology_fact,
    isochron.reattribution_due, isochron.pending_attribution, isochron.attribution_revision`);
  for (let n = 0; n < pages.length; n += overlapping ? 2 : 1) {
    const resolved = [await resolvePage(pages[n]!)];
    // Two workers: the second page is resolved before the first one is stored.
    if (overlapping && n + 1 < pages.length) resolved.push(await resolvePage(pages[n + 1]!));
    for (const one of resolved) {
      await stages.store.append(one);
      await reattribute(stages);
    }
  }
  return db.store.digest();
}

/** What tenants are shown: everything that they can read but when it was recorded. */
function readShown(): Promise<readonly unknown[]> {
  return db.sql(`SELECT to_jsonb(t) - ARRAY['recorded_at', 'feed_xid', 'first_xid'] AS shown
    FROM isochron.tenant_event AS t ORDER BY tenant_key, id`);
}

test("facts and events end in the same answers, with the same evidence, and tenants are shown the same, in whatever order they come", async () => {
  await fc.assert(
    fc.asyncProperty(
      recordsArbitrary.chain((records) =>
        fc.tuple(fc.constant(records), fc.shuffledSubarray(records, { minLength: records.length })),
      ),
      fc.boolean(),
      async ([records, shuffled], overlapping) => {
        const oneByOne = await digestOf(
          records.map((record) => [record]),
          false,
        );
        const shown = await readShown();
        const pairs = shuffled.flatMap((_, n) => (n % 2 === 0 ? [shuffled.slice(n, n + 2)] : []));
        const inPairs = await digestOf(pairs, overlapping);
        expect(await readShown()).toEqual(shown);
        expect(inPairs).toBe(oneByOne);
      },
    ),
    { numRuns: 40 },
  );
}, 120_000);

const toldOfVolume = fc.tuple(
  fc.array(fc.record({ name: fc.constantFrom("data", "logs"), at }), { minLength: 1, maxLength: 3 }),
  fc.option(at),
);

test("notices call a volume the same, in whatever order its names, its place and its owners are told", async () => {
  await fc.assert(
    fc.asyncProperty(
      toldOfVolume.chain(([given, transfer]) => {
        const facts: Parameters<typeof tell>[2][] = [
          { from: "project:a", relation: "part_of", to: "domain:one", at: 0, holds: true },
          { from: "volume:v", relation: "owned_by", to: "project:a", at: 0, holds: true },
          { from: "volume:v", relation: "stored_on", to: "backend:k", at: 1, holds: true },
          ...given.map(({ name, at: when }) => {
            return {
              from: "volume:v",
              relation: "named",
              to: `name:${name}`,
              at: when,
              holds: true,
            } as const;
          }),
          ...(transfer === null
            ? []
            : [
                {
                  from: "volume:v",
                  relation: "owned_by",
                  to: "project:c",
                  at: transfer,
                  holds: true,
                } as const,
              ]),
        ];
        const failure = { subject: "backend:k", at: 6, asked: false, beside: [], stated: false };
        const records = [tell(0, failure, null), ...facts.map((one, n) => tell(n + 1, null, one))];
        return fc.tuple(fc.constant(records), fc.shuffledSubarray(records, { minLength: records.length }));
      }),
      async ([records, shuffled]) => {
        const digest = await digestOf([records], false);
        const shown = await readShown();
        expect(
          await digestOf(
            shuffled.map((record) => [record]),
            false,
          ),
        ).toBe(digest);
        expect(await readShown()).toEqual(shown);
      },
    ),
    { numRuns: 25 },
  );
}, 120_000);
