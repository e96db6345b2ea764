import type pg from "pg";
import type { Visibility } from "../../src/model/event.ts";
import { domainKey, exceptKey, projectKey, type TenantKey } from "../../src/model/tenant.ts";
import { signClaim, type Claimed, type ClaimSeat } from "../../src/store/postgres/claim.ts";
import type { LoginName } from "../../src/store/postgres/roles.ts";
import { openTestStore, type TestStore } from "../database.ts";
import { connection, draft, edition, event, fact, page, project } from "../drafts.ts";

/**
 * A store in which every word is somebody's: `kanarie-WHOSE-CLASS`. Tenants a and c share a domain, b is in another.
 * `hidden` is what only the provider reads of an event, `secret` the same of one of the class security, and `vault` is
 * for no reader at all.
 */
export interface WallWorld {
  readonly db: TestStore;
  readonly claimKey: Buffer;
  /** The rows of each table, as the administrator reads them. */
  readonly rows: ReadonlyMap<string, readonly Row[]>;
  readonly close: () => Promise<void>;
}

export type Row = Readonly<Record<string, unknown>>;

/** Who looks: on which login, and what a tenant's valid claim opens. */
export interface Viewer {
  readonly login: LoginName;
  readonly claimed?: Claimed;
}

const tenants = ["a", "b", "c"] as const;
const classes: readonly Visibility[] = ["operational", "billing", "security", "provider"];
const idOf = (tenant: string) => `kanarie-${tenant}-id`;
const domainOf = (tenant: string) => (tenant === "b" ? "d2" : "d1");
export const keyOf = (tenant: string): TenantKey => projectKey("default", idOf(tenant));
export const [domain1, domain2] = [domainKey("default", "d1"), domainKey("default", "d2")];

export async function openWallWorld(): Promise<WallWorld> {
  const db = await openTestStore();
  await db.store.events.connect({ ...connection, config: { told: "kanarie-provider-hidden" } });
  for (const [name, at, storm] of [
    ["one", 1, false],
    ["storm", 10, true],
    ["lost", 20, false],
  ] as const) {
    const events = tenants.flatMap((tenant, nth) =>
      classes.map((visibility, index) => eventOf(name, tenant, visibility, at + nth * 2 + index, storm)),
    );
    const waiting = classes.map((visibility, index) => {
      const word = visibility === "security" ? "kanarie-provider-secret" : "kanarie-provider-hidden";
      return event(draft(`${name}-${index}-${word}`, at + index, { visibility, summary: word }), undefined, {
        dependsOn: ["server:kanarie-provider-hidden"],
      });
    });
    const facts = [fact("server:kanarie-provider-hidden", "runs_on", "host:kanarie-provider-hidden", at)];
    await db.store.events.append(page([...events, ...waiting], { facts }));
  }
  await db.sql("DELETE FROM isochron.tenant_event WHERE summary LIKE 'lost-%'");
  await db.sql("DELETE FROM isochron.event WHERE summary LIKE 'lost-%'");
  await fillRest(db);
  const [key] = await db.sql<{ key: Buffer }>("SELECT key FROM isochron.claim_key");
  return { db, claimKey: key!.key, rows: await readAll(db), close: db.close };
}

function eventOf(name: string, tenant: string, visibility: Visibility, at: number, storm: boolean) {
  const unseen = visibility === "security" ? "secret" : "hidden";
  const word = `${name}-kanarie-${tenant}-${visibility}`;
  const owner = project(idOf(tenant), domainOf(tenant));
  const mine = draft(`${word}-kanarie-${tenant}-${unseen}`, at, {
    visibility,
    summary: `${word} on kanarie-${tenant}-${unseen}`,
    details: { host: `kanarie-${tenant}-${unseen}` },
    ...(storm ? { kind: "symptom" } : {}),
  });
  const told = edition(mine, owner, { summary: word, subject: { kind: "server", id: word }, details: {} });
  return event(mine, owner, { editions: [told], ...(storm ? { storm: true } : {}) });
}

