import type { LoginName } from "../../src/store/postgres/roles.ts";
import { logins } from "../../src/store/postgres/roles.ts";
import { lintCatalogue } from "../../src/store/postgres/catalogue-lint.ts";
import { probeAll, readCatalogue, type Catalogue } from "./direct-sql.ts";
import type { Report, Size } from "./report.ts";
import { SqlSession } from "./sql-session.ts";
import { claimCases, openWallWorld, showClaim, type WallWorld } from "./wall-world.ts";
import { wallMutants, type Mutant } from "./wall-mutations.ts";

/**
 * Takes away or widens one part of the wall at a time, each in a transaction that is undone, and sees whether the
 * statements made from the catalogue or the lint turn red.
 */
export async function run(report: Report, size: Size): Promise<void> {
  const world = await openWallWorld();
  try {
    const outcomes = await tryMutants(world, size === "short" ? 4 : 1);
    for (const kind of new Set(outcomes.map((outcome) => outcome.kind))) {
      const those = outcomes.filter((outcome) => outcome.kind === kind);
      const survivors = those.filter(({ by }) => by === undefined).map(({ name }) => name);
      report.count(`mutants: ${kind}`, those.length, survivors.length, survivors.join("\n") || undefined);
    }
    const by = (what: MutantOutcome["by"]) => outcomes.filter((outcome) => outcome.by === what).length;
    report.count(
      "killed mutants",
      0,
      0,
      `${outcomes.length - by(undefined)} of ${outcomes.length}: ${by("statements")} by statements, ${by("lint")} by the lint`,
    );
  } finally {
    await world.close();
  }
}

export interface MutantOutcome extends Mutant {
  /** What turned red. */
  readonly by: "statements" | "lint" | undefined;
}

/** Every n-th mutant, of each kind alike. */
export async function tryMutants(world: WallWorld, every = 1): Promise<readonly MutantOutcome[]> {
  const mutants = (await wallMutants(world)).filter((_, index) => index % every === 0);
  const session = await SqlSession.open(world.db.url, "admin");
  try {
    await session.client.query("SET client_min_messages = warning; SET statement_timeout = '60s'");
    const known = new Set(await lintCatalogue(session.client));
    const aims = (await readCatalogue(world)).relations.map(({ name }) => name);
    const untouched: Mutant = { kind: "no change", name: "the wall as it is", sql: [], aims };
    if ((await findFault(session, world, untouched, known)) !== undefined)
      throw new Error("the untouched wall is red");
    const outcomes: MutantOutcome[] = [];
    for (const mutant of mutants)
      outcomes.push({ ...mutant, by: await findFault(session, world, mutant, known) });
    return outcomes;
  } finally {
    await session.end();
  }
}

/** The statements first, since they are what an intruder has; the lint where they find nothing. */
async function findFault(
  session: SqlSession,
  world: WallWorld,
  mutant: Mutant,
  known: ReadonlySet<string>,
): Promise<"statements" | "lint" | undefined> {
  await session.client.query("BEGIN");
  try {
    for (const sql of mutant.sql) await session.client.query(sql);
    const { relations, calls } = await readCatalogue({ db: { ...world.db, sql: asRows(session) } });
    const aimed = { calls, relations: relations.filter(({ name }) => mutant.aims.includes(name)) };
    for (const login of Object.keys(logins) as LoginName[]) {
      if (await isRed(session, aimed, world, login)) return "statements";
    }
    return (await lintCatalogue(session.client)).some((fault) => !known.has(fault)) ? "lint" : undefined;
  } finally {
    await session.client.query("ROLLBACK");
  }
}

/** As the login, in the transaction of the mutant: as it is to whoever logs in. */
async function isRed(
  session: SqlSession,
  catalogue: Catalogue,
  world: WallWorld,
  login: LoginName,
): Promise<boolean> {
  await session.client.query("SAVEPOINT mutated");
  try {
    for (const claim of login === "tenant" ? claimCases : claimCases.slice(0, 1)) {
      await showClaim(session.client, world, claim);
      await session.client.query(`SET LOCAL SESSION AUTHORIZATION ${logins[login]}`);
      const { wrong } = await probeAll(session, catalogue, world, { login, claim }, 1, "reads");
      await session.client.query("ROLLBACK TO mutated");
      if (wrong.length > 0) return true;
    }
    return false;
  } finally {
    await session.client.query("ROLLBACK TO mutated");
  }
}

/** The statements of the mutated transaction see what no other session does yet. */
function asRows(session: SqlSession): WallWorld["db"]["sql"] {
  return async <Row>(text: string, values: readonly unknown[] = []) => {
    const { rows } = await session.client.query<{ row: string }>(
      `SELECT to_jsonb(found) AS row FROM (${text}) AS found`,
      [...values],
    );
    return rows.map(({ row }) => JSON.parse(row) as Row);
  };
}
