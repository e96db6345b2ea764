import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EntityRef, Related } from "../model/entity.ts";
import type { Phase } from "../model/event.ts";
import { duration, instant, type Instant } from "../model/instant.ts";
import type { Correlatable } from "./correlatable.ts";
import { operationKeyOf, parseOperationKey } from "./operation-id.ts";
import {
  countLengths,
  lengthBin,
  noLengths,
  operationLengthKey,
  operationWaitMs,
  waitMs,
} from "./operation-length.ts";
import type { Operation, OperationContext } from "./operation-shape.ts";
import { findTemplate } from "./operation-template.ts";
import { lengthsOf, rebuildOperations } from "./operation.ts";

const start = Date.UTC(2026, 10, 20, 10);
const minute = 60_000;
const web: EntityRef = { kind: "server", id: "web" };
const disk: EntityRef = { kind: "volume", id: "disk" };

interface Told {
  readonly subject?: EntityRef;
  readonly request?: string | undefined;
  readonly global?: string;
  readonly related?: readonly Related[];
  readonly details?: Correlatable["details"];
}

/** `compute.instance.create.start` so many seconds after the beginning. */
function tell(seconds: number, type: string, told: Told = {}): Correlatable {
  const phase = /\.(start|end|error|progress)$/.exec(type)?.[1] as Phase | undefined;
  const { subject = web, request = "req-1", global, related = [], details = {} } = told;
  const ids = {
    ...("request" in told && told.request === undefined ? {} : { requestId: request }),
    ...(global === undefined ? {} : { globalRequestId: global }),
  };
  return {
    id: `${type}@${seconds}@${subject.id}@${request}`,
    occurredAt: instant(start + seconds * 1000),
    precision: duration(0),
    type,
    kind: phase === "error" ? "symptom" : "change",
    category: "provisioning",
    phase,
    severity: "info",
    subject,
    related,
    ...(Object.keys(ids).length === 0 ? {} : { operation: ids }),
    summary: type,
    details,
    connection: "nova",
    controlPlane: "default",
  };
}

const sighted: OperationContext = {
  now: instant(start + 24 * 60 * minute),
  lengths: noLengths,
  isBlind: () => false,
};

function rebuild(
  events: readonly Correlatable[],
  context: Partial<OperationContext> = {},
): readonly Operation[] {
  return rebuildOperations(events, { ...sighted, ...context });
}

function only(events: readonly Correlatable[], context: Partial<OperationContext> = {}): Operation {
  const operations = rebuild(events, context);
  expect(operations.map(({ template }) => template)).toHaveLength(1);
  return operations[0]!;
}

function at(seconds: number): Instant {
  return instant(start + seconds * 1000);
}

const attached: Told = {
  subject: disk,
  request: "req-c",
  global: "req-1",
  related: [{ role: "server", ref: web }],
};
const provisioning = [
  tell(0, "scheduler.select_destinations.start"),
  tell(1, "scheduler.select_destinations.end"),
  tell(2, "compute.instance.create.start"),
  tell(3, "volume.create.start", { subject: disk, request: "req-b", global: "req-1" }),
  tell(5, "volume.create.end", { subject: disk, request: "req-b", global: "req-1" }),
  tell(6, "volume.attach.start", attached),
  tell(7, "volume.attach.end", attached),
  tell(8, "port.update.start", {
    subject: { kind: "port", id: "p" },
    request: "req-n",
    related: [{ role: "server", ref: web }],
  }),
  tell(9, "port.update.end", {
    subject: { kind: "port", id: "p" },
    request: "req-n",
    related: [{ role: "server", ref: web }],
  }),
  tell(10, "compute.instance.create.end"),
];
const migration = ["pre", "post", "post_dest"].flatMap((stage, index) => [
  tell(60 + index * 2, `compute.instance.live_migration_${stage}.start`, { request: "req-2" }),
  tell(69 - index * 2, `compute.instance.live_migration_${stage}.end`, { request: "req-2" }),
]);
const evacuation = ["a", "b", "c"].flatMap((id, index) => {
  const told = { subject: { kind: "server", id }, request: `req-e-${id}` };
  const left = { ...told, related: [{ role: "host", ref: { kind: "host", id: "cmp-1" } }] };
  return [
    tell(100 + index, "compute.instance.evacuate", left),
    tell(101 + index, "compute.instance.rebuild.start", told),
    ...(id === "c" ? [] : [tell(110 + index, "compute.instance.rebuild.end", told)]),
  ];
});
const stuckBackup = tell(200, "backup.create.start", {
  subject: { kind: "backup", id: "b1" },
  request: "req-b1",
});
const everything = [...provisioning, ...migration, ...evacuation, stuckBackup];