/** What no ordinary page makes: earlier versions of what is stored, and a row in every table that is still empty. */
async function fillRest({ sql }: TestStore): Promise<void> {
  const stored = `SELECT id, occurred_at, visibility, attribution, summary FROM isochron.event
    UNION ALL SELECT id, occurred_at, draft ->> 'visibility', attribution::jsonb, draft ->> 'summary' FROM isochron.storm_member`;
  await sql(
    `INSERT INTO isochron.attribution_revision (event_id, occurred_at, recorded_at, attribution)
     SELECT id, occurred_at, now(), attribution || jsonb_build_object('word', summary) FROM (${stored}) AS stored`,
  );
  // Of each event a version of its own class, and one from before or after that class was another.
  await sql(
    `INSERT INTO isochron.event_revision (event_id, content_hash, occurred_at, draft)
     SELECT id, convert_to(told.cls, 'UTF8'), occurred_at, jsonb_build_object('visibility', told.cls, 'summary', told.word)
       FROM (${stored}) AS stored CROSS JOIN LATERAL (VALUES
         (visibility, summary),
         (CASE visibility WHEN 'security' THEN 'operational' ELSE 'security' END, 'kanarie-provider-secret')) AS told (cls, word)`,
  );
  await sql(
    `INSERT INTO isochron.retraction (reader_key, tenant_key, id, occurred_at, first_xid, visibility)
     SELECT reader_key, tenant_key, 'kanarie-provider-hidden ' || id, occurred_at, first_xid, 'unheard of'
       FROM isochron.retraction WHERE visibility = 'security'`,
  );
  await sql(
    `INSERT INTO isochron.incident_edition
       (tenant_key, domain_key, id, edition, visibility, published_at, title, markdown, hash)
     SELECT tenant_key, domain_key, id, 1, visibility, occurred_at, summary, summary, summary FROM isochron.tenant_event`,
  );
  await fillNotifications(sql);
  for (const table of await tablesOf(sql)) {
    const [found] = await sql(`SELECT FROM isochron.${table} LIMIT 1`);
    if (found === undefined) await fillTable(sql, table);
  }
}

/** Rules and messages of each tenant and of the provider, of each class that they can be of. */
async function fillNotifications(sql: TestStore["sql"]): Promise<void> {
  const owners = [
    ...tenants.map((tenant) => [keyOf(tenant), `kanarie-${tenant}`]),
    ["provider", "kanarie-provider"],
  ];
  for (const [owner, whose] of owners) {
    for (const visibility of ["operational", "security"] as const) {
      const hidden = visibility === "security" ? "secret" : "hidden";
      const word = `${whose}-${owner === "provider" ? hidden : visibility}`;
      const told = JSON.stringify({ word });
      await sql(
        `INSERT INTO isochron.notification_rule (id, version, owner_key, visibility, definition, decided_at)
         VALUES ($1, 1, $2, $3, $4, now())`,
        [word, owner, visibility, told],
      );
      await sql(
        `INSERT INTO isochron.notification_standing
           (rule, owner_key, visibility, version, enabled, mark, confirmed_at, maker)
         VALUES ($1, $2, $3, 1, false, '', now(), $4)`,
        [word, owner, visibility, told],
      );
      await sql(
        `INSERT INTO isochron.notification_delivery
           (id, rule, rule_version, owner_key, visibility, sequence, draft, state, made_at, waiting_since, next_at)
         VALUES ($1, $1, 1, $2, $3, 1, $4, 'sent', now(), now(), now())`,
        [word, owner, visibility, told],
      );
    }
  }
}

const notificationTables = ["notification_rule", "notification_standing", "notification_delivery"];
const secretTables = ["api_token", "session", "claim_key"];
/** What a made-up row may break: a rule of its table, or one that a trigger keeps. */
const rowRefused = ["22007", "23505", "23514", "23502", "23503", "22P02", "P0001", "55000", "42501", "428C9"];

