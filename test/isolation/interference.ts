import type { AddressInfo } from "node:net";
import fc from "fast-check";
import type { FastifyInstance } from "fastify";
import { instant, type Instant } from "../../src/model/instant.ts";
import type { ApiParts } from "../../src/present/api/api-parts.ts";
import { csrfHeader, type EventsPageJson } from "../../src/present/api/contract.ts";
import type { Store } from "../../src/store/store.ts";
import type { TokenScope } from "../../src/store/token-store.ts";
import { bearer, startApi } from "../api-host.ts";
import { hashOf, tokenText } from "../api-world.ts";
import { openTestStore, type TestStore } from "../database.ts";
import { differenceOf, readStream, type Answer } from "./answer.ts";
import { partsOver } from "./matrix-world.ts";
import { buildSide, pairArbitrary, type PairPlan, type Side, type Step } from "./pair-model.ts";
import type { Report, Size } from "./report.ts";
import { recordTranscript, type AskOptions, type ForeignIds, type Recorder } from "./transcript.ts";

/**
 * Pairs of worlds that differ in what A may not see: A's whole conversation is the same in both, byte by byte.
 *
 * Not compared: `Date` and `X-Request-Id`, which differ at every answer, and `recorded_at` in live frames, which is sent
 * at the very moment. Elsewhere times of recording are set to one moment in both stores, for the database's clock cannot
 * be told to stand still; the process's own clock is.
 */
export async function run(report: Report, size: Size): Promise<void> {
  const outcome = await tryPairs({ pairs: size === "full" ? 500 : 10, seed: Date.now() % 1_000_000 });
  report.count("answers to A in pairs of worlds", outcome.compared, outcome.wrong, outcome.says);
  report.count("pairs of worlds", outcome.pairs, 0, `${outcome.compared} answers compared`);
}

export interface PairsOutcome {
  readonly pairs: number;
  readonly compared: number;
  readonly wrong: number;
  readonly says: string;
}

export interface PairsOptions {
  readonly pairs: number;
  readonly seed: number;
  readonly parts?: Partial<ApiParts>;
  readonly wrap?: (store: Store) => Store;
  /** What a faulty server would make of an answer. */
  readonly alter?: (answer: Answer, side: Side) => Answer;
  readonly hasty?: true;
}

const pairsPerStore = 10;

export async function tryPairs(options: PairsOptions): Promise<PairsOutcome> {
  let sides: readonly [Ground, Ground] | undefined;
  let number = 0;
  let compared = 0;
  const closeSides = async (): Promise<void> => {
    for (const side of sides ?? []) await side.close();
  };
  const property = fc.asyncProperty(pairArbitrary, async (plan) => {
    if (sides === undefined || number % pairsPerStore === 0) {
      await closeSides();
      sides = [await Ground.open(options), await Ground.open(options)];
    }
    number += 1;
    compared += await comparePair(sides, plan, `cloud-${number}`);
  });
  // Limits are counted by the process's clock.
  const now = Date.now;
  Date.now = () => frozenAt;
  try {
    const { pairs, seed } = options;
    const result = await fc.check(property, {
      numRuns: pairs,
      seed,
      ...(options.hasty ? { endOnFailure: true } : {}),
    });
    if (!result.failed) return { pairs: result.numRuns, compared, wrong: 0, says: `seed ${seed}` };
    const error = result.errorInstance instanceof Error ? result.errorInstance.stack : "";
    const plan = JSON.stringify(result.counterexample);
    const says = `seed ${seed}, path ${result.counterexamplePath}: ${error}\n${plan}`;
    return { pairs: result.numRuns, compared, wrong: 1, says };
  } finally {
    Date.now = now;
    await closeSides();
  }
}

/** How many answers were the same; throws with the first difference. */
async function comparePair(sides: readonly [Ground, Ground], plan: PairPlan, plane: string): Promise<number> {
  const [left, right] = await Promise.all([
    sides[0].converse(buildSide(plan, plane, "left")),
    sides[1].converse(buildSide(plan, plane, "right")),
  ]);
  for (const [index, { what, answer }] of left.entries()) {
    const other = right[index];
    if (other?.what !== what) throw new Error(`after ${what}, A was led to ${other?.what} on the other side`);
    const difference = differenceOf(answer, other.answer);
    if (difference !== undefined) throw new Error(`${what}: ${difference}`);
  }
  if (left.length !== right.length) throw new Error("A was led on further on one side");
  return left.length;
}

const frozenAt = Date.parse("2027-06-01T00:00:00Z");
/** Few enough for the last of A's requests to meet the limit. */
const requestsPerMinute = 130;

/** One store with the API over it, in which pairs are played one after the other. */
class Ground {
  readonly #database: TestStore;
  readonly #app: FastifyInstance;
  readonly #port: number;
  readonly #alter: NonNullable<PairsOptions["alter"]>;
  readonly #clock: { now: Instant };

  private constructor(
    database: TestStore,
    app: FastifyInstance,
    clock: { now: Instant },
    alter: PairsOptions["alter"],
  ) {
    this.#database = database;
    this.#alter = alter ?? ((answer) => answer);
    this.#app = app;
    this.#port = (app.server.address() as AddressInfo).port;
    this.#clock = clock;
  }

  static async open({ parts = {}, alter, wrap = (store) => store }: PairsOptions): Promise<Ground> {
    const database = await openTestStore();
    const clock = { now: instant(frozenAt) };
    const store = wrap(database.store);
    const real = partsOver(store);
    const app = await startApi(store, {
      ...real,
      limits: { ...real.limits, requestsPerMinute },
      clock: () => clock.now,
      ...parts,
    });
    await app.listen({ host: "127.0.0.1", port: 0 });
    return new Ground(database, app, clock, alter);
  }