describe("a set of events", () => {
  test("gives the same operations in any order, and whatever is repeated", () => {
    const expected = rebuild(everything);
    fc.assert(
      fc.property(
        fc.shuffledSubarray(everything, { minLength: everything.length }),
        fc.array(fc.constantFrom(...everything), { maxLength: 10 }),
        (shuffled, repeated) => {
          expect(rebuild([...repeated, ...shuffled])).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("gives the same once the rest has come, whatever part came first and was asked about", () => {
    const expected = rebuild(everything);
    fc.assert(
      fc.property(fc.shuffledSubarray(everything), (first) => {
        rebuild(first);
        const rest = everything.filter((event) => !first.includes(event));
        expect(rebuild([...first, ...rest])).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  test("that two connections tell of is told of once", () => {
    const twins = everything.map((event) => ({
      ...event,
      id: `${event.id}-twin`,
      occurredAt: instant(event.occurredAt + 40),
    }));
    const shape = (one: Operation): unknown => [
      one.template,
      one.state,
      one.attempts,
      one.progress,
      one.children.map(shape),
    ];
    expect(rebuild([...everything, ...twins]).map(shape)).toEqual(rebuild(everything).map(shape));
  });
});

describe("the provisioning of a server", () => {
  test("holds the steps of its volume by the global request, and its port's by the server", () => {
    const operation = only(provisioning);
    expect(operation).toMatchObject({
      template: "provisioning",
      state: "ok",
      startedAt: at(0),
      endedAt: at(10),
    });
    const create = operation.steps.find(({ name }) => name === "compute.instance.create")!;
    expect(create.steps.map(({ name }) => name)).toEqual(["volume.create", "volume.attach"]);
    expect(operation.children.map(({ title }) => title)).toEqual(["port.update"]);
  });

  test("whose end comes first, or days late, ends when it ended", () => {
    const end = provisioning.at(-1)!;
    const before = only(provisioning.slice(0, -1));
    expect(before).toMatchObject({ state: "no-end-seen", stuck: true });
    expect(only([...provisioning.slice(0, -1), end])).toMatchObject({
      state: "ok",
      stuck: false,
      endedAt: at(10),
    });
    expect(only([end])).toMatchObject({ state: "ok" });
    expect(only([end]).startedAt).toBeUndefined();
  });

  test("that was placed and never heard of again is missed", () => {
    const operation = only(provisioning.slice(0, 2));
    expect(operation).toMatchObject({ template: "placement", stuck: true, progress: { done: 1, total: 2 } });
  });

  test("of several servers by one request is one operation of many", () => {
    const servers = ["a", "b", "c"].flatMap((id) => [
      tell(0, "compute.instance.create.start", { subject: { kind: "server", id } }),
      tell(5, `compute.instance.create.${id === "b" ? "error" : "end"}`, { subject: { kind: "server", id } }),
    ]);
    expect(only(servers)).toMatchObject({
      state: "failed",
      progress: { done: 2, total: 3 },
      says: "2 of 3 ended.",
    });
  });

  test("that is tried again under one request is one operation, as the last try came out", () => {
    const retried = [
      tell(0, "compute.instance.create.start"),
      tell(5, "compute.instance.create.error"),
      tell(8, "compute.instance.create.start"),
      tell(20, "compute.instance.create.end"),
    ];
    expect(only(retried)).toMatchObject({ state: "ok", attempts: 2, startedAt: at(0), endedAt: at(20) });
    expect(only(retried.slice(0, 2))).toMatchObject({ state: "failed", attempts: 1 });
    expect(only(retried.slice(0, 3), { now: at(30) })).toMatchObject({ state: "running", attempts: 2 });
  });
});

describe("a stage", () => {
  test("runs beside another, and the migration is over when all are", () => {
    const operation = only(migration);
    expect(operation).toMatchObject({ template: "live-migration", state: "ok", endedAt: at(69) });
    expect(
      only(
        migration.filter(({ type }) => !type.endsWith("post.end")),
        { now: at(80) },
      ),
    ).toMatchObject({ state: "running" });
  });

  test("of which nothing was seen is named", () => {
    const resize = ["resize_prep", "resize", "resize_finish"].flatMap((stage, index) => [
      tell(index * 3, `compute.instance.${stage}.start`),
      tell(index * 3 + 2, `compute.instance.${stage}.end`),
    ]);
    const operation = only(resize.filter(({ type }) => !type.includes(".resize.")));
    expect(operation).toMatchObject({
      template: "resize",
      state: "ok",
      missing: ["compute.instance.resize"],
    });
    expect(operation.progress).toEqual({ done: 2, total: 3 });
  });

  test("without a request is a stage of the operation on the same thing that is under way", () => {
    const alone = migration.map((event) => ({ ...event, operation: undefined }));
    expect(only(alone)).toMatchObject({ template: "live-migration", state: "ok" });
  });
});

describe("the evacuation of a host", () => {
  test("gathers its servers' and counts how many came through", () => {
    const operation = only(evacuation);
    expect(operation).toMatchObject({
      template: "host-evacuation",
      subject: { kind: "host", id: "cmp-1" },
      progress: { done: 2, total: 3 },
    });
    expect(operation.state).toBe("no-end-seen");
    expect(operation.children.map(({ state }) => state)).toEqual(["ok", "ok", "no-end-seen"]);
  });
});

describe("an end that does not come", () => {
  test("is stuck once its kind usually is over, unless it could not have been heard", () => {
    expect(only([stuckBackup], { now: at(300) })).toMatchObject({ state: "running", stuck: false });
    expect(only([stuckBackup])).toMatchObject({ state: "no-end-seen", stuck: true });
    const seen: (readonly string[])[] = [];
    const blind = (told: readonly string[]): boolean => seen.push(told) > 0;
    expect(only([stuckBackup], { isBlind: blind })).toMatchObject({ state: "unknown", stuck: false });
    expect(seen).toEqual([["nova"]]);
  });

  test("is waited for as long as history over all says", () => {
    const lengths = countLengths(
      Array.from({ length: 200 }, () => ({ key: operationLengthKey("backup"), ms: 5_000 })),
    );
    expect(only([stuckBackup], { now: at(200 + 200), lengths })).toMatchObject({ stuck: true });
    expect(only([stuckBackup], { now: at(200 + 200) })).toMatchObject({ stuck: false });
  });

  test("is waited for no more when its thing is deleted", () => {
    const gone = ["start", "end"].map((phase) =>
      tell(900, `backup.delete.${phase}`, { subject: { kind: "backup", id: "b1" }, request: "req-d" }),
    );
    expect(
      rebuild([stuckBackup, ...gone]).map(({ template, state, stuck }) => [template, state, stuck]),
    ).toEqual([
      ["backup", "no-end-seen", false],
      ["volume-delete", "ok", false],
    ]);
  });

  test("is not told by a report of what exists, which repeats the making of it", () => {
    const backup = { subject: { kind: "backup", id: "b1" }, request: "req-audit" };
    const report = ["backup.exists", "backup.create.start", "backup.create.end"].map((type) =>
      tell(5_000, type, backup),
    );
    expect(only([stuckBackup, ...report])).toMatchObject({ state: "no-end-seen", stuck: true });
  });
});

describe("other sources", () => {
  test("tell by an instance action that its request is over", () => {
    const action = {
      ...tell(0, "compute.action.create"),
      phase: "end" as const,
      details: { steps: [{ finish_time: "2026-11-20T10:00:30" }] },
    };
    expect(only([...provisioning.slice(0, 3), action])).toMatchObject({ state: "ok", endedAt: at(30) });
    expect(only([action])).toMatchObject({ template: "provisioning", state: "ok" });
  });

  test("tell of restores in words of their own", () => {
    const job = { subject: { kind: "server", id: "vm" }, request: undefined };
    const planned = { ...tell(0, "restore.planned", job), phase: "start" as const };
    const started = { ...tell(10, "restore.started", job), phase: "progress" as const };
    const failed = { ...tell(60, "restore.interrupted", job), phase: "error" as const };
    expect(only([failed, planned, started])).toMatchObject({
      template: "restore",
      state: "failed",
      startedAt: at(0),
    });
  });

  test("of types that no template names pair by start and end", () => {
    const trunk = { subject: { kind: "trunk", id: "t" } };
    expect(only([tell(0, "trunk.create.start", trunk), tell(2, "trunk.create.end", trunk)])).toMatchObject({
      template: "other",
      title: "trunk.create",
      state: "ok",
    });
  });
});

describe("lengths", () => {
  test("are drawn from the shipped one to twice the 99th percentile, and have a floor", () => {
    const backup = findTemplate("backup")!;
    expect(operationWaitMs(noLengths, backup)).toBe(backup.usualMs);
    const of = (count: number) =>
      countLengths(Array.from({ length: count }, () => ({ key: "k", ms: 100_000 })));
    const waits = [1, 10, 100, 10_000].map((count) => waitMs(of(count), "k", 4 * 3_600_000));
    expect(waits.toSorted((left, right) => right - left)).toEqual(waits);
    expect(waits.at(-1)).toBeGreaterThan(200_000);
    expect(waits.at(-1)).toBeLessThan(300_000);
    expect(waitMs(countLengths([{ key: "k", ms: 1 }]), "k", 1)).toBe(60_000);
  });

  test("are learnt of what ended well alone", () => {
    expect(lengthsOf(only(provisioning))).toContainEqual({ key: "op/provisioning", ms: 10_000 });
    expect(lengthsOf(only(provisioning.slice(0, -1))).filter(({ key }) => key.startsWith("op/prov"))).toEqual(
      [],
    );
    expect(lengthBin(1_000)).toBeLessThan(lengthBin(2_000));
  });
});

test("an id leads back to what it names, and nothing else is one", () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 100 }),
      fc.string({ minLength: 1, maxLength: 60 }),
      (id, requestId) => {
        const key = { subject: { kind: "server", id }, plane: "default", requestId };
        expect(parseOperationKey(operationKeyOf(key))).toEqual(key);
      },
    ),
  );
  for (const id of ["", "op_", "op_x", "evt_a", `op_${Buffer.from('["a"]').toString("base64url")}`])
    expect(parseOperationKey(id)).toBeUndefined();
});
