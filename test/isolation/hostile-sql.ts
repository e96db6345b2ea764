import { hostileScripts, type Script } from "./hostile-scripts.ts";
import { SqlSession, type SqlOutcome } from "./sql-session.ts";
import { claimCases, foreignWords, wordsIn, showClaim, type Viewer, type WallWorld } from "./wall-world.ts";

const claimOfA = claimCases[1]!;
const noClaim = claimCases[0]!;

/** Sends every script on the login that it is for; none may tell a word of others, or be told that it found any. */
export async function tryHostile(world: WallWorld, wrongMax = Number.POSITIVE_INFINITY): Promise<SqlOutcome> {
  const wrong: string[] = [];
  let tried = 0;
  for (const login of ["tenant", "operator"] as const) {
    let session = await SqlSession.open(world.db.url, login);
    const said = new Set<string>();
    for (const script of hostileScripts(login)) {
      tried += script.steps.length;
      for (const word of script.steps.flatMap(wordsIn)) said.add(word);
      const fault = await play(session, script, { login }, world, said);
      if (fault !== undefined) wrong.push(`${login}: ${script.steps.join(" ⏎ ")}: ${fault}`);
      if (wrong.length >= wrongMax) break;
      // What one has left behind in the session is what the next may use, but not a session that has ended.
      const alive = await session.tell("ROLLBACK");
      if (alive.code !== undefined) {
        await session.end().catch(() => undefined);
        session = await SqlSession.open(world.db.url, login);
      }
    }
    await session.end();
  }
  return { tried, wrong };
}

/** Each step is a transaction of its own; the first has tenant a's claim, the others none. */
async function play(
  session: SqlSession,
  script: Script,
  { login }: Viewer,
  world: WallWorld,
  said: ReadonlySet<string>,
): Promise<string | undefined> {
  for (const [index, sql] of script.steps.entries()) {
    const claim = index === 0 ? claimOfA : noClaim;
    const viewer: Viewer =
      login === "tenant" && claim.opens !== undefined ? { login, claimed: claim.opens } : { login };
    await session.client.query("BEGIN");
    if (login === "tenant") await showClaim(session.client, world, claim);
    const told = await session.tell(sql);
    await session.tell(script.commits === true ? "COMMIT" : "ROLLBACK");
    const words = foreignWords(told.text, viewer, world, said);
    if (words.length > 0) return `tells ${words.join(", ")}`;
    if (told.code === "22012") return "divided by what it found";
    const found = told.rows.find(
      ({ leak }) => leak !== undefined && leak !== null && !["f", "0", ""].includes(leak),
    );
    if (found !== undefined) return `found ${JSON.stringify(found)}`;
  }
  return undefined;
}
