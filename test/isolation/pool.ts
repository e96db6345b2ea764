import { IsochronError } from "../../src/errors.ts";
import { instant } from "../../src/model/instant.ts";
import type { Scope } from "../../src/model/scope.ts";
import { projectKey } from "../../src/model/tenant.ts";
import type { EventReader } from "../../src/store/event-reader.ts";
import { openStore } from "../../src/store/postgres/open.ts";
import { openTestStore, type TestStore } from "../database.ts";
import { connection, draft, event, minute, page, project } from "../drafts.ts";
import type { Report, Size } from "./report.ts";

const tenants = Array.from({ length: 20 }, (_, nth) => `tenant${String.fromCharCode(97 + nth)}`);
const atOnce = 40;
const eventsEach = 12;
const everything = { limit: 50, order: "oldest" } as const;

/** Requests of twenty tenants over two connections, while statements are cancelled, fail and lose their connection. */
export async function run(report: Report, size: Size): Promise<void> {
  const db = await openTestStore();
  const store = await openStore({ databaseUrl: db.url, poolSizes: { tenant: 2 } });
  try {
    await fill(db);
    const outcome = await ask(store.reader, db, size === "full" ? 10_000 : 1_000);
    report.count(
      "requests over a pool of two",
      outcome.tried,
      outcome.wrong.length,
      outcome.wrong.slice(0, 10).join("\n") ||
        `${outcome.failed} of them were cut off by a cancel, a kill or an error`,
    );
    report.count("requests that were cut off, and said so", outcome.failed, outcome.failed === 0 ? 1 : 0);
  } finally {
    await store.close();
    await db.close();
  }
}

async function fill({ store }: TestStore): Promise<void> {
  await store.events.connect(connection);
  for (const tenant of tenants) {
    const events = Array.from({ length: eventsEach }, (_, nth) =>
      event(
        draft(`${tenant}-${nth}`, nth, nth % 3 === 0 ? { kind: "symptom" } : {}),
        project(tenant),
        nth % 3 === 0 ? { storm: true } : {},
      ),
    );
    await store.events.append(page(events));
  }
}

/** A request, by the name of a way to ask. */
type Way = (reader: EventReader, scope: Scope, ids: readonly string[]) => Promise<unknown>;

const span = { from: minute(0), to: minute(60) };
const ways: readonly Way[] = [
  (reader, scope) => reader.timeline(scope, {}, everything),
  (reader, scope) => reader.timeline(scope, { text: "tenant" }, everything),
  (reader, scope) => reader.timeline(scope, span, { limit: 3, order: "newest" }),
  (reader, scope) => reader.histogram(scope, span, 6),
  (reader, scope) => reader.extent(scope),
  (reader, scope) => reader.feed(scope, { mark: "0:" }, 50),
  // Of ids of all tenants, of which this one's alone give anything.
  async (reader, scope, ids) => {
    const found = [];
    for (const id of ids) found.push((await reader.event(scope, id)) ?? null);
    return found;
  },
  async (reader, scope, ids) => {
    const found = [];
    for (const id of ids) found.push(await reader.members(scope, id, everything));
    return found;
  },
];
/** Fails in the middle of its transaction, when the claim has been shown. */
const failing: Way = (reader, scope) => reader.timeline(scope, { from: instant(1e18) }, everything);

interface PoolOutcome {
  readonly tried: number;
  readonly failed: number;
  readonly wrong: readonly string[];
}

async function ask(reader: EventReader, db: TestStore, requests: number): Promise<PoolOutcome> {
  const ids = await someIds(db);
  const expected = new Map<string, string>();
  for (const tenant of tenants)
    for (const [number, way] of ways.entries())
      expected.set(`${tenant} ${number}`, JSON.stringify(await way(reader, scopeOf(tenant), ids)));
  const wrong = [...expected].flatMap(([name, text]) =>
    isOwn(name.split(" ")[0]!, text) ? [] : [`${name}: ${text}`],
  );
  const random = seeded(4711);
  let [tried, failed] = [0, 0];
  const worker = async (): Promise<void> => {
    while (tried < requests) {
      tried += 1;
      const tenant = tenants[Math.floor(random() * tenants.length)]!;
      const number = Math.floor(random() * (ways.length + 1));
      if (tried % 25 === 0) await disturb(db, random() < 0.3 ? "pg_terminate_backend" : "pg_cancel_backend");
      try {
        const text = JSON.stringify(await (ways[number] ?? failing)(reader, scopeOf(tenant), ids));
        if (text !== expected.get(`${tenant} ${number}`))
          wrong.push(`${tenant} ${number} was answered ${text}`);
      } catch (error) {
        if (!(error instanceof RangeError) && !(error instanceof IsochronError)) throw error;
        failed += 1;
        if (!isOwn(tenant, error.message)) wrong.push(`${tenant} ${number} was refused by ${error.message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { tried, failed, wrong };
}

function scopeOf(tenant: string): Scope {
  return { kind: "tenant", label: tenant, keys: [projectKey("default", tenant)] };
}

function isOwn(tenant: string, text: string): boolean {
  return (text.match(/tenant[a-t]\b/g) ?? []).every((word) => word === tenant);
}

async function someIds({ sql }: TestStore): Promise<readonly string[]> {
  const rows = await sql<{ id: string }>(
    "SELECT DISTINCT ON (tenant_key) id FROM isochron.tenant_event WHERE details ? 'storm' ORDER BY tenant_key, occurred_at",
  );
  return rows.filter((_, nth) => nth % 4 === 0).map(({ id }) => id);
}

/** What an operator, a timeout or a failing network does to whatever is under way. */
async function disturb({ sql }: TestStore, how: "pg_cancel_backend" | "pg_terminate_backend"): Promise<void> {
  await sql(
    `SELECT ${how}(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND usename = 'isochron_tenant' ORDER BY random() LIMIT 1`,
  );
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
