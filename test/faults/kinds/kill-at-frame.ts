import pg from "pg";
import { digestStore } from "../../../src/store/postgres/digest.ts";
import type { FaultKind, Outcome, Scale } from "../fault-kind.ts";
import type { Lab } from "../lab.ts";
import { SeededRandom } from "../seeded-random.ts";
import { patience } from "../patience.ts";
import { World } from "../world.ts";

type Kind = "kill" | "cut";

/** What is said of a pass that goes on for longer. */
const passMsMax = 60_000 * patience;

/** A pass of each pulling connection over what stands still, struck at one message after the other. */
export const killAtFrame: FaultKind = {
  name: "kill-at-frame",
  says: "SIGKILL of a worker after each wire message of a pass to its database; the next pass must end in the same store",
  short: true,
  run: (lab, random, scale) => strikeFrames(lab, random, scale, "kill"),
};

export const cutAtFrame: FaultKind = {
  name: "cut-at-frame",
  says: "the database's link breaks after a wire message of a pass, so that the outcome of a commit may be unknown",
  short: true,
  run: (lab, random, scale) => strikeFrames(lab, random, scale, "cut"),
};

/** Worlds that are struck side by side, each with a share of the messages. */
const lanes = 3;

async function strikeFrames(lab: Lab, random: SeededRandom, scale: Scale, strike: Kind): Promise<Outcome> {
  const shares = Array.from({ length: scale.short ? 1 : lanes }, (_, lane) => ({
    lane,
    of: scale.short ? 1 : lanes,
  }));
  const outcomes = await Promise.all(
    shares.map((share) => strikeShare(lab, new SeededRandom(`${random.next()}`), scale, strike, share)),
  );
  const sum = (of: (outcome: Share) => number) => outcomes.reduce((all, one) => all + of(one), 0);
  const messages = outcomes[0]?.messages ?? 0;
  return {
    injected: sum(({ struck }) => struck),
    recoveredMs: outcomes.flatMap(({ recoveredMs }) => recoveredMs),
    expected: sum(({ expected }) => expected),
    lost: [],
    duplicate: [],
    extra: [],
    claims: 0,
    falseClaims: [],
    violations: outcomes.flatMap(({ violations }) => violations),
    ...(strike === "kill" ? { frames: { struck: sum(({ struck }) => struck), of: messages } } : {}),
    note: `${messages} messages from start to end of a pass; each store's digest compared with that of an undisturbed pass`,
  };
}

interface Share {
  readonly struck: number;
  readonly recoveredMs: readonly number[];
  readonly expected: number;
  readonly violations: readonly string[];
  readonly messages: number;
}

async function strikeShare(
  lab: Lab,
  random: SeededRandom,
  scale: Scale,
  strike: Kind,
  share: { readonly lane: number; readonly of: number },
): Promise<Share> {
  const world = await World.open(lab, random, { readers: false, still: true, pageSize: 100 });
  try {
    const { wanted, frames } = await undisturbed(world);
    const chosen = chooseFrames(frames, random, scale, strike).filter(
      (_, index) => index % share.of === share.lane,
    );
    const truth = await world.truths();
    const recoveredMs: number[] = [];
    const violations: string[] = [];
    let struck = 0;
    let expected = 0;
    // What a strike leaves behind is one of a few stores, and the same store comes to the same end.
    const ends = new Map<string, string>();
    for (const { connection, frame } of chosen) {
      if (await strikeOne(world, connection, frame, strike)) struck += 1;
      expected += truth.get(connection)?.required.size ?? 0;
      const left = `${connection} ${await stateOf(world)}`;
      if (!ends.has(left)) {
        const began = performance.now();
        await world.expireLeases();
        await passWell(world, connection);
        recoveredMs.push(performance.now() - began);
        ends.set(left, await digestOf(world));
      }
      if (ends.get(left) !== wanted.get(connection))
        violations.push(`${connection}: another store after a ${strike} at message ${frame}`);
    }
    const all = [...frames.values()].reduce((sum, count) => sum + count, 0);
    const isWhole = strike === "kill" && !scale.short;
    const messages = isWhole ? (frames.get(connectionOf(scale)) ?? 0) : all;
    return { struck, recoveredMs, expected, messages, violations: [...violations, ...world.violations] };
  } finally {
    await world.close();
  }
}

