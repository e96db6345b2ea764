import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type {
  EventJson,
  EventsPageJson,
  HistogramJson,
  OwnershipJson,
  ResourceJson,
} from "../src/present/api/contract.ts";
import type { WhatElseJson } from "../src/present/api/what-else-contract.ts";
import { get, getJson } from "./api-host.ts";
import { tokenText } from "./api-world.ts";
import { runCanned } from "./cli-host.ts";
import { eventually } from "./eventually.ts";
import { LiveFollower } from "./live-follower.ts";
import {
  alertAt,
  arrivals,
  createdAt,
  donor,
  markerOf,
  projectsMovedAt,
  recipient,
  TransferWorld,
  volumeId,
} from "./transfer-world.ts";

/** A volume that was handed from one project to another, as Cinder told of one in our own lab. */

type Side = "donor" | "recipient";
const sides = { donor, recipient } as const;
const otherOf = (side: Side): Side => (side === "donor" ? "recipient" : "donor");

/** By type and second, so that what is compared does not depend on ids. */
const past = [
  "volume.create.start",
  "volume.create.end",
  "alert",
  "volume.transfer.create.end",
  "volume.transfer.accept.start",
];
const future = ["volume.transfer.accept.end", "snapshot.create.end", "alert"];

const isAlert = ({ kind }: EventJson) => kind === "symptom";
const wordsOf = (events: readonly EventJson[]) =>
  events
    .filter(({ subject }) => !subject.id.startsWith("marker-"))
    .map((event) => (isAlert(event) ? "alert" : event.type));

const timelineOf = async (world: TransferWorld, as: string, query = "") =>
  (await getJson<EventsPageJson>(world.api, `/events?order=oldest&limit=200${query}`, as)).events;

/** Whatever tells of the one must hold nothing of the other: its ids, its project, its domain, its request. */
function foreignTo(side: Side, events: readonly EventJson[]): readonly string[] {
  const { projectId, domainId } = sides[otherOf(side)];
  return [projectId, domainId, ...events.map(({ id }) => id)];
}

function expectNothingForeign(text: string, foreign: readonly string[]): void {
  for (const word of foreign) expect(text).not.toContain(word);
}

