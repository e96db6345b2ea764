import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../test/database.ts";
import { connection, controlPlane, draft, fact, minute, page } from "../../test/drafts.ts";
import { relatedAs } from "../../test/facts.ts";
import { redact } from "../../test/redact.ts";
import { entityKey } from "../model/entity.ts";
import type { EventDraft } from "../model/event.ts";
import type { Scope } from "../model/scope.ts";
import { projectKey } from "../model/tenant.ts";
import { createResolver } from "../resolve/graph-resolver.ts";
import { buildTopologyView } from "../resolve/topology-view.ts";
import type { FeedPosition, VisibleEvent } from "../store/event-reader.ts";
import type { StatedFact } from "../store/event-store.ts";
import { withEditions } from "./editions.ts";
import type { Stages } from "./ingest.ts";
import { reattribute } from "./reattribute.ts";
import { loadSurroundings, viewOf } from "./surroundings.ts";

let db: TestStore;
let stages: Stages;
beforeEach(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
  stages = {
    decoders: undefined as never,
    clean: (observation) => observation,
    resolve: createResolver({ providerDomains: new Set() }),
    buildView: buildTopologyView,
    redact,
    store: db.store.events,
    topology: db.store.topology,
    now: () => minute(60),
  };
});
afterEach(() => db.close());

const provider: Scope = { kind: "provider" };
const owner: Scope = { kind: "tenant", label: "a", keys: [projectKey(controlPlane, "a")] };

/** An attachment that states its owner, and names a volume and a host beside the server. */
const attachment = draft("attached", 5, {
  type: "compute.instance.volume.attach.end",
  kind: "symptom",
  subject: { kind: "server", id: "s" },
  related: relatedAs("volume volume:v", "host host:h", "attached_server server:t"),
  stated: { owner: { kind: "project", id: "a" }, path: "payload.tenant_id" },
});

async function store(of: EventDraft, storm: boolean): Promise<void> {
  const topologyMark = await stages.topology.mark();
  const known = await loadSurroundings(stages.topology, controlPlane, [of]);
  const view = viewOf(stages.buildView, controlPlane, known);
  const events = stages
    .resolve([of], connection.name, view)
    .map((one) => ({ ...withEditions(one, redact), ...(storm ? { storm: true as const } : {}) }));
  await stages.store.append(page(events, { topologyMark }));
  await reattribute(stages);
}

/** Learns a fact, and gives how many events are another's, or shown otherwise, since. */
async function learn(one: StatedFact): Promise<number> {
  await stages.store.append(page([], { facts: [one] }));
  return reattribute(stages);
}

function besideOf(events: readonly VisibleEvent[]): readonly (readonly string[])[] {
  return events.map(({ event }) => event.related.map(({ ref }) => entityKey(ref)));
}

/** What the owner is shown beside the subject, of the event or of the fold's only member. */
async function shown(storm: boolean): Promise<readonly (readonly string[])[]> {
  const all = { limit: 10, order: "oldest" } as const;
  const { events } = await db.store.reader.timeline(owner, {}, all);
  if (!storm) return besideOf(events);
  return besideOf((await db.store.reader.members(owner, events[0]!.event.id, all)).events);
}

const inDomain = fact("project:a", "part_of", "domain:d", 0);

test.each([false, true])(
  "the owner is shown a thing once it is told to be the owner's, and no longer once it was another's (in a storm: %s)",
  async (storm) => {
    await stages.store.append(page([], { facts: [inDomain] }));
    await store(attachment, storm);
    expect(await shown(storm)).toEqual([[]]);
    expect(await learn(fact("volume:v", "owned_by", "project:a", 5))).toBe(1);
    expect(await shown(storm)).toEqual([["volume:v"]]);
    expect(await learn(fact("volume:v", "owned_by", "project:a", 3))).toBe(0);
    expect(await learn(fact("volume:v", "owned_by", "project:b", 5))).toBe(1);
    expect(await shown(storm)).toEqual([[]]);
  },
);

test("who follows is told again of what is shown otherwise, and only then; the provider is not", async () => {
  await stages.store.append(page([], { facts: [inDomain] }));
  await store(attachment, false);
  const read = async (scope: Scope, after?: FeedPosition) => db.store.reader.feed(scope, after, 10);
  const [before, providers] = [(await read(owner)).position, (await read(provider)).position];
  await learn(fact("volume:v", "owned_by", "project:a", 5));
  const told = await read(owner, before);
  expect(besideOf(told.events)).toEqual([["volume:v"]]);
  await learn(fact("volume:v", "owned_by", "project:a", 3));
  expect((await read(owner, told.position)).events).toEqual([]);
  expect((await read(provider, providers)).events).toEqual([]);
});

test("an event that states its owner waits for what it may show, for nothing else beside it, and for none that the provider keeps", () => {
  const view = buildTopologyView(controlPlane, [
    { ...inDomain, controlPlane, connection: connection.name, recordedAt: minute(0) },
  ]);
  const waitsFor = (of: EventDraft) =>
    stages.resolve([of], connection.name, view).map((one) => withEditions(one, redact).dependsOn);
  expect(waitsFor(attachment)).toEqual([["volume:v"]]);
  expect(waitsFor({ ...attachment, visibility: "provider" })).toEqual([[]]);
});
