import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TestStore } from "../../test/database.ts";
import { openTestStore } from "../../test/database.ts";
import { brokenRecord, notification, stagesOver } from "../../test/stages.ts";
import type { StoredEvent } from "../model/event.ts";
import { projectKey } from "../model/tenant.ts";
import { openstackNotifications as source } from "../sources/openstack-notifications.ts";
import type { RawRecord } from "../sources/source.ts";
import type { Stages } from "./ingest.ts";
import { ingest } from "./ingest.ts";
import { reattribute } from "./reattribute.ts";
import { replaySetAside } from "./replay.ts";

const connection = { name: "bus", source: source.name, controlPlane: "cloud" };

let opened: TestStore;
let stages: Stages;

beforeEach(async () => {
  opened = await openTestStore();
  stages = stagesOver(opened.store);
  await stages.store.connect({ ...connection, config: {} });
});

afterEach(() => opened.close());

async function take(...records: RawRecord[]) {
  const outcome = await ingest(stages, { connection, source, stream: "live", records });
  await reattribute(stages);
  return outcome;
}

async function events(): Promise<readonly StoredEvent[]> {
  const page = await opened.store.reader.timeline({ kind: "provider" }, {}, { limit: 500, order: "oldest" });
  return page.events.flatMap((visible) => (visible.audience === "provider" ? [visible.event] : []));
}

const owners = (list: readonly StoredEvent[]) =>
  list.map(({ type, attribution: answer }) =>
    `${type} ${answer.status} ${answer.status === "owned" ? answer.tenant.projectId : ""}`.trim(),
  );

const created = notification(1, "port.create.end", { port: { id: "n", project_id: "acme", name: "uplink" } });
const deleting = notification(2, "port.delete.start", { port_id: "n" });
const refused = notification(3, "audit.http.response", {
  requestPath: "/v2.1/servers",
  action: "create",
  reason: { reasonCode: "403" },
  initiator: { id: "u", user_id: "u", project_id: "globex", request_id: "req-1" },
});
const sibling = notification(
  4,
  "volume.create.end",
  { volume_id: "v", tenant_id: "acme" },
  { _context_request_id: "req-1", _context_user_id: "u" },
);

const brokenMeta = { ...created, meta: { too_large: true, events: [] } };

