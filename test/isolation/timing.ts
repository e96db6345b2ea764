import { randomInt } from "node:crypto";
import type { FastifyInstance, InjectOptions } from "fastify";
import { instant } from "../../src/model/instant.ts";
import type { TokenScope } from "../../src/store/token-store.ts";
import type { Store } from "../../src/store/store.ts";
import { bearer, getJson, pageRequest, startApi } from "../api-host.ts";
import { hashOf, tokenText } from "../api-world.ts";
import { openTestStore } from "../database.ts";
import { partsOver } from "./matrix-world.ts";
import type { Report, Size } from "./report.ts";
import { trueEvent } from "./true-event.ts";

/**
 * Whether the time of an answer tells of what is hidden, as dudect looks at it: two kinds of request in random order,
 * slow outliers cut off at several percentiles, Welch's t of what is left. Another's things must not be told from
 * nothing: |t| < 4.5. A machine with other work can shift a whole batch, so that up to three fresh ones are taken, each
 * of all samples, and a true difference shows in all of them.
 */
export async function run(report: Report, size: Size): Promise<void> {
  const samples = size === "full" ? 10_000 : 800;
  const database = await openTestStore();
  const app = await fillAndStart(database.store);
  try {
    for (const probe of await probesOf(app)) {
      const batches: number[] = [];
      while (batches.length < batchesMax && !batches.some(isLevel))
        batches.push(await measure(app, probe, samples));
      const ts = batches.map((t) => `t = ${t.toFixed(2)}`).join(", then ");
      const level = batches.some(isLevel);
      const says = `${ts} over ${samples} samples of each kind`;
      report.count(probe.name, 2 * samples * batches.length, level ? 0 : 1, says);
    }
  } finally {
    await app.close();
    await database.close();
  }
}

const batchesMax = 3;
const tMax = 4.5;
const isLevel = (t: number): boolean => Math.abs(t) < tMax;
const plane = "region-1";
const word = { ofNobody: "zanzibor", ofB: "zanzibar" } as const;

/** Two kinds of request that must take the same time; what varies between requests varies alike in both. */
interface Probe {
  readonly name: string;
  readonly kinds: readonly [(index: number) => InjectOptions, (index: number) => InjectOptions];
}

/** B has ten times as much as A, so that finding it and throwing it away would be felt. */
async function fillAndStart(store: Store): Promise<FastifyInstance> {
  await store.events.connect({ name: "told", source: "cloudevents", controlPlane: plane, config: {} });
  for (const [project, count, said] of [
    ["p-a", 300, "nothing"],
    ["p-b", 3_000, word.ofB],
  ] as const) {
    const by = { plane, domain: `d-of-${project}`, project };
    const events = Array.from(
      { length: count },
      (_, index) =>
        trueEvent({
          name: `${project}e${index}`,
          at: instant(Date.parse("2026-11-20T00:00:00Z") + index * 7_000),
          whose: { is: "owned", by },
          visibility: "operational",
          fields: { subjectName: `${said} ${index}`, summary: `${said} ${index}` },
        }).storable,
    );
    for (let from = 0; from < count; from += 500) {
      const page = { connection: "told", stream: "main", controlPlane: plane, facts: [], rejects: [] };
      await store.events.append({ ...page, events: events.slice(from, from + 500) });
    }
  }
  const scopes: Readonly<Record<string, TokenScope>> = {
    a: { kind: "project", controlPlane: plane, projectId: "p-a" },
    b: { kind: "project", controlPlane: plane, projectId: "p-b" },
    revoked: { kind: "provider" },
  };
  for (const [name, scope] of Object.entries(scopes)) {
    const { id } = await store.tokens.create({ name, hash: hashOf(tokenText(name)), scope });
    if (name === "revoked") await store.tokens.revoke(id);
  }
  return startApi(store, partsOver(store));
}

async function probesOf(app: FastifyInstance): Promise<readonly Probe[]> {
  const { events } = await getJson<{ events: readonly { id: string; subject: { id: string } }[] }>(
    app,
    "/events?limit=200",
    "b",
  );
  const theirs = (index: number) => events[index % events.length]!;
  // As many ids of nothing, of the same looks.
  const nothings = events.map(({ id }) => `evt_${Array.from(id.slice(4)).toReversed().join("")}`);
  const nothing = (index: number) => nothings[index % nothings.length]!;
  const get = (url: string): InjectOptions => ({ method: "GET", url: `/api/v1${url}`, headers: bearer("a") });
  const signIn = (token: string): InjectOptions => pageRequest("POST", "/session", undefined, { token });
  const unknown = (index: number): string => tokenText(`unknown ${index % 200}`);
  return [
    {
      name: "an event that is another's, or none",
      kinds: [(index) => get(`/events/${theirs(index).id}`), (index) => get(`/events/${nothing(index)}`)],
    },
    {
      name: "a search for a word that another has, or nobody",
      kinds: [() => get(`/events?q=${word.ofB}`), () => get(`/events?q=${word.ofNobody}`)],
    },
    {
      name: "a sign-in with a token that was revoked, or never was",
      kinds: [() => signIn(tokenText("revoked")), (index) => signIn(unknown(index))],
    },
    {
      name: "a resource that is another's, or none",
      kinds: [
        (index) => get(`/resources/server/${theirs(index).subject.id}`),
        (index) => get(`/resources/server/${theirs(index).subject.id.replace("p-b", "p-z")}`),
      ],
    },
  ];
}

/** Welch's t of one batch: of all cuts the one that tells most. */
async function measure(app: FastifyInstance, { kinds }: Probe, samples: number): Promise<number> {
  const times: [number[], number[]] = [[], []];
  const bodies = new Set<string>();
  const warmUp = 200;
  for (let index = -warmUp; times.some((of) => of.length < samples); index += 1) {
    const kind = times[0].length >= samples ? 1 : times[1].length >= samples ? 0 : (randomInt(2) as 0 | 1);
    const options = kinds[kind](Math.abs(index));
    const began = performance.now();
    const answer = await app.inject(options);
    const took = performance.now() - began;
    bodies.add(`${answer.statusCode} ${answer.body}`);
    if (index >= 0) times[kind].push(took);
  }
  if (bodies.size !== 1)
    throw new Error(`what is not to be told apart differs: ${[...bodies].slice(0, 2).join(" / ")}`);
  const pooled = [...times[0], ...times[1]].toSorted((left, right) => left - right);
  const cuts = [1, 0.99, 0.95, 0.9, 0.75].map((share) => pooled[Math.floor(share * (pooled.length - 1))]!);
  return cuts
    .map((most) =>
      welch(
        times[0].filter((ms) => ms <= most),
        times[1].filter((ms) => ms <= most),
      ),
    )
    .reduce((worst, t) => (Math.abs(t) > Math.abs(worst) ? t : worst), 0);
}

function welch(left: readonly number[], right: readonly number[]): number {
  const [one, other] = [left, right].map((sample) => {
    const mean = sample.reduce((sum, value) => sum + value, 0) / sample.length;
    const squares = sample.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return { mean, error: squares / (sample.length - 1) / sample.length };
  }) as [Moments, Moments];
  return (one.mean - other.mean) / Math.sqrt(one.error + other.error);
}

interface Moments {
  readonly mean: number;
  /** The square of the mean's standard error. */
  readonly error: number;
}
