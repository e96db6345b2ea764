import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { EventDraft } from "../model/event.ts";
import { formatInstant } from "../model/instant.ts";
import type { Json, JsonObject } from "../model/json.ts";
import type { TopologyFact } from "../model/topology.ts";
import { decoders } from "../normalise/decode.ts";
import { openstackInventory } from "./openstack-inventory.ts";
import type { InventoryCursor } from "./openstack-inventory/inventory-cursor.ts";
import { readServerAction } from "./openstack-inventory/operation-items.ts";
import type { RecordedMoment, RecordedRow } from "./openstack-inventory/recorded-http.ts";
import { makeMoment } from "./openstack-inventory/recorded-http.ts";
import type { RawRecord, SourceIo } from "./source.ts";

interface Answer {
  readonly method?: string;
  readonly url: string;
  readonly sent_at?: string;
  readonly request_headers?: Record<string, string>;
  readonly json: Json;
}

const fixture = JSON.parse(
  readFileSync(new URL("openstack-inventory.fixture.json", import.meta.url), "utf8"),
) as { answers: Answer[]; moments: { name: string; answers: Answer[] }[] };

function momentOf(name: string, answers: readonly Answer[]): RecordedMoment {
  const recorded = answers.filter(({ sent_at }) => sent_at !== undefined);
  const rows = recorded.map((answer, index): RecordedRow => ({
    name: String(index),
    file: String(index),
    method: "GET",
    url: answer.url,
    request_headers: answer.request_headers ?? {},
    status: 200,
    response_headers: {},
    sent_at: answer.sent_at!,
  }));
  return makeMoment(name, rows, (file) =>
    Promise.resolve(new TextEncoder().encode(JSON.stringify(recorded[Number(file)]!.json))),
  );
}

/** Before, during and after the failure of compute-02. */
const moments = [
  momentOf("before", fixture.moments[0]!.answers),
  momentOf("during", fixture.answers),
  momentOf("after", fixture.moments[1]!.answers),
];

function ioOf(moment: Pick<RecordedMoment, "http" | "now">, warnings: string[] = []): SourceIo {
  return {
    http: moment.http,
    sql: () => expect.unreachable("it reads no database"),
    now: moment.now,
    signal: new AbortController().signal,
    warn: (message) => void warnings.push(message),
    secret: () => {
      throw new Error("a recording needs no secrets");
    },
    readText: () => Promise.reject(new Error("a recording needs no files")),
  };
}

interface Pass {
  readonly records: readonly RawRecord[];
  readonly events: readonly EventDraft[];
  readonly facts: readonly TopologyFact[];
  readonly cursor: InventoryCursor;
  readonly completeTo: string | undefined;
}

/** One pass to its end; the cursor goes through JSON after each page, as it does in the store. */
async function makePass(
  moment: RecordedMoment,
  from?: InventoryCursor,
  config: JsonObject = {},
): Promise<Pass> {
  const records: RawRecord[] = [];
  let cursor = from;
  for (let pages = 0; pages < 200; pages++) {
    const page = await openstackInventory.fetch(config, cursor, ioOf(moment));
    records.push(...page.records);
    cursor = openstackInventory.cursor.parse(JSON.parse(JSON.stringify(page.cursor)));
    if (!page.done) continue;
    const seen = records.map((record) => openstackInventory.normalise(record, decoders));
    return {
      records,
      cursor,
      events: seen.flatMap(({ events }) => events),
      facts: seen.flatMap(({ facts }) => facts),
      completeTo: page.completeTo === undefined ? undefined : formatInstant(page.completeTo),
    };
  }
  throw new Error("the pass does not end");
}

async function makePasses(config: JsonObject = {}): Promise<readonly Pass[]> {
  const passes: Pass[] = [];
  for (const moment of moments) passes.push(await makePass(moment, passes.at(-1)?.cursor, config));
  return passes;
}

function spell(fact: TopologyFact): string {
  const { from, relation, to, holds } = fact;
  return `${from.kind}:${from.id} ${holds ? "" : "no longer "}${relation} ${to.kind}:${to.id}`;
}

const web01 = "2e91207c-1f3e-4b58-965e-017cea154ec6";
const worker10 = "5b959b0a-8962-4174-bc82-e82cc01aadcb";
const tooBig = "82cbed63-c6e5-421b-8a2c-aa54272f4b9c";
const acmeProd = "ada4b3cb67ab40eb94a716d9ef781ee4";
const adminProject = "68d9fe172b53490088df918ab87a8bb6";