describe("taking records in", () => {
  it("sets a broken record aside whole, and stores the good ones around it", async () => {
    const outcome = await take(created, brokenRecord(9), deleting);
    expect(outcome).toMatchObject({ records: 3, created: 2, setAside: 1, folded: 0, repeated: 0 });
    const [kept] = await stages.store.setAside("bus", 10);
    expect(kept).toMatchObject({ position: "delivery 9", code: "record-invalid", attempts: 1 });
    expect(Buffer.from(kept!.bytes)).toEqual(Buffer.from(brokenRecord(9).bytes));
  });

  it("changes nothing when the same records come again", async () => {
    await take(created, deleting, sibling);
    const before = await opened.store.digest();
    expect(await take(created, deleting, sibling)).toMatchObject({ created: 0, repeated: 3 });
    expect(await opened.store.digest()).toBe(before);
  });

  it("counts each record once, however many events it gives", async () => {
    const base = source.normalise(created, stages.decoders);
    const event = base.events[0]!;
    // A record is a list of event numbers; the same number is the same event.
    const several = {
      ...source,
      normalise: ({ meta }: RawRecord) => ({
        facts: base.facts,
        events: (meta["events"] as readonly number[]).map((n) => ({
          ...event,
          key: `k${n % 4}`,
          sourceIds: [`s${n % 4}`],
          summary: `said ${n}`,
        })),
      }),
    };
    const numbers = fc.array(fc.array(fc.nat(7), { maxLength: 2 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(numbers, async (lists) => {
        const records = lists.map((events, n) => ({ ...created, position: `row ${n}`, meta: { events } }));
        const given = [...records, brokenMeta];
        const batch = { connection, source: several, stream: "live", records: given };
        const sum = await ingest(stages, batch);
        const { created: fresh, folded, repeated, revised, setAside, factsOnly } = sum;
        expect(fresh + folded + repeated + revised + setAside + factsOnly).toBe(given.length);
        expect([setAside, factsOnly]).toEqual([1, lists.filter((list) => list.length === 0).length]);
      }),
      { numRuns: 25 },
    );
  });

  it("gives an unnamed subject the name that it bore then", async () => {
    await take(created, deleting);
    expect((await events()).map((event) => event.subjectName)).toEqual(["uplink", "uplink"]);
  });

  it("replays what was set aside through the same path, and counts the attempts", async () => {
    await take(brokenRecord(9));
    expect(await replaySetAside(stages, () => source, "bus")).toMatchObject({ records: 1, setAside: 1 });
    expect(await stages.store.setAside("bus", 10)).toMatchObject([{ attempts: 2 }]);
    const mended = { ...source, normalise: () => source.normalise(created, stages.decoders) };
    expect(await replaySetAside(stages, () => mended, "bus")).toMatchObject({
      records: 1,
      created: 1,
      setAside: 0,
    });
    expect(await stages.store.setAside("bus", 10)).toEqual([]);
  });

  it("sets a record aside that one of our own readers cannot stand, tells of the defect, and takes the others", async () => {
    const told: string[] = [];
    const observed: Stages = {
      ...stages,
      onDefect: ({ name }, { position }, defect) => told.push(`${name} ${position} ${defect.message}`),
    };
    const bad = { ...created, position: "delivery 99" };
    const broken = {
      ...source,
      normalise: (record: RawRecord) => {
        if (record === bad) throw new TypeError("a bug");
        return source.normalise(record, stages.decoders);
      },
    };
    const batch = { connection, source: broken, stream: "live", records: [bad, created] };
    expect(await ingest(observed, batch)).toMatchObject({ records: 2, created: 1, setAside: 1 });
    expect(told).toEqual(["bus delivery 99 a bug"]);
    expect(await stages.store.setAside("bus", 10)).toMatchObject([
      {
        position: "delivery 99",
        code: "record-invalid",
        reason: expect.stringContaining("TypeError: a bug"),
      },
    ]);
  });

  it("sets a record aside that cannot be attributed for a defect, with its facts, and takes the others", async () => {
    const told: string[] = [];
    const observed: Stages = {
      ...stages,
      onDefect: (_, { position }) => told.push(position),
      resolve: (drafts, name, view) => {
        if (drafts.some(({ subject }) => subject.id === "v-bad")) throw new TypeError("a bug");
        return stages.resolve(drafts, name, view);
      },
    };
    const bad = notification(98, "volume.create.end", { volume_id: "v-bad", tenant_id: "acme" });
    const batch = { connection, source, stream: "live", records: [bad, created] };
    expect(await ingest(observed, batch)).toMatchObject({ records: 2, created: 1, setAside: 1 });
    expect(told).toEqual([bad.position]);
  });

  it("lets a defect be seen that no record alone brings to light", async () => {
    const broken: Stages = {
      ...stages,
      resolve: (drafts, name, view) => {
        if (drafts.length > 1) throw new TypeError("a bug of pages");
        return stages.resolve(drafts, name, view);
      },
    };
    const other = notification(97, "volume.create.end", { volume_id: "v2", tenant_id: "acme" });
    const batch = { connection, source, stream: "live", records: [other, created] };
    await expect(ingest(broken, batch)).rejects.toThrow("a bug of pages");
  });
});

describe("facts that arrive late", () => {
  it("attribute the events that waited for them, and keep what was thought before", async () => {
    await take(deleting);
    expect(owners(await events())).toEqual(["port.delete.start unresolved"]);
    await take(created);
    const [, deleted] = await events();
    expect(owners([deleted!])).toEqual(["port.delete.start owned acme"]);
    const history = await opened.store.reader.attributionHistory({ kind: "provider" }, deleted!.id);
    expect(history.map((item) => item.attribution.status)).toContain("unresolved");
  });

  it("show the event to its tenant only then, and to nobody else", async () => {
    const seenBy = async (project: string) => {
      const scope = { kind: "tenant", label: project, keys: [projectKey("cloud", project)] } as const;
      return (await opened.store.reader.timeline(scope, {}, { limit: 10, order: "oldest" })).events.length;
    };
    await take(deleting);
    expect(await seenBy("acme")).toBe(0);
    await take(created);
    expect([await seenBy("acme"), await seenBy("globex")]).toEqual([2, 0]);
  });

  it("never make the caller's project the owner of a refused call", async () => {
    await take(refused);
    expect(owners(await events())).toEqual(["audit.http.response.refused unresolved"]);
    await take(sibling);
    expect(owners(await events())).toEqual([
      "audit.http.response.refused owned acme",
      "volume.create.end owned acme",
    ]);
  });

  it("end in the same attributions whatever the order in which the records came", async () => {
    const records = [created, deleting, refused, sibling];
    const orders = [
      records,
      records.toReversed(),
      [sibling, deleting, created, refused],
      [refused, created, sibling, deleting],
    ];
    const endings = new Set<string>();
    for (const order of orders) {
      await opened.close();
      opened = await openTestStore();
      stages = stagesOver(opened.store);
      await stages.store.connect({ ...connection, config: {} });
      for (const record of order) await take(record);
      endings.add(JSON.stringify(owners(await events())));
    }
    expect(endings.size).toBe(1);
  });
});
