import type { LoginName } from "../../src/store/postgres/roles.ts";
import { tryHostile } from "./hostile-sql.ts";
import type { Report } from "./report.ts";
import { SqlSession, type SqlOutcome, type Told } from "./sql-session.ts";
import {
  claimCases,
  foreignWords,
  openWallWorld,
  showClaim,
  shownRows,
  type ClaimCase,
  type Viewer,
  type WallWorld,
} from "./wall-world.ts";

/** Every object of the catalogue, with every verb, on every login, under every claim; and what an intruder would send. */
export async function run(report: Report): Promise<void> {
  const world = await openWallWorld();
  try {
    for (const [login, cases] of Object.entries(claimsOf)) {
      const outcome = await probeLogin(world, login as LoginName, cases);
      report.count(
        `catalogue as ${login}`,
        outcome.tried,
        outcome.wrong.length,
        outcome.wrong.slice(0, 20).join("\n") || undefined,
      );
    }
    const hostile = await tryHostile(world);
    report.count(
      "hostile statements",
      hostile.tried,
      hostile.wrong.length,
      hostile.wrong.slice(0, 20).join("\n") || undefined,
    );
  } finally {
    await world.close();
  }
}

/** What a claim is worth on a login that no policy asks for one is tried once. */
const claimsOf: Readonly<Record<LoginName, readonly ClaimCase[]>> = {
  tenant: claimCases,
  operator: claimCases.slice(0, 2),
  provider: claimCases.slice(0, 2),
  ingest: claimCases.slice(0, 1),
};

/** An object of the schema, as the catalogue has it. */
export interface Relation {
  readonly name: string;
  readonly kind: string;
  readonly partition: boolean;
  readonly columns: readonly string[];
}

export interface Catalogue {
  readonly relations: readonly Relation[];
  /** A call of each function, with something of each type that it takes. */
  readonly calls: readonly string[];
}

const samples = {
  text: "'x'",
  integer: "1",
  bytea: "'\\x00'",
  date: "'2026-11-16'",
  "timestamp with time zone": "'2000-01-01'",
};

export async function readCatalogue({ db }: Pick<WallWorld, "db">): Promise<Catalogue> {
  const relations = await db.sql<Relation>(
    `SELECT c.relname AS name, c.relkind::text AS kind, c.relispartition AS partition,
            ARRAY(SELECT attname::text FROM pg_attribute a
                   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY attnum) AS columns
       FROM pg_class c WHERE c.relnamespace = 'isochron'::regnamespace AND c.relkind NOT IN ('i', 'I', 't')
      ORDER BY c.relname`,
  );
  const calls = await db.sql<{ call: string }>(
    `SELECT CASE prokind WHEN 'p' THEN 'CALL ' ELSE 'SELECT * FROM ' END || format('isochron.%I(', proname) ||
            (SELECT coalesce(string_agg(coalesce($1::jsonb ->> format_type(t, NULL), 'NULL') || '::' || format_type(t, NULL), ', '), '') FROM unnest(proargtypes) AS t) || ')' AS call
       FROM pg_proc WHERE pronamespace = 'isochron'::regnamespace ORDER BY 1`,
    [JSON.stringify(samples)],
  );
  return { relations, calls: calls.map(({ call }) => call) };
}

/** A statement, and what has to come of it. */
interface Probe {
  readonly sql: string;
  /** So many rows; or it is refused; or it may go through, as long as it tells no word of others. */
  readonly expect: number | "refused" | "quiet";
}

const readable: Partial<Record<LoginName, readonly string[]>> = {
  tenant: [
    "tenant_event",
    "storm_member_edition",
    "retraction",
    "incident_edition",
    "notification_rule",
    "notification_standing",
    "notification_delivery",
  ],
};
/** What no login but the one that signs in people may read, and what none may. */
const never: Partial<Record<LoginName, readonly string[]>> = {
  operator: ["claim_key", "api_token", "session", "connection_cursor", "schema_migration"],
  provider: ["claim_key", "api_token", "session", "connection_cursor", "schema_migration"],
  ingest: ["claim_key", "schema_migration"],
};

/** A word that only events of the class security hold. */
const searchOfSecrets = "SELECT * FROM isochron.search_events('-security', '-infinity', 'infinity', 1000)";

/** All statements for one login, made from the catalogue. */
export function probesOf(catalogue: Catalogue, world: WallWorld, viewer: Viewer): readonly Probe[] {
  return [
    ...catalogue.relations.flatMap((relation) => probesOfRelation(relation, world, viewer)),
    ...catalogue.calls.map((sql): Probe => {
      // Each of these is undone; a reader must not get through to any but those that tell of its own.
      const own = viewer.login === "tenant" ? /claimed_(sensitive_)?keys/ : /search_events|events_around/;
      return { sql, expect: viewer.login === "ingest" || own.test(sql) ? "quiet" : "refused" };
    }),
    ...(viewer.login === "operator" ? [{ sql: searchOfSecrets, expect: 0 }] : []),
  ];
}