describe("a volume that is handed over while both tenants follow", () => {
  let world: TransferWorld;
  const streams = new Map<string, LiveFollower>();
  const own = new Map<Side, readonly EventJson[]>();

  beforeAll(async () => {
    world = await TransferWorld.open();
    for (const as of ["provider", "donor", "recipient"]) {
      streams.set(as, await LiveFollower.open(world.port, as));
    }
    const { projects, domains, create, alertBefore, offer, listedBefore, alertAfter } = arrivals;
    // The second alert comes before anybody has told of the transfer.
    await world.take(projects, domains, create, alertBefore, offer, listedBefore, alertAfter);
    const { acceptStart, acceptEnd, snapshot, listedAfter } = arrivals;
    await world.take(acceptStart, acceptEnd, snapshot, listedAfter);
    await world.take(markerOf(donor.projectId), markerOf(recipient.projectId));
    for (const side of ["donor", "recipient"] as const) own.set(side, await timelineOf(world, side));
  });
  afterAll(async () => {
    for (const stream of streams.values()) await stream.close();
    await world.close();
  });

  test("leaves its past with the one and its future with the other", () => {
    expect(wordsOf(own.get("donor")!)).toEqual(past);
    expect(wordsOf(own.get("recipient")!)).toEqual(future);
  });

  test.each(["donor", "recipient"] as const)(
    "shows the %s nothing of the other in any read",
    async (side) => {
      const foreign = foreignTo(side, own.get(otherOf(side))!);
      const [mine] = own.get(side)!;
      const paths = [
        "/events?limit=200",
        `/events?q=${volumeId}`,
        `/events?resource=volume/${volumeId}`,
        `/resources/volume/${volumeId}`,
        `/resources/volume/${volumeId}?at=2026-11-21T01:14:54.300Z`,
        `/what-else?resource=volume/${volumeId}&at=2026-11-21T01:29:00Z`,
        ...own
          .get(side)!
          .flatMap(({ id }) => [
            `/events/${id}`,
            `/events/${id}/ownership`,
            `/events/${id}/members`,
            `/what-else?event=${id}`,
          ]),
        "/session",
        "/tenants",
      ];
      for (const path of paths) {
        const answer = await get(world.api, path, side);
        expect([path, answer.statusCode]).toEqual([path, 200]);
        expectNothingForeign(answer.body, foreign);
      }
      const why = await getJson<OwnershipJson>(world.api, `/events/${mine!.id}/ownership`, side);
      expect(why).toEqual({
        event_id: mine!.id,
        attribution: mine!.attribution,
        summary: mine!.attribution.because,
        history: [],
      });
      expect(why.attribution).toMatchObject({ evidence: [], affected: [] });
    },
  );

  test.each(["donor", "recipient"] as const)(
    "counts, ranks and finds for the %s its own alone",
    async (side) => {
      const span = "from=2026-11-21T01:00:00Z&to=2026-11-21T01:28:00Z";
      const mine = own.get(side)!.filter(({ subject }) => !subject.id.startsWith("marker-"));
      const histogram = await getJson<HistogramJson>(world.api, `/histogram?${span}&bins=7`, side);
      expect(histogram.total).toBe(mine.length);
      const found = await timelineOf(world, side, `&q=${volumeId}`);
      expect(new Set(found.map(({ id }) => id)).isSubsetOf(new Set(mine.map(({ id }) => id)))).toBe(true);
      const around = await timelineOf(world, side, `&resource=volume/${volumeId}`);
      expect(around.length).toBeGreaterThan(1);
      const last = mine.at(-1)!;
      const ranked = await getJson<WhatElseJson>(world.api, `/what-else?event=${last.id}`, side);
      expect(ranked.checked.events).toBeLessThanOrEqual(mine.length);
    },
  );

  test.each(["donor", "recipient"] as const)(
    "tells the %s only of the stretch that was its own",
    async (side) => {
      const resource = await getJson<ResourceJson>(world.api, `/resources/volume/${volumeId}`, side);
      expect(resource.ownership.map(({ owner }) => owner.id)).toEqual([sides[side].projectId]);
      const handedOver = expect.stringMatching(/^2026-11-21T01:14:55/);
      expect(resource.ownership[0]).toMatchObject(
        side === "donor" ? { valid_until: handedOver } : { valid_from: handedOver, valid_until: null },
      );
      expect(resource.ownership[0]).not.toHaveProperty("known_since");
      expect(resource.ownership[0]).not.toHaveProperty("stated_by");
      const ownerAt = async (at: string) =>
        (await getJson<ResourceJson>(world.api, `/resources/volume/${volumeId}?at=${at}`, side)).owner
          ?.project_id;
      const handed =
        side === "donor" ? resource.ownership[0]!.valid_until! : resource.ownership[0]!.valid_from;
      const justBefore = new Date(Date.parse(handed) - 1).toISOString();
      expect([await ownerAt(justBefore), await ownerAt(handed)]).toEqual(
        side === "donor" ? [donor.projectId, undefined] : [undefined, recipient.projectId],
      );
      const provider = await getJson<ResourceJson>(world.api, `/resources/volume/${volumeId}`, "provider");
      expect(provider.ownership.map(({ owner }) => owner.id)).toEqual([donor.projectId, recipient.projectId]);
      const refused = await get(
        world.api,
        `/resources/volume/${volumeId}?known_at=2026-11-21T01:00:00Z`,
        side,
      );
      expect(refused.statusCode).toBe(400);
    },
  );

  test.each(["donor", "recipient"] as const)(
    "refuses the %s the other's ids as ids that there are not",
    async (side) => {
      const missing = "evt_aaaaaaaaaaaaaaaaaaaaaaaaaa";
      const routes = [
        (id: string) => `/events/${id}`,
        (id: string) => `/events/${id}/ownership`,
        (id: string) => `/events/${id}/members`,
        (id: string) => `/what-else?event=${id}`,
        (id: string) => `/live?last_event_id=${id}`,
      ];
      const lost = streams.get("donor")!.retracted;
      const theirs = own
        .get(otherOf(side))!
        .map(({ id }) => id)
        .filter((id) => side === "recipient" || !lost.includes(id));
      for (const route of routes) {
        const unknown = await get(world.api, route(missing), side);
        expect(unknown.statusCode).toBeGreaterThanOrEqual(400);
        for (const id of theirs) {
          const answer = await get(world.api, route(id), side);
          const { "x-request-id": _a, date: _b, ...headers } = answer.headers;
          const { "x-request-id": _c, date: _d, ...expected } = unknown.headers;
          expect([answer.statusCode, answer.body, headers]).toEqual([
            unknown.statusCode,
            unknown.body,
            expected,
          ]);
        }
      }
    },
  );

  test.each(["donor", "recipient"] as const)(
    "prints for the %s nothing of the other, in any format",
    async (side) => {
      const foreign = foreignTo(side, own.get(otherOf(side))!);
      const settings = { server: `http://127.0.0.1:${world.port}`, token: tokenText(side) };
      const [mine] = own.get(side)!;
      for (const format of ["table", "wide", "json", "ndjson", "csv", "md"]) {
        for (const line of [
          ["events", "--all"],
          ["show", mine!.id],
          ["why", mine!.id],
          ["else", mine!.id],
          ["resource", `volume/${volumeId}`],
        ]) {
          const run = await runCanned([...line, "-o", format], { settings });
          // Not every command has every format, and says so.
          expect([0, 2]).toContain(run.code);
          expectNothingForeign(run.stdout + run.stderr, foreign);
        }
        const refused = await runCanned(["show", own.get(otherOf(side))![0]!.id, "-o", format], { settings });
        const missing = await runCanned(["show", "evt_aaaaaaaaaaaaaaaaaaaaaaaaaa", "-o", format], {
          settings,
        });
        expect(refused).toMatchObject({ code: missing.code, stdout: missing.stdout, stderr: missing.stderr });
      }
    },
  );

  test("brings each follower to what it would read afresh, and takes back by the id alone", async () => {
    for (const [as, stream] of streams) {
      const read = await timelineOf(world, as);
      await stream.until(({ held }) => read.every(({ id }) => held.has(id)));
      expect(Object.fromEntries(stream.held)).toEqual(Object.fromEntries(read.map((one) => [one.id, one])));
    }
    const alerts = own.get("recipient")!.filter(isAlert);
    expect(streams.get("donor")!.retracted).toEqual(alerts.map(({ id }) => id));
    expect(streams.get("donor")!.text).toContain(
      `event: retracted\ndata: ${JSON.stringify({ id: alerts[0]!.id })}\n\n`,
    );
    expect(streams.get("recipient")!.retracted).toEqual([]);
    expect(streams.get("provider")!.retracted).toEqual([]);
    expectNothingForeign(streams.get("recipient")!.text, foreignTo("recipient", own.get("donor")!));
    const neverTheirs = own.get("recipient")!.filter((event) => !isAlert(event));
    expectNothingForeign(streams.get("donor")!.text, foreignTo("donor", neverTheirs));
  });

  test("lets the one who lost an event resume after it, and tells it again that it is gone", async () => {
    const [lost] = streams.get("donor")!.retracted;
    const again = await LiveFollower.open(world.port, "donor", `?last_event_id=${lost}`);
    await again.until(({ retracted }) => retracted.includes(lost!));
    await again.until(({ held }) =>
      [...held.values()].some(({ subject }) => subject.id.startsWith("marker-")),
    );
    expect([...again.heard].filter((id) => !own.get("donor")!.some((one) => one.id === id))).toEqual([lost]);
    await again.close();
  });

  test("tells the provider who knew what when, and what came that changed it", async () => {
    const alert = own.get("recipient")!.find(isAlert);
    const why = await getJson<OwnershipJson>(world.api, `/events/${alert!.id}/ownership`, "provider");
    expect(why.attribution).toMatchObject({ status: "owned", project_id: recipient.projectId });
    const [first] = why.history;
    expect(first?.attribution).toMatchObject({ status: "owned", project_id: donor.projectId });
    expect(why.history.at(-1)?.recorded_until).toBe(why.recorded?.recorded_at);
    expect(why.recorded).toMatchObject({
      recorded_until: null,
      arrived: { connection: "openstack-notifications" },
    });
    const settings = { server: `http://127.0.0.1:${world.port}`, token: tokenText("provider") };
    const run = await runCanned(["why", alert!.id, "-o", "wide"], { settings });
    expect(run.stdout).toMatch(/^known .* → .*: owned /m);
    expect(run.stdout).toMatch(/^known since .*, when openstack-notifications .* came$/m);
  });
});

