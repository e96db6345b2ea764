import { connection, draft, edition, event, fact, minute, ownedBy, page, project } from "../drafts.ts";
import type { TestStore } from "../database.ts";
import { openErasureDesk } from "../../src/pipeline/erasure-desk.ts";
import { runRetention } from "../../src/pipeline/retention.ts";
import { instant } from "../../src/model/instant.ts";
import { keepEverything, type ErasureTarget } from "../../src/model/retention.ts";
import { projectKey } from "../../src/model/tenant.ts";
import type { Reject, StorableEvent } from "../../src/store/event-store.ts";

const dayMs = 86_400_000;
const neverAborted = new AbortController().signal;
const [gone, other, kept] = [project("canary-project"), project("other-project"), project("kept-project")];
const person = { userId: "canary-user", userName: "Canary Person" };

/** What of a history of passes, holds and erasures is not as it must be; undefined where all is. */
export async function findFault(db: TestStore): Promise<string | undefined> {
  await db.store.events.connect(connection);
  return (await judgeRetention(db)) ?? (await judgeErasure(db));
}

function storm(name: string, at: number): StorableEvent[] {
  return [1, 2].map((n) => ({
    ...event(draft(`${name}-${n}`, at + n / 10, { type: "alert.firing", kind: "symptom" }), gone),
    storm: true,
  }));
}

async function judgeRetention(db: TestStore): Promise<string | undefined> {
  const held = { kind: "server", id: "held-server" };
  const old = [event(draft("canary-old", 0), gone), ...storm("canary-alert", 0)];
  const first = page([
    ...old,
    event(draft("of-held", 1), kept),
    event(draft("about-held", 1, { subject: held }), other),
  ]);
  await db.store.events.append(first);
  await db.store.events.append(page([event(draft("canary-old", 0, { summary: "canary-again" }), gone)]));
  const { retention } = db.store;
  const why = { why: "w", placedBy: "admin", placedAt: minute(1) };
  const keys = [projectKey("default", "kept-project")];
  await retention.placeHold({ target: { kind: "tenant", label: "k", keys }, ...why });
  const target = { kind: "resource", controlPlane: "default", entityKey: "server:held-server" } as const;
  await retention.placeHold({ target, ...why });
  const policy = { days: { operational: 1 }, tenants: new Map() };
  const tools = { retention, policy, now: () => instant(minute(0) + 3 * dayMs), holder: "test" };
  await runRetention(tools, neverAborted);
  for (const key of ["of-held", "about-held"])
    if ((await findText(db, key)).length === 0) return `${key} was deleted under a hold`;
  return (
    (await tell(db, "after the pass")) ??
    (await db.store.events.append(first), await tell(db, "after a second delivery"))
  );
}

function reject(position: string): Reject {
  const bytes = Buffer.from('{"tenant_id":"canary-project","user":"canary-user",');
  return { position, bytes, meta: {}, receivedAt: minute(0), code: "record-invalid", reason: "Broken." };
}

function pages() {
  const down = draft("down", 3, { visibility: "provider", subject: { kind: "host", id: "h1" } });
  const tenants = [gone, other];
  const affected = tenants.map((tenant) => ({ tenant, resources: [] }));
  const editions = tenants.map((tenant) => edition(down, tenant, { notice: true }));
  const facts = [
    fact("server:canary-server", "owned_by", "project:canary-project", 0),
    fact("user:canary-user", "named", { kind: "name", id: "Canary Person" }, 0),
  ];
  return page(
    [
      event(draft("canary-a", 1, { subject: { kind: "server", id: "canary-server" } }), gone),
      event(draft("beside", 2, { details: { saw: "canary-server" } }), other),
      event(draft("acted", 2, { actor: person, summary: "Canary Person was here" }), other),
      event(draft("unknown", 4)),
      { draft: down, attribution: { status: "shared", affected, evidence: [] }, dependsOn: [], editions },
      ...storm("canary-alert-again", 5),
    ],
    { facts, rejects: [reject("1")] },
  );
}

async function judgeErasure(db: TestStore): Promise<string | undefined> {
  await db.store.events.append(pages());
  await db.sql(
    "INSERT INTO isochron.connection_cursor (connection, stream, value) VALUES ('nova', 'of canary-project', '{}')",
  );
  const { retention, audit } = db.store;
  const actor = { id: person.userId, name: person.userName };
  await audit.append([{ at: minute(5), action: "sign-in", outcome: "done", actor, object: "session" }]);
  const target = { kind: "tenant", label: "x", keys: [projectKey("default", "canary-project")] } as const;
  const hold = await retention.placeHold({ target, why: "w", placedBy: "admin", placedAt: minute(9) });
  let now = instant(minute(0) + 10 * dayMs);
  const tools = { retention, policy: keepEverything, now: () => now, holder: "test" };
  const desk = openErasureDesk({ ...tools, audit, identityProviders: [], waits: true });
  const erase = (one: ErasureTarget) =>
    desk.erase({ target: one, why: "w", by: "admin", actor: { id: "admin" } });
  await erase(target);
  if ((await db.sql("SELECT FROM isochron.event WHERE key = 'canary-a'")).length === 0)
    return "what is held was erased";
  await retention.liftHold(hold.id, { by: "admin", why: "over", at: now });
  await db.sql("DELETE FROM isochron.legal_hold");
  await runRetention(tools, neverAborted);
  await erase({ kind: "user", userId: person.userId, words: [] });
  now = instant(now + 2 * 3_600_000);
  await runRetention(tools, neverAborted);
  const left = await tell(db, "after the erasures");
  if (left !== undefined) return left;
  if ((await db.sql("SELECT FROM isochron.tenant_event WHERE tenant_key LIKE '%/other-project'")).length < 3)
    return "another's part is gone";
  const late = event(draft("late", 6), gone);
  await db.store.events.append({ ...pages(), rejects: [reject("1"), reject("2")] });
  await db.store.events.append(page([late]));
  const [row] = await db.sql<{ id: string }>("SELECT id FROM isochron.event WHERE key = 'unknown'");
  const answer = { eventId: row!.id, occurredAt: minute(4), attribution: ownedBy(gone), dependsOn: [] };
  await db.store.events.reattributed({ token: { marks: [] }, events: [] }, [
    { ...answer, editions: [edition(draft("unknown", 4), gone)] },
  ]);
  return tell(db, "after all was told again");
}

async function tell(db: TestStore, when: string): Promise<string | undefined> {
  const tables = await findText(db, "canary");
  return tables.length === 0 ? undefined : `${when}: still in ${tables.join(", ")}`;
}

/** The tables that have the text somewhere, in rows as they print or in their bytes. */
async function findText(db: TestStore, text: string): Promise<readonly string[]> {
  const tables = await db.sql<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'isochron'::regnamespace AND relkind IN ('r', 'p')
        AND NOT relispartition ORDER BY 1`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await db.sql(
      `SELECT FROM isochron.${name} t
        WHERE t::text ~* $1 OR position(encode(convert_to($1, 'UTF8'), 'hex') IN t::text) > 0 LIMIT 1`,
      [text],
    );
    if (rows.length > 0) found.push(name);
  }
  return found;
}
