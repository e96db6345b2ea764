import { afterAll, beforeAll, expect, test } from "vitest";
import { decoders } from "../src/normalise/decode.ts";
import type { Stages } from "../src/pipeline/ingest.ts";
import { ingest } from "../src/pipeline/ingest.ts";
import { reattribute } from "../src/pipeline/reattribute.ts";
import { createStormGate } from "../src/pipeline/storm-fold.ts";
import type { Scope } from "../src/model/scope.ts";
import { instant, type Instant } from "../src/model/instant.ts";
import { projectKey } from "../src/model/tenant.ts";
import { alertmanager } from "../src/sources/alertmanager.ts";
import type { VisibleEvent } from "../src/store/event-reader.ts";
import type { Store } from "../src/store/store.ts";
import { openTestStore, type TestStore } from "./database.ts";
import { fact, page, startOfDay } from "./drafts.ts";
import { stagesOver } from "./stages.ts";

/** A storm of 3,000 alerts within a minute, through the real source, resolver and store, by two processes at once. */

const alertsCount = 3000;
const alertsPerPost = 150;
const threshold = 50;
const names = ["InstanceDown", "DiskFull", "NodeDown"] as const;
const serverCount = 40;
const connection = { name: "am", source: "alertmanager", controlPlane: "default" };
const provider: Scope = { kind: "provider" };
const all = { limit: 2000, order: "oldest" } as const;

/** The server of a number: those of project a are even. */
const serverOf = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
const hostOf = (number: number): string => `host-${number % 4}.example`;
const isOfA = (number: number): boolean => number % 2 === 0;

/** The number-th alert as Alertmanager posts it; every third is about a host and not about a server. */
function alertOf(number: number) {
  const name = names[number % names.length]!;
  const server = number % serverCount;
  const labels = { alertname: name, severity: "critical", number: String(number) };
  const about = name === "NodeDown" ? { host: hostOf(server) } : { server_id: serverOf(server) };
  return {
    status: "firing",
    labels: { ...labels, ...about },
    annotations: { summary: `${name} number ${number}` },
    startsAt: new Date(startOfDay + 60_000 + ((number * 19) % 60_000)).toISOString(),
    fingerprint: `f-${number}`,
  };
}

const posts = Array.from({ length: alertsCount / alertsPerPost }, (_, post) =>
  Array.from({ length: alertsPerPost }, (_, index) => alertOf(post * alertsPerPost + index)),
);

let db: TestStore;
beforeAll(async () => {
  db = await openTestStore();
  await db.store.events.connect({ ...connection, config: {} });
  await db.store.events.connect({ ...connection, name: "nova", source: "openstack-inventory", config: {} });
});
afterAll(() => db.close());

/** A process over a store: its own gate, as after a start. */
function processOver(store: Store): Stages {
  return { ...stagesOver(store), storms: createStormGate(() => threshold) };
}

async function post(stages: Stages, alerts: readonly ReturnType<typeof alertOf>[]): Promise<number> {
  const body = Buffer.from(JSON.stringify({ version: "4", status: "firing", receiver: "r", alerts }));
  const request = { headers: {}, body, receivedAt: instant(startOfDay + 120_000) } as const;
  const records = alertmanager.split({ ...request, path: "" } as never, decoders);
  const { created } = await ingest(stages, { connection, source: alertmanager, stream: "webhook", records });
  await reattribute(stages);
  return created;
}

/** Who runs where and owns what: told after half of the storm. */
async function tellFacts(store: Store): Promise<void> {
  const facts = Array.from({ length: serverCount }, (_, number) => [
    fact(`server:${serverOf(number)}`, "runs_on", `host:${hostOf(number)}`, 0),
    fact(`server:${serverOf(number)}`, "owned_by", `project:${isOfA(number) ? "a" : "b"}`, 0),
  ]).flat();
  const domains = ["a", "b"].map((id) => fact(`project:${id}`, "owned_by", "domain:customers", 0));
  await store.events.append(page([], { facts: [...facts, ...domains] }));
}

interface Seen {
  readonly folds: number;
  readonly single: number;
  /** Single events and members, by what makes them one. */
  readonly summaries: readonly string[];
  /** What the folds say of themselves, and the single events. */
  readonly counted: number;
}

