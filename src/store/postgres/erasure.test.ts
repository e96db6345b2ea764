import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import {
  connection,
  draft,
  edition,
  event,
  fact,
  minute,
  ownedBy,
  page,
  project,
} from "../../../test/drafts.ts";
import type { Attribution, EventDraft } from "../../model/event.ts";
import { instant } from "../../model/instant.ts";
import type { ErasureTarget } from "../../model/retention.ts";
import { domainKey, projectKey, type TenantRef } from "../../model/tenant.ts";
import type { Reject, ResolvedPage, StorableEvent } from "../event-store.ts";
import type { ErasureRecord } from "../retention-store.ts";

const dayMs = 86_400_000;
const now = instant(minute(0) + 10 * dayMs);
const goneProject = project("canary-project", "domain-1");
const other = project("other-project", "domain-1");

let db: TestStore;

beforeEach(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
});
afterEach(() => db.close());

async function erase(target: ErasureTarget): Promise<ErasureRecord> {
  const { retention } = db.store;
  const { id } = await retention.requestErasure({ target, why: "they asked", by: "admin", at: now });
  const epoch = (await retention.take("test", 60_000))!;
  try {
    const record = await retention.erase(epoch, id, now);
    await retention.forgetReaders(epoch, instant(now + 1));
    return record;
  } finally {
    await retention.release(epoch, true);
  }
}

