import type { ServerResponse } from "node:http";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "../../eventually.ts";
import type { FaultKind } from "../fault-kind.ts";
import { patience } from "../patience.ts";
import { sendJson, type Misbehaviour } from "../ticket-desk.ts";
import type { World } from "../world.ts";
import { strikeWorld } from "./database-faults.ts";

/** How often a misbehaving desk is asked while one of its tricks goes on. */
const trickMs = 6_000;

/** A source that fails for long is left alone for up to five minutes. */
const leftAloneMsMax = 330_000 * patience;

function tricks(
  name: string,
  says: string,
  short: boolean,
  list: readonly Misbehaviour[],
  share = 1,
): FaultKind {
  return strikeWorld({
    name,
    says,
    short,
    times: 1,
    withinMs: leftAloneMsMax,
    strike: async (world, random) => {
      for (const trick of list) {
        world.desk.misbehave = () => (random.chance(share) ? trick : undefined);
        await pause(trickMs);
      }
      world.desk.misbehave = undefined;
    },
  });
}

const busy =
  (after: () => string | undefined): Misbehaviour =>
  (response) => {
    const value = after();
    sendJson(response, 429, { error: "slow down" }, value === undefined ? {} : { "retry-after": value });
  };

export const tooManyRequests = tricks(
  "429-storm",
  "the desk answers 429: without Retry-After, with seconds, with a date, and with nonsense",
  true,
  [
    busy(() => undefined),
    busy(() => "1"),
    busy(() => new Date(Date.now() + 2_000).toUTCString()),
    busy(() => "soon, maybe"),
    busy(() => "-5"),
  ],
  0.5,
);

/** No source is left alone for longer than this, whatever it asks for. */
const askedMsMax = 3_600_000;

export const absurdRetryAfter = strikeWorld({
  name: "absurd-retry-after",
  says: "the desk answers 429 once with a Retry-After of a year: an hour is kept and told, others go on; a restart asks again",
  short: false,
  times: 1,
  strike: async (world) => {
    let asked = false;
    world.desk.misbehave = () => {
      if (asked) return undefined;
      asked = true;
      return busy(() => String(365 * 86_400));
    };
    const error = await eventually("the desk's rest is told", async () => {
      const { connections } = await world.reader.sources();
      return connections.find(({ connection }) => connection === "desk")?.last_error?.message;
    });
    const moments = [...error.matchAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g)].map(([text]) => Date.parse(text));
    if (Math.max(...moments) > Date.now() + askedMsMax) world.violations.push(`a rest too long: ${error}`);
    if ((await world.caughtUp(undefined, ["jobs", "hook"])) === undefined)
      world.violations.push("a desk that asked for a rest held up the others");
    await world.workers.at(-1)?.kill();
    await world.startWorker().listening();
  },
});

export const serverErrors = tricks(
  "5xx-storm",
  "the desk answers 500, 502, 503 and 504, and now and then as it should",
  false,
  [500, 502, 503, 504].map(
    (status): Misbehaviour =>
      (response) =>
        sendJson(response, status, {}),
  ),
  0.7,
);

export const errorWithTwoHundred = tricks(
  "error-with-200",
  "the desk answers 200 with an error, with an empty body, with a sign-in page, and with no list",
  false,
  [
    (response) => sendJson(response, 200, { error: "internal error" }),
    (response) => void response.writeHead(200, { "content-type": "application/json" }).end(),
    (response) =>
      void response
        .writeHead(200, { "content-type": "text/html" })
        .end("<!doctype html><title>Sign in</title>"),
    (response) => sendJson(response, 200, { items: null }),
  ],
);

/** The head and a part of what should come, by `cut` told how to go on. */
function partly(cut: (response: ServerResponse) => void): Misbehaviour {
  return (response) => {
    const body = JSON.stringify({ items: [{ id: 1, title: "T1", created: new Date().toISOString() }] });
    response.writeHead(200, { "content-type": "application/json", "content-length": String(body.length) });
    response.write(body.slice(0, body.length / 2), () => cut(response));
  };
}

const dripMs = 300;

export const brokenBodies = tricks(
  "broken-body",
  "the desk's answers are cut short, are shorter than they say, drip byte by byte, or break off before the head",
  true,
  [
    partly((response) => void response.socket?.resetAndDestroy()),
    partly((response) => void response.socket?.end()),
    (response) => void response.socket?.destroy(),
    (response) => sendJson(response, 200, { items: [] }, { "content-length": "5" }),
    (_, respond) => void setTimeout(respond, dripMs * 5),
  ],
  0.6,
);

export const credentialExpiry = strikeWorld({
  name: "credential-expiry",
  says: "the desk takes our token no longer; a new one is written to the file that holds it",
  short: false,
  times: 2,
  withinMs: leftAloneMsMax,
  strike: async (world, random) => {
    world.desk.token = `desk-token-${random.whole(1, 1e9)}`;
    await pause(random.whole(2_000, 5_000));
    await writeFile(join(world.folder, "desk-token"), world.desk.token);
  },
});

/** What of a release of the desk that names its fields otherwise is set aside, to be read once it is put right. */
export const schemaDrift = strikeWorld({
  name: "schema-drift",
  says: "the desk renames a field for a while; nothing may be told wrongly, and all is told once it is put right",
  short: true,
  times: 2,
  withinMs: leftAloneMsMax,
  strike: async (world) => {
    const before = await eventsOf(world);
    world.desk.drift = ({ created, ...item }) => ({ ...item, opened_at: created });
    await pause(4_000);
    world.desk.drift = ({ created, ...item }) => ({ ...item, created: Number(Date.parse(String(created))) });
    await pause(4_000);
    const { set_aside: aside } = await world.reader.sources();
    if (aside.filter(({ connection }) => connection === "desk").length === 0)
      world.violations.push("drifted records were not set aside");
    world.desk.drift = undefined;
    if ((await eventsOf(world)) < before) world.violations.push("events went away");
  },
});

async function eventsOf(world: World): Promise<number> {
  return (await world.reader.events({ source: "desk" })).length;
}

/** Records that cannot be read at the beginning, in the middle and at the end of a page. */
export const poison = strikeWorld({
  name: "poison",
  says: "records that cannot be read, or that only the database refuses, at the beginning, middle and end of pages",
  short: true,
  times: 2,
  withinMs: leftAloneMsMax,
  strike: async (world, random) => {
    const bad = new Set<number>();
    world.desk.drift = (item) => {
      const id = Number(item["id"]);
      // Any place of a page comes by, as tickets move on.
      if (id % 5 !== random.whole(0, 4)) return item;
      bad.add(id);
      return random.pick([
        { ...item, created: "now" },
        { ...item, created: "0000-01-01T00:00:00Z" },
        { ...item, id: null },
        { ...item, created: { when: "later" } },
      ]);
    };
    await pause(6_000);
    world.desk.drift = undefined;
    if (bad.size === 0) world.violations.push("no record was spoilt");
  },
});

export const slowDesk = strikeWorld({
  name: "half-open-source",
  says: "the desk takes requests and never answers, for longer than a lease lasts",
  short: false,
  times: 1,
  withinMs: leftAloneMsMax,
  strike: async (world) => {
    const silent: Misbehaviour = () => undefined;
    world.desk.misbehave = () => silent;
    await pause(20_000);
    world.desk.misbehave = undefined;
    // What was never answered is given up by its time-out; the jobs go on beside it.
    const took = await world.caughtUp(10_000 * patience, ["jobs", "hook"]);
    if (took === undefined) world.violations.push("a desk that does not answer held up the others");
    world.desk.forget();
  },
});
