import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../test/database.ts";
import { stagesOver } from "../../test/stages.ts";
import type { EventDraft, Phase } from "../model/event.ts";
import { duration, instant, type Instant } from "../model/instant.ts";
import { tenantKey } from "../model/tenant.ts";
import type { Scope } from "../model/scope.ts";
import { withEditions } from "./editions.ts";
import { endArrivedType, endMissingType, watchOperationEnds } from "./operation-ends.ts";
import { findOperation, findOperations } from "./operations.ts";

const start = Date.UTC(2026, 10, 20, 10);
const hour = 3_600_000;
const plane = "region-1";
const provider: Scope = { kind: "provider" };

let db: TestStore;
beforeEach(async () => void (db = await openTestStore()));
afterEach(() => db.close());

function at(minutes: number): Instant {
  return instant(start + minutes * 60_000);
}

function stagesAt(minutes: number) {
  return stagesOver(db.store, at(minutes));
}

const backup = { kind: "backup", id: "backup-1" } as const;

function tell(minutes: number, phase: Phase, project = "p-prod"): EventDraft {
  const type = `backup.create.${phase}`;
  return {
    key: `${type}@${minutes}`,
    sourceIds: [`${type}@${minutes}`],
    occurredAt: at(minutes),
    precision: duration(0),
    type,
    kind: "change",
    category: "backup",
    phase,
    severity: "info",
    visibility: "operational",
    subject: backup,
    related: [],
    actor: { projectId: project },
    operation: { requestId: "req-1" },
    stated: { owner: { kind: "project", id: project }, path: "payload.tenant_id" },
    summary: `Backup: create ${phase}`,
    details: {},
  };
}

/** Stores what one connection told up to a moment, up to which it is complete. */
async function hear(completeTo: number, ...drafts: readonly EventDraft[]): Promise<void> {
  const stages = stagesAt(completeTo);
  await stages.store.connect({
    name: "cinder",
    source: "openstack-notifications",
    controlPlane: plane,
    config: {},
  });
  const projects = ["p-prod", "p-other"].map((id) => ({
    from: { kind: "project", id } as const,
    relation: "part_of" as const,
    to: { kind: "domain", id: `d-${id}` } as const,
    at: at(-100),
    holds: true,
    sourceId: `fact-${id}`,
  }));
  const owned = drafts.flatMap(({ stated, occurredAt, key }) =>
    stated === undefined
      ? []
      : [
          {
            from: backup,
            relation: "owned_by" as const,
            to: stated.owner,
            at: occurredAt,
            holds: true,
            sourceId: key,
          },
        ],
  );
  await stages.store.append({
    connection: "cinder",
    controlPlane: plane,
    stream: "main",
    events: drafts.map((draft) => {
      const tenant = {
        controlPlane: plane,
        domainId: `d-${draft.stated!.owner.id}`,
        projectId: draft.stated!.owner.id,
      };
      return withEditions(
        { draft, attribution: { status: "owned", tenant, evidence: [] }, dependsOn: [], ownEntities: [] },
        stages.redact,
      );
    }),
    facts: [...projects, ...owned],
    rejects: [],
    completeTo: at(completeTo),
  });
}

function tools(minutes: number, holder = "one") {
  const { reader, operations } = db.store;
  return { stages: stagesAt(minutes), reader, operations, holder };
}

function asked(minutes: number) {
  const { reader, operations } = db.store;
  return { reader, operations, now: () => at(minutes) };
}

function tenantOf(project: string): Scope {
  return {
    kind: "tenant",
    label: project,
    keys: [tenantKey({ controlPlane: plane, domainId: `d-${project}`, projectId: project })],
  };
}

/** So many passes that what is old is looked through once, in hours. */
async function watch(minutes: number, holder = "one") {
  const total = { missing: 0, arrived: 0 };
  for (let pass = 0; pass < 6; pass++) {
    const found = await watchOperationEnds(tools(minutes, holder));
    total.missing += found!.missing;
    total.arrived += found!.arrived;
  }
  return total;
}

async function told(scope: Scope = provider) {
  const page = await db.store.reader.timeline(
    scope,
    { types: ["operation.*"] },
    { limit: 50, order: "oldest" },
  );
  return page.events.map(({ event }) => event);
}

