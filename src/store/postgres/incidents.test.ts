import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loginAs, openTestStore, type TestStore } from "../../../test/database.ts";
import type { Incident, IncidentChange } from "../../model/incident.ts";
import { instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import { domainKey, exceptKey, projectKey } from "../../model/tenant.ts";
import type { IncidentAppend } from "../incident-store.ts";

const provider: Scope = { kind: "provider" };
const operator: Scope = { kind: "provider", security: "withheld" };
const [a, b] = [projectKey("default", "a"), projectKey("default", "b")];
const domain = domainKey("default", "d");
const at = instant(Date.UTC(2026, 10, 21));
const title: IncidentChange = { kind: "title", title: "Servers could not be built" };
const window: IncidentChange = { kind: "window", from: at };

let db: TestStore;
beforeAll(async () => {
  db = await openTestStore();
});
afterAll(() => db.close());

function tenant(...keys: (typeof a)[]): Scope {
  return { kind: "tenant", label: "a tenant", keys };
}

async function open(changes: readonly IncidentChange[] = [], key?: string): Promise<Incident> {
  const { incident } = await db.store.incidents.open({
    origin: "hand",
    by: "an operator",
    at,
    changes: [title, window, ...changes],
    ...(key === undefined ? {} : { key }),
  });
  return incident;
}

async function append(
  { id, version }: Incident,
  changes: readonly IncidentChange[],
  more: Partial<IncidentAppend> = {},
): Promise<Incident> {
  const after = await db.store.incidents.append(id, {
    by: "an operator",
    at,
    expectedVersion: version,
    changes,
    ...more,
  });
  return after!;
}

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

async function publish(incident: Incident, editions: NonNullable<IncidentAppend["editions"]> = []) {
  const reviewed = await append(incident, [{ kind: "state", state: "reviewed" }]);
  const frozen = `the whole of ${incident.id}`;
  return append(reviewed, [{ kind: "state", state: "published", hash: hashOf(frozen) }], {
    frozen,
    editions,
  });
}

test("an incident that was opened is found as its entries leave it", async () => {
  const incident = await open([{ kind: "pin", event: "evt_1", note: "the first" }]);
  expect(incident.id).toMatch(/^inc_[a-z0-9]{26}$/);
  expect(await db.store.incidents.find(operator, incident.id)).toEqual(incident);
  expect(incident).toMatchObject({
    title: title.title,
    state: "draft",
    version: 3,
    pins: [{ event: "evt_1" }],
  });
  expect(await db.store.incidents.find(tenant(a), incident.id)).toBeUndefined();
  expect(await db.store.incidents.find(provider, "inc_nothing")).toBeUndefined();
});

test("two openings with one key are one incident, also when they come at once", async () => {
  const opened = await Promise.all([1, 2, 3, 4].map(() => open([], "rule/first")));
  expect(new Set(opened.map(({ id }) => id)).size).toBe(1);
  const again = await db.store.incidents.open({
    origin: "rule",
    by: "a rule",
    at,
    changes: [],
    key: "rule/first",
  });
  expect(again).toMatchObject({ fresh: false, incident: { id: opened[0]!.id, version: 2 } });
});

test("however its entries are appended, an incident is the same", async () => {
  const notes = fc.array(fc.string({ unit: fc.constantFrom("a", "ä", "\n", '"'), minLength: 1 }), {
    minLength: 1,
  });
  await fc.assert(
    fc.asyncProperty(notes, fc.nat(), async (texts, cut) => {
      const changes = texts.map((text): IncidentChange => ({ kind: "note", text }));
      const place = cut % (changes.length + 1);
      const whole = await append(await open(), changes);
      const half = await append(await open(), changes.slice(0, place));
      const parts = await append(half, changes.slice(place));
      expect({ ...parts, id: whole.id }).toEqual(whole);
    }),
    { numRuns: 10 },
  );
});

test("whoever read an older version is refused, and nothing of what it wrote is kept", async () => {
  const incident = await open();
  await append(incident, [{ kind: "note", text: "first" }]);
  await expect(append(incident, [{ kind: "note", text: "second" }])).rejects.toMatchObject({
    code: "incident-changed",
  });
  const entries = await db.store.incidents.history(provider, incident.id);
  expect(entries.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
});

test("of those who write at once, one is heard", async () => {
  const incident = await open();
  const outcomes = await Promise.allSettled(
    ["one", "two", "three"].map((text) => append(incident, [{ kind: "note", text }])),
  );
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(await db.store.incidents.history(provider, incident.id)).toHaveLength(3);
});

test("a published incident is frozen with the hash of its export, and takes amendments alone", async () => {
  const published = await publish(await open());
  const frozen = await db.store.incidents.frozen(operator, published.id);
  expect(frozen).toMatchObject({ hash: published.published?.hash, intact: true });
  expect(hashOf(frozen!.text)).toBe(frozen!.hash);
  for (const change of [title, { kind: "pin", event: "evt_9" }, { kind: "state", state: "draft" }] as const)
    await expect(append(published, [change])).rejects.toMatchObject({ code: "incident-published" });
  const amended = await append(published, [{ kind: "amendment", text: "a later fact", audience: "public" }]);
  expect(amended).toMatchObject({ state: "published", title: title.title });
  expect(await db.store.incidents.frozen(operator, published.id)).toEqual(frozen);
});

test("what is frozen is what its hash is of", async () => {
  const reviewed = await append(await open(), [{ kind: "state", state: "reviewed" }]);
  const wrong = append(reviewed, [{ kind: "state", state: "published", hash: hashOf("another") }], {
    frozen: "this one",
  });
  await expect(wrong).rejects.toThrow("hash");
  expect(await db.store.incidents.find(provider, reviewed.id)).toMatchObject({ state: "reviewed" });
});

test("an edition is read by its tenant alone, and by the domain that its project was part of", async () => {
  const incident = await publish(await open(), [
    { tenant: a, domain, title: "For a", markdown: "# For a" },
    { tenant: b, title: "For b", markdown: "# For b" },
  ]);
  const ids = [a, b].map((key) => db.store.incidents.editionId(incident.id, key));
  expect(new Set([...ids, incident.id]).size).toBe(3);
  const read = async (scope: Scope) =>
    (await db.store.incidents.editions(scope, 100))
      .filter(({ id }) => ids.includes(id))
      .map(({ markdown }) => markdown)
      .sort();
  expect(await read(tenant(a))).toEqual(["# For a"]);
  expect(await read(tenant(b))).toEqual(["# For b"]);
  expect(await read(tenant(domain))).toEqual(["# For a"]);
  expect(await read(tenant(domain, exceptKey(a)))).toEqual([]);
  expect(await read(tenant(projectKey("default", "c")))).toEqual([]);
  expect(await read(tenant())).toEqual([]);
  expect(await read(operator)).toEqual(["# For a", "# For b"]);
  expect(await db.store.incidents.edition(tenant(b), ids[0]!)).toEqual([]);
  expect(await db.store.incidents.edition(tenant(a), incident.id)).toEqual([]);
});

test("an amendment makes the next edition, and lists show the latest", async () => {
  const key = projectKey("default", "amended");
  const edition = { tenant: key, title: "Told", markdown: "first" };
  const published = await publish(await open(), [edition]);
  const amendment: IncidentChange = { kind: "amendment", text: "more", audience: "tenant" };
  await append(published, [amendment], { editions: [{ ...edition, markdown: "second" }] });
  const listed = await db.store.incidents.editions(tenant(key), 10);
  expect(listed).toMatchObject([{ edition: 2, markdown: "second", intact: true }]);
  const all = await db.store.incidents.edition(tenant(key), listed[0]!.id);
  expect(all.map(({ edition: nth }) => nth)).toEqual([2, 1]);
});

test("a domain that a project came to later is not told what the project was told before, by an amendment either", async () => {
  const key = projectKey("default", "moved");
  const edition = { tenant: key, domain, title: "Told", markdown: "first" };
  const published = await publish(await open(), [edition]);
  const later = domainKey("default", "later");
  const amendment: IncidentChange = { kind: "amendment", text: "more", audience: "tenant" };
  const amended = await append(published, [amendment], {
    editions: [{ ...edition, domain: later, markdown: "first, second" }],
  });
  // Neither does it come to the new domain once another amendment follows.
  await append(amended, [amendment], { editions: [{ ...edition, domain: later, markdown: "all three" }] });
  const read = async (scope: Scope) => {
    const id = db.store.incidents.editionId(published.id, key);
    return (await db.store.incidents.edition(scope, id)).map(({ markdown }) => markdown);
  };
  expect(await read(tenant(key))).toEqual(["all three", "first, second", "first"]);
  expect(await read(tenant(domain))).toEqual(["first"]);
  expect(await read(tenant(later))).toEqual([]);
});

test("incidents are listed by the newest window, by state and by the time that they reach into", async () => {
  const late = await open([{ kind: "window", from: instant(at + 2_000), to: instant(at + 3_000) }]);
  const later = await open([{ kind: "window", from: instant(at + 5_000) }]);
  const ids = async (filter: Parameters<typeof db.store.incidents.list>[1], scope: Scope = provider) =>
    (await db.store.incidents.list(scope, filter, 1_000))
      .map(({ id }) => id)
      .filter((id) => id === late.id || id === later.id);
  expect(await ids({})).toEqual([later.id, late.id]);
  expect(await ids({ from: instant(at + 4_000) })).toEqual([later.id]);
  expect(await ids({ to: instant(at + 5_000) })).toEqual([late.id]);
  expect(await ids({ states: ["published"] })).toEqual([]);
  expect(await ids({}, tenant(a))).toEqual([]);
});

test("each step is told in the audit in the same transaction", async () => {
  const refusing = db.store.incidents.open({
    origin: "hand",
    by: "an operator",
    at,
    changes: [title, window, { kind: "note", text: "not kept" }],
    key: "not audited",
    audit: () => {
      throw new Error("the trail cannot be written");
    },
  });
  await expect(refusing).rejects.toThrow("trail");
  expect(await db.sql("SELECT FROM isochron.incident WHERE opening_key = 'not audited'")).toEqual([]);
  const { incident } = await db.store.incidents.open({
    origin: "hand",
    by: "an operator",
    at,
    changes: [title, window],
    audit: ({ id }) => ({
      at,
      action: "incident",
      outcome: "done",
      actor: { id: "tok_1" },
      object: `incident:${id}`,
    }),
  });
  const { entries } = await db.store.audit.list({ object: `incident:${incident.id}` }, 10);
  expect(entries).toMatchObject([{ action: "incident" }]);
});

test("no login can rewrite or take away what an incident says", async () => {
  await publish(await open(), [{ tenant: a, title: "Told", markdown: "told" }]);
  const tables = ["incident", "incident_entry", "incident_publication"];
  for (const login of ["ingest", "provider", "operator", "tenant"] as const) {
    const client = await loginAs(db.url, login);
    try {
      for (const table of tables) {
        const [column] =
          table === "incident" ? ["opened_by"] : table === "incident_entry" ? ["change"] : ["hash"];
        for (const statement of [
          `UPDATE isochron.${table} SET ${column} = ${column}`,
          `DELETE FROM isochron.${table}`,
          `TRUNCATE isochron.${table} CASCADE`,
        ])
          await expect(client.query(statement), `${login}: ${statement}`).rejects.toMatchObject({
            code: "42501",
          });
      }
      await expect(
        client.query("UPDATE isochron.incident_edition SET markdown = 'other'"),
      ).rejects.toMatchObject({
        code: "42501",
      });
    } finally {
      await client.end();
    }
  }
  await expect(db.sql("DELETE FROM isochron.incident_entry")).rejects.toThrow("not taken away");
});

test("an erasure takes words out of incidents, and what an erased tenant was told", async () => {
  const erased = projectKey("default", "erased-project-1");
  const told = { title: "Told", markdown: "about erased-project-1" };
  const incident = await publish(await open([{ kind: "note", text: "erased-project-1 was hit" }]), [
    { tenant: erased, ...told },
    { tenant: b, ...told },
  ]);
  const { retention } = db.store;
  const target = { kind: "tenant", label: "x", keys: [erased] } as const;
  const { id } = await retention.requestErasure({ target, why: "gone", by: "admin", at });
  const epoch = await retention.take("test", 60_000);
  await retention.erase(epoch!, id, at);
  const after = await db.store.incidents.find(provider, incident.id);
  expect(JSON.stringify(after)).not.toContain("erased-project-1");
  expect(after?.log[0]?.change).toMatchObject({ text: expect.stringContaining("was hit") });
  expect(await db.store.incidents.editions(tenant(erased), 10)).toEqual([]);
  const kept = await db.store.incidents.edition(tenant(b), db.store.incidents.editionId(incident.id, b));
  expect(kept).toMatchObject([{ intact: false }]);
  expect(kept[0]?.markdown).not.toContain("erased-project-1");
});

test("an erasure finds words also as the Markdown of an edition spells them", async () => {
  const erased = projectKey("default", "erased_project_2");
  const spelt = ["erased_project_2", "erased\\_project\\_2", '"erased\\u005fproject\\u005f2"'];
  const incident = await publish(await open(), [{ tenant: b, title: "Told", markdown: spelt.join(" and ") }]);
  const { retention } = db.store;
  const target = { kind: "tenant", label: "x", keys: [erased] } as const;
  const { id } = await retention.requestErasure({ target, why: "gone", by: "admin", at });
  const epoch = await retention.take("test", 60_000);
  await retention.erase(epoch!, id, at);
  const kept = await db.store.incidents.edition(tenant(b), db.store.incidents.editionId(incident.id, b));
  expect(kept).toMatchObject([{ intact: false, markdown: 'erased and erased and "erased"' }]);
});