/** Takes everything in the given order with all three following, and looks at what each was told. */
async function followThrough(order: readonly (keyof typeof arrivals)[]): Promise<object> {
  const world = await TransferWorld.open();
  const streams = new Map<string, LiveFollower>();
  for (const as of ["provider", "donor", "recipient"]) {
    streams.set(as, await LiveFollower.open(world.port, as));
  }
  await world.take(...order.map((name) => arrivals[name]));
  await world.take(markerOf(donor.projectId), markerOf(recipient.projectId));
  for (const [as, stream] of streams) {
    const read = await timelineOf(world, as);
    const markers = read.filter(({ subject }) => subject.id.startsWith("marker-"));
    await stream.until(({ held }) => markers.every(({ id }) => held.has(id)));
    expect(Object.fromEntries(stream.held)).toEqual(Object.fromEntries(read.map((one) => [one.id, one])));
    if (as !== "provider") await expectEverOwned(world, as as Side, stream.heard);
  }
  expect(wordsOf(await timelineOf(world, "donor"))).toEqual(past);
  expect(wordsOf(await timelineOf(world, "recipient"))).toEqual(future);
  // Not the names: they decorate, and are those that were known when the event came.
  const answers = (await timelineOf(world, "provider")).map(({ id, attribution }) => [id, attribution]);
  for (const stream of streams.values()) await stream.close();
  await world.close();
  return answers;
}