/** What a pass comes to when nothing strikes, and how many messages it takes. */
async function undisturbed(
  world: World,
): Promise<{ wanted: ReadonlyMap<string, string>; frames: ReadonlyMap<string, number> }> {
  const wanted = new Map<string, string>();
  const frames = new Map<string, number>();
  for (const connection of ["desk", "jobs"]) {
    await renewStore(world);
    world.link.frames = 0;
    await passWell(world, connection);
    frames.set(connection, world.link.frames);
    wanted.set(connection, await digestOf(world));
  }
  return { wanted, frames };
}

/** Every message of one connection's pass is struck in one round, of the other's in the next. */
function connectionOf({ round }: Scale): string {
  return round % 2 === 1 ? "jobs" : "desk";
}

function chooseFrames(
  frames: ReadonlyMap<string, number>,
  random: SeededRandom,
  scale: Scale,
  strike: Kind,
): readonly { connection: string; frame: number }[] {
  const all = [...frames].flatMap(([connection, count]) =>
    Array.from({ length: count }, (_, index) => ({ connection, frame: index + 1 })),
  );
  if (scale.short) return random.shuffled(all).slice(0, 8);
  if (strike === "cut") return all.filter((_, index) => index % 9 === 0);
  return all.filter(({ connection }) => connection === connectionOf(scale));
}

/** Strikes a pass over an empty store; false where it ended before the message came. */
async function strikeOne(world: World, connection: string, frame: number, strike: Kind): Promise<boolean> {
  await renewStore(world);
  let struck = false;
  const worker = world.harvest(connection);
  world.link.frames = 0;
  world.link.onFrame = (number) => {
    if (number !== frame || struck) return;
    struck = true;
    if (strike === "kill") worker.signal("SIGKILL");
    else world.link.cut();
  };
  await endOf(world, worker, `${connection} struck at ${frame}`);
  world.link.onFrame = undefined;
  return struck;
}

async function passWell(world: World, connection: string): Promise<void> {
  const worker = world.harvest(connection);
  const ended = await endOf(world, worker, `a pass of ${connection}`);
  if (ended?.code !== 0) world.violations.push(`a pass of ${connection} failed: ${worker.log.slice(-300)}`);
}

async function endOf(world: World, worker: ReturnType<World["harvest"]>, what: string) {
  const ended = await worker.endsWithin(passMsMax);
  if (ended !== undefined) return ended;
  world.violations.push(`${what} did not end within ${passMsMax / 1000} s`);
  await worker.kill();
  return undefined;
}

/** An empty store under the same name, so that nothing else changes from one strike to the next. */
async function renewStore(world: World): Promise<void> {
  world.link.cut();
  await world.server.ask(`DROP DATABASE ${world.database} WITH (FORCE)`);
  await world.server.ask(`CREATE DATABASE ${world.database} TEMPLATE isochron_template`);
}

/** All that a pass leaves in the store, but for times of writing and the lease. */
async function stateOf(world: World): Promise<string> {
  const places = await world.server.ask(
    "SELECT connection, stream, value::text FROM isochron.connection_cursor ORDER BY connection, stream",
    world.database,
  );
  const counts = await world.server.ask(
    "SELECT name, events, repeated, revised, set_aside, last_error, complete_to IS NULL AS open FROM isochron.connection ORDER BY name",
    world.database,
  );
  const timeless = JSON.stringify(places).replaceAll(
    /\d{10,}(\.\d+)?|\d{4}-\d\d-\d\d[T ][\d:.+Z-]+/g,
    "time",
  );
  return JSON.stringify([await digestOf(world), timeless, counts]);
}

export async function digestOf(world: World): Promise<string> {
  const client = new pg.Client({ connectionString: world.server.url(world.database) });
  client.on("error", () => undefined);
  await client.connect();
  try {
    await client.query("BEGIN TRANSACTION READ ONLY");
    return await digestStore(client);
  } finally {
    await client.end();
  }
}