/** Where in the whole database the text stands, whatever its case: every row of every table as text. */
async function findText(text: string): Promise<readonly string[]> {
  const tables = await db.sql<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'isochron'::regnamespace AND relkind IN ('r', 'p')
        AND NOT relispartition ORDER BY 1`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await db.sql<{ row: string }>(
      `SELECT t::text AS row FROM isochron.${name} t WHERE t::text ~* $1
          OR EXISTS (SELECT FROM jsonb_each_text(to_jsonb(t)) AS c WHERE c.value LIKE '\\\\x%'
                      AND position(convert_to($1, 'UTF8') IN decode(substr(c.value, 3), 'hex')) > 0)`,
      [text],
    );
    found.push(...rows.map(({ row }) => `${name}: ${row}`));
  }
  return found;
}

const person = {
  userId: "canary-user-1",
  userName: "Canary Person",
  address: "203.0.113.77",
  projectId: "other-project",
};

function shared(name: string, at: number, tenants: readonly TenantRef[]): StorableEvent {
  const of = draft(name, at, {
    type: "host.down",
    visibility: "provider",
    subject: { kind: "host", id: "h1" },
    related: [{ role: "ran", ref: { kind: "server", id: "canary-server-1" } }],
    details: { note: "server canary-server-1 of CANARY-PROJECT ran here" },
  });
  const attribution: Attribution = {
    status: "shared",
    affected: tenants.map((tenant) => ({
      tenant,
      resources: [{ kind: "server", id: `server-of-${tenant.projectId}` }],
    })),
    evidence: [
      {
        rule: "runs-on/1",
        verdict: "accepted",
        confidence: "derived",
        says: "canary-server-1 ran on h1",
        from: { kind: "server", id: "canary-server-1" },
      },
    ],
  };
  const notices = tenants.map((tenant) =>
    edition(of, tenant, {
      notice: true,
      visibility: "operational",
      related: [],
      details: {},
      summary: `A host of ${tenant.projectId} failed`,
    }),
  );
  return { draft: of, attribution, dependsOn: ["host:h1", "server:canary-server-1"], editions: notices };
}

/** A draft with a unique word in each of its fields. */
function canaryDraft(name: string, at: number, fields: Partial<EventDraft> = {}): EventDraft {
  return draft(name, at, {
    sourceIds: [`canary-source-${name}`],
    subject: { kind: "server", id: "canary-server-1" },
    subjectName: "canary-name",
    related: [{ role: "volume", ref: { kind: "volume", id: "canary-volume-1" }, name: "canary-volume-name" }],
    operation: { requestId: "canary-request" },
    stated: { owner: { kind: "project", id: "canary-project" }, path: "payload.tenant_id" },
    summary: "canary-summary",
    details: { field: "canary-detail" },
    changes: [{ field: "name", before: "canary-before", after: "canary-after" }],
    ...fields,
  });
}

function reject(position: string, text: string): Reject {
  return {
    position,
    bytes: Buffer.from(text),
    meta: {},
    receivedAt: minute(0),
    code: "record-invalid",
    reason: "It is broken.",
  };
}

function worldPages(): readonly ResolvedPage[] {
  const storm = [1, 2, 3].map((n) => ({
    ...event(
      canaryDraft(`canary-alert-${n}`, 5 + n / 10, { type: "alert.firing", kind: "symptom" }),
      goneProject,
    ),
    storm: true as const,
  }));
  return [
    page(
      [
        event(canaryDraft("canary-a", 1), goneProject),
        event(canaryDraft("canary-unresolved", 2), undefined),
        event(draft("b", 1), other),
        shared("down", 3, [goneProject, other]),
        ...storm,
      ],
      {
        facts: [
          fact("server:canary-server-1", "owned_by", "project:canary-project", 0),
          fact("server:canary-server-1", "runs_on", "host:h1", 0),
          fact("server:canary-server-1", "named", { kind: "name", id: "canary-name" }, 0),
          fact("volume:canary-volume-1", "owned_by", "project:canary-project", 0),
          fact("project:canary-project", "named", { kind: "name", id: "canary-project-name" }, 0),
          fact("project:canary-project", "part_of", "domain:domain-1", 0),
          fact("server:b", "owned_by", "project:other-project", 0),
        ],
        rejects: [reject("1", `{"tenant_id":"canary-project","x":`), reject("2", "of somebody else")],
      },
    ),
    page([event(canaryDraft("canary-a", 1, { summary: "canary-revised" }), goneProject)]),
  ];
}

test("an erased tenant's every word is gone from every row of every table, and stays gone", async () => {
  for (const one of worldPages()) await db.store.events.append(one);
  await db.store.tokens.create({
    name: "canary-token",
    hash: Buffer.alloc(32),
    scope: { kind: "project", controlPlane: "default", projectId: "canary-project" },
  });
  const [{ id } = { id: "" }] = await db.sql<{ id: string }>(
    "SELECT id FROM isochron.event WHERE key = 'canary-a'",
  );
  // An answer before the present one, too.
  await db.store.events.reattributed({ token: { marks: [] }, events: [] }, [
    {
      eventId: id,
      occurredAt: minute(1),
      attribution: {
        ...ownedBy(goneProject),
        evidence: [{ rule: "r/1", verdict: "accepted", confidence: "exact", says: "canary-says" }],
      } as Attribution,
      dependsOn: ["server:canary-server-1"],
      editions: [edition(canaryDraft("canary-a", 1), goneProject)],
    },
  ]);
  expect((await findText("canary")).length).toBeGreaterThan(20);
  const target: ErasureTarget = {
    kind: "tenant",
    label: "canary-project",
    keys: [projectKey("default", "canary-project")],
  };
  const counted = await db.store.retention.countErasure(target);
  const record = await erase(target);
  expect(record.counts).toEqual({
    events: 3,
    changed: 1,
    editions: 3,
    stormMembers: 3,
    setAside: 1,
    facts: 6,
    held: 0,
  });
  expect(counted).toEqual(record.counts);
  expect(record.target).toBeUndefined();
  expect(await findText("canary")).toEqual([]);
  const digest = await db.store.digest();
  for (const one of worldPages()) {
    const again = await db.store.events.append(one);
    expect(again).toMatchObject({ created: 0, revised: 0 });
  }
  expect(await db.store.digest()).toBe(digest);
});

test("of a shared event the erased tenant's part goes, and the provider's and the others' stay", async () => {
  await db.store.events.append(page([shared("down", 3, [goneProject, other])]));
  await erase({ kind: "tenant", label: "x", keys: [projectKey("default", "canary-project")] });
  const [row] = await db.sql("SELECT attribution, edition_keys, related, details FROM isochron.event");
  expect(row).toMatchObject({
    attribution: { status: "shared", affected: [{ tenant: { projectId: "other-project" } }] },
    edition_keys: ["project/default/other-project"],
  });
  expect(await db.sql("SELECT summary FROM isochron.tenant_event")).toEqual([
    { summary: "A host of other-project failed" },
  ]);
});

test("whoever follows is told that what it saw is gone, the provider and the tenant alike", async () => {
  await db.store.events.append(page([event(draft("a", 1), goneProject), event(draft("b", 2), other)]));
  const provider = await db.store.reader.feed({ kind: "provider" }, undefined, 10);
  const keys = [projectKey("default", "canary-project")];
  const tenant = await db.store.reader.feed({ kind: "tenant", label: "t", keys }, undefined, 10);
  const { retention } = db.store;
  const target: ErasureTarget = { kind: "tenant", label: "x", keys };
  const { id } = await retention.requestErasure({ target, why: "w", by: "admin", at: now });
  const epoch = (await retention.take("test", 60_000))!;
  await retention.erase(epoch, id, now);
  const [{ gone } = { gone: "" }] = await db.sql<{ gone: string }>(
    "SELECT id AS gone FROM isochron.retraction WHERE reader_key = 'provider'",
  );
  expect((await db.store.reader.feed({ kind: "provider" }, provider.position, 10)).retracted).toEqual([gone]);
  expect(
    (await db.store.reader.feed({ kind: "tenant", label: "t", keys }, tenant.position, 10)).retracted,
  ).toEqual([gone]);
  await retention.forgetReaders(epoch, instant(now + 1));
  expect(await db.sql("SELECT reader_key FROM isochron.retraction")).toEqual([{ reader_key: "provider" }]);
});

test("a late record of before the erasure is refused, and what happens later is news", async () => {
  await db.store.events.append(page([event(draft("a", 1), goneProject)]));
  await erase({ kind: "tenant", label: "x", keys: [projectKey("default", "canary-project")] });
  const late = event(draft("never seen", 2), goneProject);
  const news = event(draft("news", 20 * 24 * 60), goneProject);
  expect(await db.store.events.append(page([late, news]))).toMatchObject({ created: 1, expired: 1 });
});

test("erasing a domain takes its projects along, but for one that was another domain's too", async () => {
  await db.store.events.append(
    page([event(draft("a", 1), project("canary-project", "domain-gone"))], {
      facts: [
        fact("project:canary-project", "part_of", "domain:domain-gone", 0),
        fact("project:moved-project", "part_of", "domain:domain-gone", 0),
        fact("project:moved-project", "part_of", "domain:domain-kept", 5),
      ],
    }),
  );
  await db.store.events.append(
    page([
      event(draft("before", 1), project("moved-project", "domain-gone")),
      event(draft("since", 9), project("moved-project", "domain-kept")),
    ]),
  );
  await erase({ kind: "tenant", label: "x", keys: [domainKey("default", "domain-gone")] });
  expect(await db.sql("SELECT key FROM isochron.event")).toEqual([{ key: "since" }]);
  expect(await findText("domain-gone")).toEqual([]);
  expect(await findText("canary-project")).toEqual([]);
});

test("what a hold keeps is not erased while it stands, and is when it was lifted", async () => {
  await db.store.events.append(
    page([
      event(draft("a", 1), goneProject),
      event(draft("held", 2, { subject: { kind: "server", id: "kept-server" } }), goneProject),
    ]),
  );
  const { retention } = db.store;
  const hold = await retention.placeHold({
    target: { kind: "resource", controlPlane: "default", entityKey: "server:kept-server" },
    why: "a dispute",
    placedBy: "admin",
    placedAt: now,
  });
  const target: ErasureTarget = {
    kind: "tenant",
    label: "x",
    keys: [projectKey("default", "canary-project")],
  };
  expect(await retention.countErasure(target)).toMatchObject({ events: 1, held: 1 });
  const record = await erase(target);
  expect(record).toMatchObject({ counts: { events: 1, held: 1 }, target });
  expect(record.doneAt).toBeUndefined();
  expect(await db.sql("SELECT key FROM isochron.event")).toEqual([{ key: "held" }]);
  await retention.liftHold(hold.id, { by: "admin", why: "settled", at: now });
  const epoch = (await retention.take("test", 60_000))!;
  const done = await retention.erase(epoch, record.id, now);
  expect(done).toMatchObject({ counts: { events: 2, held: 0 } });
  expect(done.doneAt).toBe(now);
  expect(await db.sql("SELECT key FROM isochron.event")).toEqual([]);
});

function personPages(): readonly ResolvedPage[] {
  const acted = draft("acted", 1, {
    actor: person,
    details: { by: "Canary Person", from: "203.0.113.77", raw: { user: "canary-user-1" } },
    summary: "Canary Person (canary-user-1) deleted a server",
  });
  const alert = (n: number): StorableEvent => ({
    ...event(
      draft(`alert ${n}`, 5, {
        type: "alert.firing",
        kind: "symptom",
        ...(n === 1 ? { actor: person } : {}),
      }),
      other,
    ),
    storm: true,
  });
  return [
    page(
      [
        event(acted, other),
        event(
          draft("signed in", 2, {
            visibility: "security",
            subject: { kind: "user", id: "canary-user-1" },
            subjectName: "Canary Person",
          }),
          { controlPlane: "default", domainId: "domain-1" },
        ),
        event(
          draft("beside", 3, {
            related: [{ role: "user", ref: { kind: "user", id: "canary-user-1" }, name: "Canary Person" }],
          }),
          other,
        ),
        alert(1),
        alert(2),
      ],
      {
        facts: [
          fact("user:canary-user-1", "named", { kind: "name", id: "Canary Person" }, 0),
          fact("user:canary-user-1", "owned_by", "domain:domain-1", 0),
        ],
        rejects: [reject("1", `{"user_id":"canary-user-1",`)],
      },
    ),
    page([event({ ...acted, summary: "Canary Person did it again" }, other)]),
  ];
}

test("an erased person's id, names and addresses are gone, and what they did stays without them", async () => {
  for (const one of personPages()) await db.store.events.append(one);
  const target: ErasureTarget = { kind: "user", userId: "canary-user-1", words: [] };
  const counted = await db.store.retention.countErasure(target);
  const record = await erase(target);
  expect(record.counts).toMatchObject({ events: 1, changed: 3, setAside: 1, facts: 2 });
  expect(counted).toMatchObject({ events: 1, changed: 3, setAside: 1, facts: 2 });
  for (const word of ["canary", "203.0.113.77"]) expect(await findText(word), word).toEqual([]);
  const kept = await db.sql("SELECT summary, actor, details FROM isochron.event WHERE key = 'acted'");
  expect(kept).toEqual([
    {
      summary: "erased (erased) deleted a server",
      actor: null,
      details: { by: "erased", from: "erased", raw: { user: "erased" } },
    },
  ]);
  const [{ id } = { id: "" }] = await db.sql<{ id: string }>(
    "SELECT id FROM isochron.event WHERE key = 'acted'",
  );
  expect(await db.store.reader.event({ kind: "provider" }, id)).toBeDefined();
  const digest = await db.store.digest();
  for (const one of personPages())
    expect(await db.store.events.append(one)).toMatchObject({ created: 0, revised: 0 });
  expect(await db.store.digest()).toBe(digest);
  for (const word of ["canary", "203.0.113.77"]) expect(await findText(word), word).toEqual([]);
});

test("a late record of what an erased person did comes in without them", async () => {
  await erase({ kind: "user", userId: "canary-user-1", words: [] });
  const late = draft("late", 1, { actor: person, summary: "Canary Person deleted a server" });
  expect(await db.store.events.append(page([event(late, other)]))).toMatchObject({ created: 1 });
  for (const word of ["canary", "203.0.113.77"]) expect(await findText(word), word).toEqual([]);
});