describe("an end that does not come", () => {
  test("is told once, by whichever process looks and however often", async () => {
    await hear(500, tell(0, "start"));
    expect(await watch(500)).toEqual({ missing: 1, arrived: 0 });
    expect(await watch(505)).toEqual({ missing: 0, arrived: 0 });
    expect(await watch(510, "another")).toEqual({ missing: 0, arrived: 0 });
    expect((await told()).map(({ type, subject }) => [type, subject])).toEqual([[endMissingType, backup]]);
  });

  test("is not told while it is not due", async () => {
    await hear(100, tell(0, "start"));
    expect(await watch(100)).toEqual({ missing: 0, arrived: 0 });
  });

  test("is not told where its source was not heard, and is once it was", async () => {
    await hear(60, tell(0, "start"));
    expect(await watch(500)).toEqual({ missing: 0, arrived: 0 });
    const { operations } = await findOperations(asked(500), provider, { from: at(-10), to: at(500) });
    expect(operations).toMatchObject([{ state: "unknown", stuck: false }]);
    await hear(500);
    expect(await watch(510)).toEqual({ missing: 1, arrived: 0 });
  });

  test("is told to have come when it does, with what became of it", async () => {
    await hear(500, tell(0, "start"));
    await watch(500);
    await hear(3000, tell(520, "end"));
    expect(await watch(3000)).toEqual({ missing: 0, arrived: 1 });
    expect(await watch(3005)).toEqual({ missing: 0, arrived: 0 });
    expect((await told()).map(({ type, kind, occurredAt }) => [type, kind, occurredAt])).toEqual([
      [endMissingType, "symptom", at(240)],
      [endArrivedType, "recovery", at(520)],
    ]);
  });

  test("is told to whoever owns the thing, and to nobody else", async () => {
    await hear(500, tell(0, "start"));
    await watch(500);
    const own = await told(tenantOf("p-prod"));
    expect(own.map(({ type, subject }) => [type, subject])).toEqual([[endMissingType, backup]]);
    expect(own[0]!.summary).toBe("Backup: the end of something that was begun has not been seen");
    expect(await told(tenantOf("p-other"))).toEqual([]);
  });
});

describe("operations in scope", () => {
  test("are found again by their ids, each reader's by what it sees", async () => {
    await hear(500, tell(0, "start"), tell(3, "end"));
    const own = tenantOf("p-prod");
    for (const scope of [provider, own]) {
      const { operations } = await findOperations(asked(500), scope, { from: at(-10), to: at(100) });
      expect(operations).toMatchObject([
        { template: "backup", state: "ok", startedAt: at(0), endedAt: at(3) },
      ]);
      expect(await findOperation(asked(500), scope, operations[0]!.id)).toMatchObject({
        id: operations[0]!.id,
        state: "ok",
      });
    }
    const { operations } = await findOperations(asked(500), provider, { from: at(-10), to: at(100) });
    expect(await findOperation(asked(500), tenantOf("p-other"), operations[0]!.id)).toBeUndefined();
    expect(
      (await findOperations(asked(500), tenantOf("p-other"), { from: at(-10), to: at(100) })).operations,
    ).toEqual([]);
  });

  test("are whole where their ends lie days behind the span", async () => {
    await hear(9000, tell(0, "start"), tell(8000, "end"));
    const { operations } = await findOperations(asked(9000), provider, { from: at(-10), to: at(10) });
    expect(operations).toMatchObject([{ state: "ok", endedAt: at(8000) }]);
  });
});

test("lengths are learnt once of each operation, and by one process at a time", async () => {
  const { operations } = db.store;
  await hear(1000, tell(0, "start"), tell(3, "end"));
  const learnAt = 60 * 9;
  for (const [index, holder] of ["one", "two", "three"].entries())
    await watchOperationEnds(tools(learnAt + index, holder));
  const lengths = await operations.lengths();
  expect(lengths.filter(({ key }) => key === "op/backup").map(({ count }) => count)).toEqual([1]);
  const first = await operations.take("one", hour, 0);
  expect(await operations.take("two", hour, 0)).toBeUndefined();
  await operations.release(first!.epoch, true);
  await expect(operations.advance(first!.epoch, { lengths: [] })).rejects.toMatchObject({ code: "fenced" });
  expect(await operations.take("two", hour, hour)).toBeUndefined();
});
