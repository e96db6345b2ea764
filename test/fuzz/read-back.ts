import type { EventJson, EventsPageJson } from "../../src/present/api/contract.ts";
import { bearer, get } from "../api-host.ts";
import { eventually } from "../eventually.ts";
import { SeededRandom } from "../faults/seeded-random.ts";
import type { Report, Size } from "../isolation/report.ts";
import { LiveFollower } from "../live-follower.ts";
import { openFuzzWorld, type FuzzWorld } from "./fuzz-world.ts";
import { hostileValues } from "./hostile-documents.ts";
import { mutateValue } from "./mutation.ts";

const eventsOf: Readonly<Record<Size | "small", number>> = { small: 60, short: 400, full: 4_000 };
const batchSize = 20;

/** Posts events with hostile contents; what was accepted has to be readable by every way that there is. */
export async function run(report: Report, size: Size | "small", seed = "read-back"): Promise<void> {
  const world = await openFuzzWorld();
  const random = new SeededRandom(`${seed} read-back`);
  const follower = await LiveFollower.open(world.port, "provider");
  const before = new Set((await listAll(world)).map(({ id }) => id));
  try {
    let accepted = 0;
    const refusals: string[] = [];
    for (let from = 0; from < eventsOf[size]; from += batchSize) {
      const outcome = await post(world, random, from);
      accepted += outcome.accepted;
      if (outcome.failure !== undefined) refusals.push(outcome.failure);
    }
    report.count("posted", eventsOf[size], refusals.length, refusals[0]);
    const listed = (await listAll(world)).filter(({ id }) => !before.has(id));
    const isShort = listed.length < accepted ? [`${listed.length} listed of ${accepted}`] : [];
    report.count("listed", accepted, isShort.length, isShort[0]);
    report.count("accepted at all", 1, accepted > eventsOf[size] / 10 ? 0 : 1, `${accepted} were accepted`);
    await countReads(report, world, listed);
    const tenants = (await listAll(world, "prod-admin")).filter(({ id }) => !before.has(id));
    report.count(
      "the tenant sees some",
      1,
      tenants.length > accepted / 10 ? 0 : 1,
      `${tenants.length} are seen`,
    );
    await countExports(report, world, tenants);
    await eventually("the stream has told of every event", () =>
      listed.every(({ id }) => follower.heard.has(id)),
    );
    const differing = listed.filter(
      (event) => JSON.stringify(follower.held.get(event.id)) !== JSON.stringify(event),
    );
    report.count("streamed", listed.length, differing.length, differing[0]?.id);
  } finally {
    await follower.close();
    await world.close();
  }
}

async function post(world: FuzzWorld, random: SeededRandom, from: number) {
  const events = Array.from({ length: batchSize }, (_, at) => hostileEvent(random, from + at));
  const answer = await world.app.inject({
    method: "POST",
    url: "/api/v1/ingest/cloudevents",
    headers: { ...bearer("provider"), "content-type": "application/cloudevents-batch+json" },
    payload: JSON.stringify(events),
  });
  if (answer.statusCode === 400) return { accepted: 0 };
  const { records, created, folded, repeated, revised, set_aside, facts_only } =
    answer.json<Record<string, number>>();
  const settled = [created, folded, repeated, revised, set_aside, facts_only].reduce<number>(
    (sum, one) => sum + (one ?? 0),
    0,
  );
  const isWhole = answer.statusCode === 200 && records === batchSize && settled === batchSize;
  return {
    accepted: created ?? 0,
    ...(isWhole ? {} : { failure: `${answer.statusCode} ${answer.body.slice(0, 300)}` }),
  };
}

function hostileEvent(random: SeededRandom, number: number): unknown {
  const sound = {
    specversion: "1.0",
    id: `fuzz-${number}`,
    source: "/fuzz",
    type: "com.example.changed",
    subject: number % 2 === 0 ? "server/srv-web-1" : `server/srv-${number}`,
    time: new Date(Date.UTC(2026, 10, 20, 11, 0, number)).toISOString(),
    isochronsummary: random.pick([
      "plain",
      "\u202etxt.exe",
      "a\r\nb",
      "\u001b[2J",
      "=1+1",
      "<b>",
      "\u0000x",
      "\ufeff=1",
    ]),
    isochronrelated: "host/h-1",
    data: {
      deep: nested(random.whole(0, 28)),
      one: random.pick(hostileValues),
      two: random.pick(hostileValues),
    },
  };
  return random.chance(0.5) ? sound : mutateValue(random, sound);
}

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

async function listAll(world: FuzzWorld, as = "provider"): Promise<readonly EventJson[]> {
  const listed: EventJson[] = [];
  let after = "";
  for (let page = 0; page < 1_000; page += 1) {
    const answer = await get(
      world.app,
      `/events?from=1970-01-01T00:00:00Z&to=2199-01-01T00:00:00Z&limit=100${after}`,
      as,
    );
    if (answer.statusCode !== 200)
      throw new Error(`the list answers ${answer.statusCode}: ${answer.body.slice(0, 300)}`);
    const body = answer.json<EventsPageJson>();
    listed.push(...body.events);
    if (body.next_cursor === null) return listed;
    after = `&cursor=${encodeURIComponent(body.next_cursor)}`;
  }
  throw new Error("the list has no end");
}

async function countReads(report: Report, world: FuzzWorld, listed: readonly EventJson[]): Promise<void> {
  const wrong: Record<"got" | "editions" | "members", string[]> = { got: [], editions: [], members: [] };
  for (const event of listed) {
    const got = await get(world.app, `/events/${event.id}`, "provider");
    if (got.statusCode !== 200 || got.json<EventJson>().id !== event.id)
      wrong.got.push(`${event.id} ${got.statusCode}`);
    // A storm has members, another event is told to have none; neither may fail.
    for (const part of ["editions", "members"] as const) {
      const answer = await get(world.app, `/events/${event.id}/${part}`, "provider");
      if (answer.statusCode >= 500) wrong[part].push(`${event.id} ${answer.statusCode}`);
    }
  }
  for (const [name, failures] of Object.entries(wrong))
    report.count(name, listed.length, failures.length, failures[0]);
}

async function countExports(report: Report, world: FuzzWorld, listed: readonly EventJson[]): Promise<void> {
  for (const format of ["ndjson", "csv"]) {
    const answer = await get(world.app, `/export?format=${format}`, "prod-admin");
    const missing = listed.filter(({ id }) => !answer.body.includes(id));
    const formulas =
      format === "csv" ? answer.body.split("\r\n").filter((line) => /(^|,)"?[\s\ufeff]*[=@]/.test(line)) : [];
    const commands = answer.body
      .split("\r\n")
      .join("")
      .match(/\p{Cc}(?<![\t\n\r])|\u202e/u);
    const failures = [
      ...missing.map(({ id }) => `${id} is missing`),
      ...formulas,
      ...(commands === null ? [] : ["a command"]),
    ];
    report.count(`exported as ${format}`, listed.length, failures.length, failures[0]?.slice(0, 300));
  }
}