async function fillTable(sql: TestStore["sql"], table: string): Promise<void> {
  const columns = await sql<{ name: string; type: string }>(
    `SELECT attname AS name, format_type(atttypid, NULL) AS type FROM pg_attribute
      WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = ''`,
    [`isochron.${table}`],
  );
  const word = secretTables.includes(table) ? "kanarie-vault-token" : "kanarie-provider-hidden";
  const values: Readonly<Record<string, string>> = {
    text: `'${word}'`,
    jsonb: `'{"word": "${word}"}'`,
    json: `'{"word": "${word}"}'`,
    bytea: `convert_to('${word}', 'UTF8')`,
    "text[]": `'{${word}}'`,
    boolean: "true",
    "timestamp with time zone": "now()",
    uuid: "gen_random_uuid()",
    date: "now()",
    xid8: "pg_current_xact_id()",
  };
  try {
    await sql(
      `INSERT INTO isochron.${table} (${columns.map(({ name }) => name).join(", ")})
       VALUES (${columns.map(({ type }) => values[type] ?? "'1'").join(", ")})`,
    );
  } catch (error) {
    if (!rowRefused.includes((error as { code: string }).code)) throw error;
  }
}

export async function tablesOf(sql: TestStore["sql"]): Promise<readonly string[]> {
  const rows = await sql<{ name: string }>(
    `SELECT relname AS name FROM pg_class
      WHERE relnamespace = 'isochron'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

async function readAll({ sql }: TestStore): Promise<ReadonlyMap<string, readonly Row[]>> {
  const all = new Map<string, readonly Row[]>();
  for (const table of await tablesOf(sql)) {
    const rows = await sql<{ row: Row }>(`SELECT to_jsonb(t) AS row FROM isochron.${table} AS t`);
    all.set(
      table,
      rows.map(({ row }) => row),
    );
  }
  return all;
}

/** Whether a viewer may come to know a word, by whose it is and of which class. */
export function mayKnow({ login, claimed }: Viewer, whose: string, cls: string): boolean {
  if (whose === "vault") return login === "ingest";
  if (login === "ingest" || login === "provider") return true;
  if (login === "operator") return cls !== "security" && cls !== "secret";
  if (claimed === undefined || cls === "hidden" || cls === "secret" || whose === "provider") return false;
  return opens(
    claimed,
    keyOf(whose),
    domainKey("default", domainOf(whose)),
    cls === "id" ? "operational" : cls,
  );
}

/** Which rows of a table a viewer is shown; undefined where no number is promised. */
export function shownRows({ rows }: WallWorld, table: string, viewer: Viewer): number | undefined {
  const all = rows.get(table) ?? [];
  if (viewer.login === "tenant") return all.filter((row) => isTenants(table, row, viewer.claimed)).length;
  if (viewer.login === "provider" && table === "retraction")
    return all.filter((row) => row["reader_key"] === "provider").length;
  if (viewer.login !== "operator") return undefined;
  const open = (cls: unknown): boolean => cls === "operational" || cls === "billing" || cls === "provider";
  if (
    ["event", "tenant_event", "storm_member_edition", "incident_edition", ...notificationTables].includes(
      table,
    )
  )
    return all.filter((row) => open(row["visibility"])).length;
  if (table === "retraction")
    return all.filter((row) => row["reader_key"] === "provider" && open(row["visibility"])).length;
  if (table === "storm_member") return all.filter((row) => open((row["draft"] as Row)["visibility"])).length;
  if (!["delivery", "event_revision", "attribution_revision"].includes(table)) return undefined;
  const known = new Set([
    ...(rows.get("event") ?? []).filter((row) => open(row["visibility"])).map((row) => row["id"]),
    ...(rows.get("storm_member") ?? [])
      .filter((row) => open((row["draft"] as Row)["visibility"]))
      .map((row) => row["id"]),
  ]);
  const told =
    table === "event_revision" ? all.filter((row) => open((row["draft"] as Row)["visibility"])) : all;
  return told.filter((row) => known.has(row["event_id"])).length;
}

function isTenants(table: string, row: Row, claimed: Claimed | undefined): boolean {
  if (claimed === undefined) return false;
  const cls = String(row["visibility"]);
  if (["tenant_event", "storm_member_edition", "incident_edition"].includes(table))
    return opens(claimed, String(row["tenant_key"]), row["domain_key"] as string | null, cls);
  if (notificationTables.includes(table))
    return (claimed.sensitive as readonly string[]).includes(String(row["owner_key"]));
  if (table !== "retraction") return false;
  const reader = row["reader_key"] as TenantKey;
  const keys = claimed.keys as readonly string[];
  if (!keys.includes(reader) || keys.includes(`!${String(row["tenant_key"])}`)) return false;
  return cls === "security" ? claimed.sensitive.includes(reader) : ["operational", "billing"].includes(cls);
}

function opens(claimed: Claimed, tenantKey: string, domain: string | null, cls: string): boolean {
  const keys: readonly string[] = claimed.keys;
  const sensitive: readonly string[] = claimed.sensitive;
  const among = (list: readonly string[]) =>
    list.includes(tenantKey) || (domain !== null && list.includes(domain));
  if (!among(keys) || keys.includes(`!${tenantKey}`)) return false;
  return cls === "operational" || cls === "billing" || (cls === "security" && among(sensitive));
}

/** The words of others in what somebody was told, but for those that it said itself. */
export function foreignWords(
  told: string,
  viewer: Viewer,
  world: Pick<WallWorld, "claimKey">,
  said: ReadonlySet<string> = new Set(),
): readonly string[] {
  // A claim names what it takes out again.
  const except = (viewer.claimed?.keys ?? []).filter((key) => key.startsWith("!"));
  const text = except.reduce((rest, key) => rest.replaceAll(key, ""), told);
  const words = wordsIn(text).filter((word) => {
    const [, whose = "", cls = ""] = word.split("-");
    return !said.has(word) && !mayKnow(viewer, whose, cls);
  });
  const bytes = world.claimKey;
  const keys = [bytes.toString("hex"), bytes.toString("base64")].filter((spelt) => text.includes(spelt));
  return [...new Set([...words, ...keys])];
}

export function wordsIn(text: string): readonly string[] {
  return text.match(/kanarie-[a-z]+-[a-z]+/g) ?? [];
}

/** What claims there are to show, and what each opens; nothing where it is none that our own process made for now. */
export interface ClaimCase {
  readonly name: string;
  readonly opens?: Claimed;
  readonly make: (seat: ClaimSeat, claimKey: Buffer) => string;
}

const of = (keys: readonly TenantKey[], sensitive: readonly TenantKey[] = []): Claimed => ({
  keys,
  sensitive,
});
const good = (name: string, claimed: Claimed): ClaimCase => ({
  name,
  opens: claimed,
  make: (seat, key) => signClaim(key, claimed, seat),
});
const [a, b] = [keyOf("a"), keyOf("b")];

export const claimCases: readonly ClaimCase[] = [
  { name: "none", make: () => "" },
  good("a", of([a])),
  good("a as its administrator", of([a], [a])),
  good("a domain without one project", of([domain1, exceptKey(keyOf("c"))], [domain1])),
  good("two, of one the administrator", of([a, b], [b])),
  { name: "forged", make: (seat) => signClaim(Buffer.alloc(32, 7), of([a, b], [a, b]), seat) },
  {
    name: "expired",
    make: (seat, key) => signClaim(key, of([a, b], [a, b]), { ...seat, nowMs: seat.nowMs - 61_000 }),
  },
  {
    name: "of another session",
    make: (seat, key) => signClaim(key, of([a, b], [a, b]), { ...seat, backendPid: seat.backendPid + 1 }),
  },
  {
    name: "of another transaction",
    make: (seat, key) =>
      signClaim(key, of([a, b], [a, b]), { ...seat, transactionAt: `${seat.transactionAt}1` }),
  },
  {
    name: "of swapped tenants",
    make: (seat, key) =>
      `${signClaim(key, of([a]), seat).slice(0, 64)}${signClaim(key, of([b], [b]), seat).slice(64)}`,
  },
];

/** Shows the claim for the rest of the transaction that is under way. */
export async function showClaim(
  client: pg.ClientBase,
  world: Pick<WallWorld, "claimKey">,
  { make }: ClaimCase,
) {
  const { rows } = await client.query<{ pid: number; tx: string }>(
    "SELECT pg_backend_pid() AS pid, (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint::text AS tx",
  );
  const seat = { backendPid: rows[0]!.pid, transactionAt: rows[0]!.tx, nowMs: Date.now() };
  await client.query("SELECT set_config('isochron.claim', $1, true)", [make(seat, world.claimKey)]);
}