  /** Plays one side, and gives all that A was answered. */
  async converse(side: Side): Promise<Recorder["answers"]> {
    await this.#admit(side);
    for (const step of side.steps) await this.#take(side, step);
    await this.#setTimesOfRecording();
    const foreign = await this.#learnForeign(side);
    for (let asked = 0; asked < side.asked; asked += 1) await this.#letOthersAct(side);
    const answers: Recorder["answers"] = [];
    const ask = async (what: string, path: string, options: AskOptions = {}): Promise<Answer> => {
      const answer = await this.#ask(side, path, options);
      answers.push({ what, answer });
      return answer;
    };
    await recordTranscript({ answers, ask }, foreign);
    answers.push({ what: "the live stream", answer: await this.#follow(side) });
    await this.#meetTheLimit(side, answers);
    return answers;
  }

  async #admit({ plane, elsewhere }: Side): Promise<void> {
    const { events } = this.#database.store;
    for (const name of [plane, elsewhere])
      await events.connect({ name, source: "cloudevents", controlPlane: name, config: {} });
    const domain = (domainId: string): TokenScope => ({ kind: "domain", controlPlane: plane, domainId });
    await this.#token(`domain ${plane}`, domain("d-a"));
    const own = { kind: "project", controlPlane: plane, projectId: "p-a" } as const;
    await this.#token(`reader ${plane}`, own);
    await this.#token(`admin ${plane}`, { ...own, role: "admin" });
    await this.#token(`live ${plane}`, domain("d-a"));
    await this.#token(`b ${plane}`, domain("d-b"));
    // What is known of tenants is read again after some seconds.
    this.#clock.now = instant(this.#clock.now + 6_000);
  }

  async #token(name: string, scope: TokenScope): Promise<void> {
    await this.#database.store.tokens.create({ name, hash: hashOf(tokenText(name)), scope });
  }

  async #take({ plane }: Side, step: Step): Promise<void> {
    if (step.does === "token") {
      await this.#token(step.name, { kind: "domain", controlPlane: plane, domainId: "d-b" });
      return;
    }
    const { plane: controlPlane, events, facts, rejects, holes } = step;
    await this.#database.store.events.append({
      connection: controlPlane,
      stream: "main",
      controlPlane,
      events,
      facts,
      rejects,
      holes,
      completeTo: instant(Date.parse("2026-03-01T02:00:00Z")),
    });
  }

  /** By the catalogue, so that a table of tomorrow is found too. */
  async #setTimesOfRecording(): Promise<void> {
    const { sql } = this.#database;
    const columns = await sql<{ name: string; is: string }>(
      `SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS name, column_name AS is
       FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
       WHERE table_schema = 'isochron' AND table_type = 'BASE TABLE' AND column_name = 'recorded_at'
         AND data_type LIKE 'timestamp%' AND table_name NOT LIKE 'topology%'`,
    );
    for (const { name } of columns) await sql(`UPDATE ${name} SET recorded_at = '2026-12-01T00:00:00Z'`);
  }

  /** An event of B's, and a cursor of a list of B's, which exist on this side only. */
  async #learnForeign(side: Side): Promise<ForeignIds> {
    const answer = await this.#get(side, "b", "/events?limit=1");
    const page = JSON.parse(answer.body) as EventsPageJson;
    return {
      event: page.events[0]?.id ?? "evt_bbbbbbbbbbbbbbbbbbbbbbbbbb",
      cursor: page.next_cursor ?? "bm90aGluZw.bm90aGluZw",
    };
  }

  /** B reads, is refused, which is written down, signs in, and signs in with nothing. */
  async #letOthersAct(side: Side): Promise<void> {
    await this.#get(side, "b", "/events");
    await this.#get(side, "b", "/rulings");
    const headers = { ...bearer(`b ${side.plane}`), [csrfHeader]: "1" };
    for (const token of [tokenText(`b ${side.plane}`), tokenText("nobody's")])
      await this.#ask(side, "/session", { method: "POST", body: { token }, headers });
  }

  async #get(side: Side, as: string, path: string): Promise<Answer> {
    return this.#ask(side, path, { headers: bearer(`${as} ${side.plane}`) });
  }

  async #ask(side: Side, path: string, options: AskOptions): Promise<Answer> {
    const { as = "domain", method = "GET", body, headers = {} } = options;
    const answer = await this.#app.inject({
      method,
      url: `/api/v1${path}`,
      headers: { ...bearer(`${as} ${side.plane}`), ...headers },
      ...(body === undefined ? {} : { payload: body }),
    });
    return this.#alter({ status: answer.statusCode, headers: answer.headers, body: answer.body }, side);
  }

  /** A stream that is open while things happen: ids, order and retractions are A's own. */
  async #follow(side: Side): Promise<Answer> {
    const reading = readStream(`http://127.0.0.1:${this.#port}/api/v1/live`, bearer(`live ${side.plane}`), {
      onBegun: async () => {
        for (const step of side.later) await this.#take(side, step);
      },
      until: /shown-own90-name/,
    });
    const { body, ...answer } = await reading;
    // The moment of storing is the database's, whose clock does not stand still.
    return { ...answer, body: body.replaceAll(/"recorded_at":"[^"]*"/g, '"recorded_at":"then"') };
  }

  /** After how many requests more A is put off, and in which words. */
  async #meetTheLimit(side: Side, answers: Recorder["answers"]): Promise<void> {
    for (let more = 0; more < requestsPerMinute; more += 1) {
      const answer = await this.#ask(side, "/tenants", {});
      if (answer.status !== 429) continue;
      answers.push({ what: `put off after ${more} more`, answer });
      return;
    }
    throw new Error("A was never put off");
  }

  async close(): Promise<void> {
    await this.#app.close();
    await this.#database.close();
  }
}