/** Nothing was ever told of that was not, then or now, held to be the tenant's. */
async function expectEverOwned(world: TransferWorld, side: Side, ids: ReadonlySet<string>): Promise<void> {
  for (const id of ids) {
    const why = await getJson<OwnershipJson>(world.api, `/events/${id}/ownership`, "provider");
    const owners = [why.attribution, ...why.history.map(({ attribution }) => attribution)];
    expect(owners.map(({ project_id }) => project_id)).toContain(sides[side].projectId);
  }
}

test("every order of arrival ends in the same answers, and every follower in what it would read", async () => {
  const all = Object.keys(arrivals) as (keyof typeof arrivals)[];
  const inOrder = await followThrough(all);
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(all, { minLength: all.length }), async (order) => {
      expect(await followThrough(order)).toEqual(inOrder);
    }),
    { numRuns: 6 },
  );
}, 120_000);

test("a transfer that nobody told of is known from the inventory on, and what lies between waits", async () => {
  const world = await TransferWorld.open();
  const { projects, domains, create, listedBefore, listedAfter } = arrivals;
  const [between, after] = [alertAt("01:17:00"), alertAt("01:25:00")];
  await world.take(projects, domains, create, listedBefore, listedAfter, between, after);
  const provider = await timelineOf(world, "provider", "&kind=symptom");
  expect(provider.map(({ attribution }) => [attribution.status, attribution.project_id])).toEqual([
    ["unresolved", null],
    ["owned", recipient.projectId],
  ]);
  expect((await timelineOf(world, "donor")).filter(isAlert)).toEqual([]);
  expect((await timelineOf(world, "recipient")).filter(isAlert)).toHaveLength(1);
  const resource = await getJson<ResourceJson>(world.api, `/resources/volume/${volumeId}`, "recipient");
  expect(resource.ownership).toMatchObject([{ owner: { id: recipient.projectId }, valid_until: null }]);
  await world.close();
});

test("a project that is moved to another domain leaves its past with the one and shows its future to the other", async () => {
  const world = await TransferWorld.open();
  const [before, after] = [createdAt("01:10:00", donor.projectId), createdAt("01:25:00", donor.projectId)];
  const streams = new Map<string, LiveFollower>();
  for (const as of ["donor's domain", "recipient's domain", "donor"]) {
    streams.set(as, await LiveFollower.open(world.port, as));
  }
  const { projects, domains } = arrivals;
  // Both events come before anybody has told of the move.
  await world.take(projects, domains, before, after, projectsMovedAt("01:20:00"));
  await world.take(markerOf(donor.projectId), markerOf(recipient.projectId));
  const expected: Record<string, readonly string[]> = {
    "donor's domain": ["made-at-01:10:00"],
    "recipient's domain": ["made-at-01:25:00"],
    donor: ["made-at-01:10:00", "made-at-01:25:00"],
  };
  for (const [as, stream] of streams) {
    const read = await timelineOf(world, as);
    const made = read.filter(({ subject }) => subject.id.startsWith("made-"));
    expect([as, made.map(({ subject }) => subject.id)]).toEqual([as, expected[as]]);
    const fresh = Object.fromEntries(read.map((one) => [one.id, one]));
    await eventually("the stream has told all", () =>
      isDeepStrictEqual(Object.fromEntries(stream.held), fresh),
    );
    const theirs = as === "donor" ? [] : Object.values(expected).flat();
    const foreign = theirs.filter((id) => !expected[as]!.includes(id));
    if (as === "recipient's domain") expectNothingForeign(stream.text, foreign);
    await stream.close();
  }
  await world.close();
});