test("a host that fails is told by the passes around it, and not again", async () => {
  const passes = await makePasses();
  const told = passes.map(({ events }) =>
    events.filter(({ platform }) => platform === true).map(({ type, subject }) => `${type} ${subject.id}`),
  );
  expect(told).toEqual([
    [],
    [
      "compute.service.forced_down compute-02",
      "compute.service.disabled compute-02",
      "compute.service.down compute-02",
      "network.agent.down compute-02",
    ],
    ["network.agent.up compute-02"],
  ]);
});

test("a silent agent's failure lies between its last heartbeat and the look that missed it", async () => {
  const [, during] = await makePasses();
  const down = during!.events.find(({ type }) => type === "network.agent.down")!;
  expect(formatInstant(down.occurredAt)).toBe("2026-11-21T01:15:36.000Z");
  expect(down.details["not_after"]).toBe("2026-11-21T01:17:05.271Z");
  // The host was killed at 01:15:51.
  expect(down.occurredAt + down.precision).toBeGreaterThan(Date.parse("2026-11-21T01:15:51Z"));
});

test("a service that was forced down may have failed before the operator's write, back to its last heartbeat seen", async () => {
  const [, during] = await makePasses();
  const down = during!.events.find(({ type }) => type === "compute.service.down")!;
  expect(down).toMatchObject({
    kind: "symptom",
    severity: "critical",
    platform: true,
    subject: { kind: "host", id: "compute-02" },
    related: [{ role: "service", ref: { kind: "service", id: "nova-compute@compute-02" } }],
    details: {
      forced_down: true,
      not_before: "2026-11-21T01:09:58.000Z",
      not_after: "2026-11-21T01:16:42.054Z",
    },
  });
  expect(formatInstant(down.occurredAt)).toBe("2026-11-21T01:16:36.000Z");
});

test("the hypervisor's state is not told beside its service's", async () => {
  const [, during] = await makePasses();
  expect(during!.events.filter(({ type }) => type.startsWith("compute.hypervisor"))).toEqual([]);
});

test("at first sight a service that is down is told with the key of a later pass", async () => {
  const first = await makePass(moments[1]!);
  const [, during] = await makePasses();
  const keysOf = (pass: Pass) =>
    pass.events.filter(({ type }) => type.endsWith(".down")).map(({ key }) => key);
  expect(keysOf(first)).toEqual(keysOf(during!));
  expect(keysOf(first)).toHaveLength(2);
});

test("the same pass twice gives the same records and drafts", async () => {
  const [before] = await makePasses();
  const once = await makePass(moments[1]!, before!.cursor);
  const again = await makePass(moments[1]!, before!.cursor);
  expect(again.records).toEqual(once.records);
  expect(again.events).toEqual(once.events);
});

test("a recording that is played again changes nothing", async () => {
  const passes = await makePasses();
  for (const moment of moments) {
    const again = await makePass(moment, passes.at(-1)!.cursor);
    expect(again.records).toEqual([]);
    expect(again.cursor).toEqual(passes.at(-1)!.cursor);
  }
});

test("a pass handed over in small pages tells the same as in one", async () => {
  const whole = await makePasses();
  const parted = await makePasses({ records_max: 1 });
  expect(parted.map(({ events }) => events)).toEqual(whole.map(({ events }) => events));
  expect(parted.map(({ facts }) => facts)).toEqual(whole.map(({ facts }) => facts));
  expect(parted.at(-1)!.cursor).toEqual(whole.at(-1)!.cursor);
});

test("the same state has the same key in every pass, and no key stands for two states", async () => {
  const events = (await makePasses()).flatMap((pass) => pass.events);
  for (const same of Map.groupBy(events, ({ key }) => key).values()) {
    expect(new Set(same.map(({ type, phase, occurredAt }) => `${type} ${phase} ${occurredAt}`)).size).toBe(1);
  }
});

test("a server runs where each look sees it, and a deleted one nowhere", async () => {
  const passes = await makePasses();
  const placed = passes.map(({ facts }) =>
    facts.findLast((fact) => fact.relation === "runs_on" && fact.from.id === web01 && fact.at % 1000 !== 0),
  );
  expect(placed.slice(1).map((fact) => spell(fact!))).toEqual([
    `server:${web01} runs_on host:compute-02`,
    `server:${web01} runs_on host:compute-03`,
  ]);
  const gone = passes[1]!.facts.find((fact) => fact.relation === "runs_on" && fact.from.id === worker10)!;
  expect(gone).toMatchObject({ holds: false, to: { id: "compute-03" } });
  expect(formatInstant(gone.at)).toBe("2026-11-21T01:13:28.000Z");
});

test("a server's moves between two looks are dated by the steps of its actions", async () => {
  const [, during, after] = await makePasses();
  const moves = [...during!.facts, ...after!.facts]
    .filter((fact) => fact.relation === "runs_on" && fact.from.id === web01 && fact.at % 1000 === 0)
    .map((fact) => `${formatInstant(fact.at).slice(11, 19)} ${fact.to.id}`);
  expect(moves).toContain("01:15:02 compute-02");
  expect(moves).toContain("01:20:33 compute-03");
});

