import { readOptions } from "../test/command-options.ts";
import { openTestStore, useTestServer, type TestStore } from "../test/database.ts";
import { startTestServer } from "../test/database-server.ts";
import { connection, draft, event, page, project } from "../test/drafts.ts";
import type { Scope } from "../src/model/scope.ts";
import { projectKey } from "../src/model/tenant.ts";

/**
 * What text search costs the provider with trigram indexes, as a ratio to looking through the rows in the same store, and
 * what the indexes cost ingest. Tenants, one with 200 rows among 200,000 of others' and the large one, use none: what is
 * told of them is that a word of another's takes as long as one of nobody's.
 * Usage: `npm run bench:search -- [--rows N] [--rounds N]`.
 */
const values = readOptions("npm run bench:search -- [--rows N] [--rounds N]", {
  rows: { type: "string", default: "200000" },
  rounds: { type: "string", default: "40" },
});
const [rows, rounds] = [Number(values.rows), Number(values.rounds)];

/** Words that only some rows hold: one row of the large tenant, one of the small one, none. */
const words = { ofLarge: "quartzite", ofSmall: "sandalwood", ofNobody: "parsimony" };

async function fill({ sql, store }: TestStore): Promise<void> {
  await store.events.connect(connection);
  await store.events.append(page([event(draft("first", 1), project("small"))]));
  await store.events.append(page([event(draft("second", 1), project("large"))]));
  await addRows(sql, "small", 200, words.ofSmall);
  await addRows(sql, "large", rows, words.ofLarge);
  // As autovacuum does in the background.
  await sql("VACUUM ANALYZE isochron.event");
  await sql("VACUUM ANALYZE isochron.tenant_event");
}

/** Copies of the tenant's one event under other ids, a second apart, each with words of its own. */
async function addRows(sql: TestStore["sql"], tenant: string, count: number, rare: string): Promise<void> {
  const text = `t.search || ' volume ' || md5(n::text) || ' port ' || md5((-n)::text) || ' flavor m1.' || (n % 40)
    || CASE WHEN n = ${Math.ceil(count / 2)} THEN ' ${rare}' ELSE '' END`;
  const changed = `jsonb_build_object('id', md5(n || '${tenant}') || t.id, 'search', ${text},
    'occurred_at', t.occurred_at + n * interval '1 second')`;
  for (const [table, own] of [
    ["tenant_event", `t.tenant_key = '${projectKey("default", tenant)}'`],
    ["event", `t.owner_project_id = '${tenant}'`],
  ]) {
    await sql(
      `INSERT INTO isochron.${table} SELECT made.* FROM isochron.${table} t, generate_series(1, ${count}) AS n,
         LATERAL jsonb_populate_record(t, ${changed}) AS made WHERE ${own}`,
    );
  }
}

const tenantScope = (tenant: string): Scope => ({
  kind: "tenant",
  label: tenant,
  keys: [projectKey("default", tenant)],
});

const questions: readonly (readonly [name: string, scope: Scope, text: string])[] = [
  ["the small tenant, a word of its own", tenantScope("small"), words.ofSmall],
  ["the small tenant, a word of another's", tenantScope("small"), words.ofLarge],
  ["the small tenant, a word of nobody's", tenantScope("small"), words.ofNobody],
  ["the large tenant, a rare word of its own", tenantScope("large"), words.ofLarge],
  ["the large tenant, a word of another's", tenantScope("large"), words.ofSmall],
  ["the large tenant, a word of nobody's", tenantScope("large"), words.ofNobody],
  ["an operator, a rare word", { kind: "provider", security: "withheld" }, words.ofSmall],
  ["an auditor, a rare word", { kind: "provider" }, words.ofSmall],
  ["an auditor, a word of every row", { kind: "provider" }, "flavor"],
];

async function medianMs(db: TestStore, scope: Scope, text: string, times: number): Promise<number> {
  const taken: number[] = [];
  for (let round = 0; round < times; round += 1) {
    const began = performance.now();
    await db.store.reader.timeline(scope, { text }, { limit: 50, order: "newest" });
    taken.push(performance.now() - began);
  }
  return taken.toSorted((a, b) => a - b)[Math.floor(times / 2)]!;
}

/** Seconds for storing pages by the ordinary way. */
async function ingestSeconds(db: TestStore, name: string): Promise<number> {
  const began = performance.now();
  for (let nth = 0; nth < 20; nth += 1) {
    const events = Array.from({ length: 500 }, (_, index) => {
      const words = `${name} ${nth} ${index} ${((nth * 500 + index) * 2_654_435_761).toString(36)}`;
      const fields = { summary: `Server ${words} was created on a host that has room for it` };
      return event(draft(`${name}-${nth}-${index}`, 1, fields), project("large"));
    });
    await db.store.events.append(page(events));
  }
  return (performance.now() - began) / 1_000;
}

async function dropIndexes({ sql }: TestStore): Promise<void> {
  await sql("DROP INDEX isochron.event_by_text");
  await sql("DROP INDEX isochron.event_by_withheld_text");
}

async function main(): Promise<void> {
  const server = await startTestServer();
  useTestServer(server);
  const db = await openTestStore();
  try {
    await fill(db);
    const indexed = new Map<string, number>();
    for (const [name, scope, text] of questions) indexed.set(name, await medianMs(db, scope, text, rounds));
    const sizes = await db.sql<{ name: string; ratio: number }>(
      `SELECT p.relname AS name, sum(pg_relation_size(i.indexrelid))::float / sum(pg_table_size(i.indrelid)) AS ratio
         FROM pg_class p JOIN pg_inherits h ON h.inhparent = p.oid JOIN pg_index i ON i.indexrelid = h.inhrelid
        WHERE p.relname LIKE '%by_text' GROUP BY p.relname ORDER BY 1`,
    );
    const withIndex = await ingestSeconds(db, "with");
    await dropIndexes(db);
    const without = await ingestSeconds(db, "without");
    console.log(
      `rows of others: ${rows}; each median of ${rounds}; milliseconds looked through, indexed, and their ratio`,
    );
    for (const [name, scope, text] of questions) {
      const before = await medianMs(db, scope, text, Math.min(rounds, 10));
      const after = indexed.get(name)!;
      console.log(`${name}: ${before.toFixed(2)} ${after.toFixed(2)} ${(before / after).toFixed(1)}`);
    }
    for (const { name, ratio } of sizes) console.log(`${name}: ${ratio.toFixed(2)} of its table's size`);
    console.log(
      `storing 10,000 events with the indexes takes ${(withIndex / without).toFixed(2)} times as long as without`,
    );
  } finally {
    await db.close();
    await server.stop();
  }
}

await main();