function probesOfRelation(relation: Relation, world: WallWorld, viewer: Viewer): readonly Probe[] {
  const { login } = viewer;
  const name = `isochron.${relation.name}`;
  const closed =
    relation.partition ||
    (readable[login] !== undefined && !readable[login].includes(relation.name)) ||
    never[login]?.includes(relation.name) === true;
  const shown = closed ? "refused" : (shownRows(world, relation.name, viewer) ?? "quiet");
  const told = closed ? "refused" : "quiet";
  const writes = login === "ingest" && !closed ? "quiet" : "refused";
  const [column = "id"] = relation.columns;
  const reads = [
    `SELECT * FROM ${name}`,
    `TABLE ${name}`,
    `SELECT FROM ${name}`,
    ...relation.columns.map((one) => `SELECT ${one} FROM ${name}`),
  ];
  const telling = [
    `COPY ${name} TO STDOUT`,
    `COPY (SELECT * FROM ${name}) TO STDOUT`,
    `SELECT count(*) FROM ${name}`,
    `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT * FROM ${name}`,
    `DECLARE some CURSOR FOR SELECT * FROM ${name}; FETCH ALL FROM some`,
  ];
  const writing = [
    `INSERT INTO ${name} DEFAULT VALUES`,
    `INSERT INTO ${name} DEFAULT VALUES ON CONFLICT DO NOTHING RETURNING *`,
    `UPDATE ${name} SET ${column} = ${column} RETURNING *`,
    `DELETE FROM ${name} RETURNING *`,
    `SELECT * FROM ${name} FOR UPDATE`,
    `COPY ${name} FROM STDIN`,
  ];
  const changing = [
    `TRUNCATE ${name}`,
    `ALTER TABLE ${name} DISABLE ROW LEVEL SECURITY`,
    `ALTER TABLE ${name} NO FORCE ROW LEVEL SECURITY`,
    `CREATE POLICY lax ON ${name} USING (true)`,
    `CREATE TRIGGER spy AFTER UPDATE ON ${name} FOR EACH ROW EXECUTE FUNCTION isochron.note_lost_event()`,
    `CREATE INDEX ON ${name} (${column})`,
    `CREATE TABLE public.copied AS SELECT * FROM ${name}`,
    `CREATE TEMPORARY TABLE copied AS SELECT * FROM ${name}`,
    `CREATE TEMPORARY VIEW copied AS SELECT * FROM ${name}`,
    `CREATE TABLE public.pointing (one text REFERENCES ${name})`,
    `DROP TABLE ${name}`,
    `COMMENT ON TABLE ${name} IS 'mine'`,
    `SELECT 1 / (NOT has_table_privilege('${name}', 'REFERENCES, TRIGGER, TRUNCATE'))::integer`,
    `LOCK TABLE ${name} IN ACCESS EXCLUSIVE MODE`,
  ];
  return [
    ...reads.map((sql): Probe => ({ sql, expect: shown })),
    ...telling.map((sql): Probe => ({ sql, expect: told })),
    ...writing.map((sql): Probe => ({ sql, expect: writes })),
    ...changing.map((sql): Probe => {
      const harmless = sql.startsWith("SELECT") || (login === "ingest" && sql.startsWith("LOCK"));
      return { sql, expect: harmless ? "quiet" : "refused" };
    }),
  ];
}

/** Tries one login under each of the claims, each claim in one transaction that is undone. */
export async function probeLogin(
  world: WallWorld,
  login: LoginName,
  cases: readonly ClaimCase[] = claimsOf[login],
  wrongMax = Number.POSITIVE_INFINITY,
): Promise<SqlOutcome> {
  const catalogue = await readCatalogue(world);
  const session = await SqlSession.open(world.db.url, login);
  const wrong: string[] = [];
  let tried = 0;
  try {
    for (const claim of cases) {
      await session.client.query("BEGIN");
      await showClaim(session.client, world, claim);
      const outcome = await probeAll(session, catalogue, world, { login, claim }, wrongMax - wrong.length);
      await session.client.query("ROLLBACK");
      tried += outcome.tried;
      wrong.push(...outcome.wrong);
      if (wrong.length >= wrongMax) break;
    }
  } finally {
    await session.end();
  }
  return { tried, wrong };
}

const shortReads = /^(SELECT \* FROM|UPDATE|DELETE|CREATE TEMPORARY TABLE|COPY \(|CREATE TABLE isochron)/;

/** Tries all in the transaction that is under way, each statement undone by itself. */
export async function probeAll(
  session: SqlSession,
  catalogue: Catalogue,
  world: WallWorld,
  { login, claim }: { readonly login: LoginName; readonly claim: ClaimCase },
  wrongMax: number,
  /** `reads`: without what would change the schema, and each table read once, which is what finds most. */
  size: "all" | "reads" = "all",
): Promise<SqlOutcome> {
  const viewer: Viewer = {
    login,
    ...(login === "tenant" && claim.opens !== undefined ? { claimed: claim.opens } : {}),
  };
  const wrong: string[] = [];
  let tried = 0;
  await session.client.query("SAVEPOINT untouched");
  for (const probe of probesOf(catalogue, world, viewer)) {
    if (size === "reads" && !shortReads.test(probe.sql)) continue;
    const told = await session.tell(probe.sql);
    await session.client.query("ROLLBACK TO untouched");
    tried += 1;
    const fault = judge(probe, told, viewer, world);
    if (fault !== undefined) wrong.push(`${login}, claim ${claim.name}: ${probe.sql}: ${fault}`);
    if (wrong.length >= wrongMax) break;
  }
  return { tried, wrong };
}

function judge({ expect }: Probe, told: Told, viewer: Viewer, world: WallWorld): string | undefined {
  const words = foreignWords(told.text, viewer, world);
  if (words.length > 0) return `tells ${words.join(", ")}`;
  if (told.code === "22012") return "says that there is a right";
  if (expect === "refused" && told.code === undefined) return "was not refused";
  if (typeof expect === "number" && told.count !== expect)
    return `gave ${told.code ?? told.count} in the place of ${expect} rows`;
  return undefined;
}