async function look(scope: Scope): Promise<Seen> {
  const { events, more } = await db.store.reader.timeline(scope, {}, all);
  expect(more).toBe(false);
  const single: VisibleEvent[] = [];
  const members: VisibleEvent[] = [];
  let counted = 0;
  let folds = 0;
  for (const visible of events) {
    const storm = visible.event.details["storm"] as { count: number } | undefined;
    if (storm === undefined) {
      single.push(visible);
      continue;
    }
    folds += 1;
    counted += storm.count;
    members.push(...(await unfold(scope, visible.event.id)));
  }
  const summaries = [...single, ...members].map(({ event }) => event.summary);
  return { folds, single: single.length, summaries, counted: counted + single.length };
}

async function unfold(scope: Scope, id: string): Promise<readonly VisibleEvent[]> {
  const members: VisibleEvent[] = [];
  let after: { occurredAt: Instant; id: string } | undefined;
  for (let read = 0; read < 100; read++) {
    const found = await db.store.reader.members(scope, id, { ...all, limit: 400, ...(after && { after }) });
    members.push(...found.events);
    after = members.at(-1)?.event;
    if (!found.more) break;
  }
  return members;
}

test("3,000 alerts in a minute become few events that count every one of them, and each owner's are its own", async () => {
  const other = await db.reopen();
  const [one, two] = [processOver(db.store), processOver(other)];
  let created = 0;
  for (let at = 0; at < posts.length; at += 2) {
    if (at === posts.length / 2) await tellFacts(db.store);
    const both = await Promise.all([post(one, posts[at]!), post(two, posts[at + 1]!)]);
    created += both[0] + both[1];
    // A sender that saw no answer sends again, to whomever answers then.
    expect(await post(two, posts[at]!)).toBe(0);
  }
  await reattribute(one);
  expect(created).toBe(alertsCount);

  const seen = await look(provider);
  expect(seen.counted).toBe(alertsCount);
  expect(new Set(seen.summaries).size).toBe(alertsCount);
  expect(seen.summaries).toHaveLength(alertsCount);
  // Two processes each let two thresholds pass, which the names share, and then one of each name and owner.
  expect(seen.single).toBeGreaterThanOrEqual(2 * 2 * threshold);
  expect(seen.single).toBeLessThanOrEqual(2 * (2 * threshold + 2 * names.length));
  expect(seen.folds).toBeLessThanOrEqual(2 * names.length);

  const numbers = Array.from({ length: alertsCount }, (_, number) => number);
  for (const id of ["a", "b"]) {
    const own = numbers.filter((number) => {
      const isHost = names[number % names.length] === "NodeDown";
      const hostServers = numbers
        .slice(0, serverCount)
        .filter((s) => hostOf(s) === hostOf(number % serverCount));
      return isHost
        ? hostServers.some((server) => isOfA(server) === (id === "a"))
        : isOfA(number % serverCount) === (id === "a");
    });
    const shown = await look({ kind: "tenant", label: id, keys: [projectKey("default", id)] });
    expect([id, shown.counted, shown.summaries.length]).toEqual([id, own.length, own.length]);
    expect(JSON.stringify(shown.summaries)).not.toMatch(/InstanceDown|DiskFull|NodeDown|host-/);
  }

  const digest = await db.store.digest();
  const reopened = await db.reopen();
  const restarted = processOver(reopened);
  for (const part of posts) expect(await post(restarted, part)).toBe(0);
  expect(await db.store.digest()).toBe(digest);
  await Promise.all([other.close(), reopened.close()]);
});

test("a resource's events hold the storms that it was in, though the fold names but a few", async () => {
  for (const number of [0, 1, 39]) {
    const resource = { kind: "server", id: serverOf(number) };
    const { events } = await db.store.reader.timeline(provider, { resource }, all);
    const folds = events.filter(({ event }) => event.details["storm"] !== undefined);
    const inFolds = await Promise.all(folds.map(({ event }) => unfold(provider, event.id)));
    const own = inFolds.map((members) => members.filter(({ event }) => event.subject.id === resource.id));
    expect(own.map((members) => members.length > 0)).toEqual(own.map(() => true));
    const single = events.filter(({ event }) => event.details["storm"] === undefined);
    const sent = Array.from({ length: alertsCount }, (_, index) => index).filter(
      (index) => index % serverCount === number && names[index % names.length] !== "NodeDown",
    );
    expect(own.flat().length + single.length).toBe(sent.length);
  }
});