test("a server whose build was given up ran nowhere, although Nova calls the step a success", () => {
  const build = {
    event: "compute__do_build_and_run_instance",
    start_time: "2026-11-21T01:12:00.000000",
    finish_time: "2026-11-21T01:12:06.000000",
    result: "Success",
    host: "compute-02",
  };
  const item = { instance_uuid: "s1", request_id: "req-1", action: "create", start_time: build.start_time };
  const factsOf = (steps: JsonObject[], more: { unplaced?: true }) =>
    readServerAction(
      { listing: "server-actions", item: { ...item, events: steps }, seenAt: moments[1]!.at, ...more },
      decoders,
    ).facts.map(spell);
  expect(factsOf([build], {})).toEqual(["server:s1 runs_on host:compute-02"]);
  expect(factsOf([build], { unplaced: true })).toEqual([]);
  const second = { ...build, host: "compute-03", finish_time: "2026-11-21T01:12:20.000000" };
  expect(factsOf([second, build], {})).toEqual(["server:s1 runs_on host:compute-03"]);
});

test("a fact is dated by the request that showed it, so that it never outdates a later report", async () => {
  const [, during] = await makePasses();
  const fact = during!.facts.find(({ relation, from }) => relation === "owned_by" && from.id === web01)!;
  expect(formatInstant(fact.at)).toBe("2026-11-21T01:16:37.757Z");
});

test("owners are stated by the item's own field", async () => {
  const [, during] = await makePasses();
  const error = during!.events.find(
    ({ type, subject }) => type === "compute.server.error" && subject.id === tooBig,
  )!;
  expect(error.stated).toEqual({ owner: { kind: "project", id: acmeProd }, path: "item.tenant_id" });
  const transfer = during!.events.find(({ type }) => type === "volume.transfer.created")!;
  expect(transfer.stated).toEqual({
    owner: { kind: "project", id: acmeProd },
    path: "item.source_project_id",
  });
});

test("who asked for a migration or an action is its actor and owns nothing", async () => {
  const passes = await makePasses();
  const asked = passes.flatMap(({ events }) => events.filter(({ actor }) => actor !== undefined));
  expect(asked.length).toBeGreaterThan(10);
  expect(asked.filter(({ stated }) => stated !== undefined)).toEqual([]);
  const evacuation = asked.find(({ type }) => type === "compute.migration.evacuation.completed")!;
  expect(evacuation.actor?.projectId).toBe(adminProject);
  expect(evacuation.related.map(({ role, ref }) => `${role} ${ref.id}`)).toEqual([
    "migration b1a72d7c-7d41-44c2-a130-ad78a360c2e6",
    "source_host compute-02",
    "dest_host compute-03",
  ]);
  const owned = passes.flatMap(({ facts }) =>
    facts.filter(({ relation, from }) => relation === "owned_by" && from.kind === "server"),
  );
  expect(owned.filter(({ to }) => to.id === adminProject)).toEqual([]);
});

test("an action names its request and its outcome, without the provider's tracebacks", async () => {
  const [, during] = await makePasses();
  const failed = during!.events.find(
    ({ type, subject }) => type === "compute.action.create" && subject.id === tooBig,
  )!;
  expect(failed).toMatchObject({
    kind: "symptom",
    phase: "error",
    subjectName: "too-big",
    operation: { requestId: "req-0a685c1f-d6b0-41d3-8560-f29b2c962780" },
  });
  expect(JSON.stringify(failed)).not.toContain("/usr/lib/python3");
});

test("a finished pass says up to when it is complete", async () => {
  const passes = await makePasses();
  expect(passes.map(({ completeTo }) => completeTo)).toEqual(moments.map(({ at }) => formatInstant(at)));
});

test("a light moment with a few listings leaves the others' places alone", async () => {
  const [before] = await makePasses();
  const light = momentOf(
    "light",
    fixture.answers.filter(({ url }) => /\/os-services$|\/agents$/.test(new URL(url).pathname)),
  );
  const warnings: string[] = [];
  const page = await openstackInventory.fetch({}, before!.cursor, ioOf(light, warnings));
  expect(page.done).toBe(true);
  expect(warnings).toEqual([]);
  const types = page.records
    .flatMap((record) => openstackInventory.normalise(record, decoders).events)
    .map(({ type }) => type);
  expect(types).toContain("compute.service.down");
  expect(page.cursor.listings["servers"]).toEqual(before!.cursor.listings["servers"]);
  expect(page.cursor.listings["transfers"]).toEqual(before!.cursor.listings["transfers"]);
});
