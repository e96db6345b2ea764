import type { ApiParts } from "../../src/present/api/api-parts.ts";
import { apiPrefix, csrfHeader } from "../../src/present/api/contract.ts";
import type { Store } from "../../src/store/store.ts";
import { differenceOf, readStream, type Answer } from "./answer.ts";
import { expectationOf, type Ask, type Expected, type Operation } from "./matrix-operation.ts";
import { operations } from "./matrix-operations.ts";
import { openMatrixWorld, type MatrixWorld, type Thing } from "./matrix-world.ts";
import { reaches, visible, type Who } from "./oracle.ts";
import { admitPrincipals, type Principal } from "./principals.ts";
import type { Report, Size } from "./report.ts";
import { viewsIn, wordsOf } from "./true-event.ts";

/** Every principal tries every operation on every thing, and each answer is what the oracle says. */
export async function run(report: Report, size: Size): Promise<void> {
  const { tried, wrong } = await tryMatrix({ every: size === "full" ? 1 : 3 });
  report.count(
    "principals × operations × things",
    tried,
    wrong.length,
    wrong.slice(0, 20).join("\n") || undefined,
  );
}

export interface MatrixOutcome {
  readonly tried: number;
  /** One sentence for each cell that was answered otherwise. */
  readonly wrong: readonly string[];
}

export interface MatrixOptions {
  readonly parts?: Partial<ApiParts>;
  readonly wrap?: (store: Store) => Store;
  /** Only every n-th cell, for a quick look. */
  readonly every?: number;
  /** Only operations whose name it matches. */
  readonly only?: RegExp;
  /** What a faulty server would make of an answer. */
  readonly alter?: (answer: Answer, thing: Thing, ask: Ask) => Answer;
  /** Ends once so many are wrong. */
  readonly wrongMax?: number;
}

interface Cell {
  readonly principal: Principal;
  readonly operation: Operation;
  readonly thing: Thing;
}

export async function tryMatrix(options: MatrixOptions = {}): Promise<MatrixOutcome> {
  const { every = 1, wrongMax = Number.POSITIVE_INFINITY } = options;
  const world = await openMatrixWorld(options.parts, options.wrap);
  try {
    const principals = await admitPrincipals(world.store, world.app);
    const judge = await Judge.of(world, principals, options.alter);
    const wrong: string[] = [];
    let tried = 0;
    let number = 0;
    for (const cell of cellsOf(world, principals)) {
      if (options.only?.test(cell.operation.name) === false) continue;
      number += 1;
      if (number % every !== 0) continue;
      tried += 1;
      const fault = await judge.fault(cell);
      if (fault === undefined) continue;
      const { principal, operation, thing } = cell;
      wrong.push(
        `${principal.name}, ${operation.name} ${operation.variant ?? ""} on ${thing.name}: ${fault}`,
      );
      if (wrong.length >= wrongMax) break;
    }
    return { tried, wrong };
  } finally {
    await world.close();
  }
}

function* cellsOf({ things }: MatrixWorld, principals: readonly Principal[]): Generator<Cell> {
  for (const operation of operations)
    for (const thing of things) for (const principal of principals) yield { principal, operation, thing };
}

/** Holds each answer against what has to be, and every refusal against the one of its kind. */
class Judge {
  readonly #world: MatrixWorld;
  readonly #alter: NonNullable<MatrixOptions["alter"]>;
  readonly #references = new Map<string, Answer>();

  private constructor(world: MatrixWorld, alter: MatrixOptions["alter"]) {
    this.#world = world;
    this.#alter = alter ?? ((answer) => answer);
  }

  static async of(
    world: MatrixWorld,
    principals: readonly Principal[],
    alter: MatrixOptions["alter"],
  ): Promise<Judge> {
    const judge = new Judge(world, alter);
    const admin = principals.find(({ name }) => name === "provider admin")!;
    const missing = { method: "GET", path: "/events/evt_zzzzzzzzzzzzzzzzzzzzzzzzzz" } as const;
    judge.#references.set("404", await judge.#ask(missing, admin));
    judge.#references.set("401", await judge.#ask({ method: "GET", path: "/events" }, principals[0]!));
    // A socket is told how long it is kept, which nobody is who asks from inside.
    judge.#references.set(
      "401 GET /live",
      await judge.#ask({ method: "GET", path: "/live" }, principals[0]!),
    );
    return judge;
  }

  async fault({ principal, operation, thing }: Cell): Promise<string | undefined> {
    const ask = operation.ask(thing, principal, this.#world);
    // Whoever brings nothing but what it has is nobody where it has no token.
    const isNobody = ask.asStranger === true && principal.token === undefined;
    const who: Who = isNobody ? { kind: "nobody" } : principal.who;
    const expected = expectationOf(operation, who, thing, this.#world);
    const answer = this.#alter(await this.#ask(ask, principal), thing, ask);
    return (
      this.#faultOf(answer, expected, `${operation.name} ${operation.variant ?? ""}`) ??
      this.#leak(answer, ask, who)
    );
  }

  #faultOf(answer: Answer, expected: Expected, operation: string): string | undefined {
    const { status } = answer;
    if (expected.status === "admitted") {
      return status === 401 || status === 404 || status >= 500 ? `${status} instead of an answer` : undefined;
    }
    if (expected.status === "refused" && ![400, 401, 404].includes(status))
      return `${status} instead of a refusal`;
    if (expected.status !== "refused" && status !== expected.status)
      return `${status} instead of ${expected.status}: ${answer.body.slice(0, 300)}`;
    if (status === 401 || status === 404) {
      const reference = this.#references.get(`${status} ${operation.trim().slice(0, 9)}`);
      return differenceOf(answer, reference ?? this.#references.get(String(status))!);
    }
    if (status >= 400) return this.#sameRefusal(answer, operation);
    const lacking = expected.holds?.find((word) => !answer.body.includes(word));
    if (lacking !== undefined) return `lacks ${lacking}: ${answer.body.slice(0, 300)}`;
    const held = expected.lacks?.find((word) => answer.body.includes(word));
    if (held !== undefined) return `holds ${held}`;
    if (expected.body !== undefined && answer.body !== expected.body)
      return `${answer.body.slice(0, 300)} instead of ${expected.body}`;
    if (expected.total !== undefined && totalIn(answer) !== expected.total) {
      return `a total of ${totalIn(answer)} instead of ${expected.total}`;
    }
    const views = viewsOf(answer, this.#world.nameAt).toSorted();
    const shows = expected.shows?.toSorted();
    if (shows !== undefined && views.join() !== shows.join())
      return `shows ${views.join()} instead of ${shows.join()}`;
    const beyond = views.find((view) => expected.among !== undefined && !expected.among.includes(view));
    return beyond === undefined ? undefined : `shows ${beyond}`;
  }

  /** What an operation refuses is refused alike, whatever there is behind it. */
  #sameRefusal(answer: Answer, operation: string): string | undefined {
    const { code, detail } = JSON.parse(answer.body) as { code: string; detail: string };
    const key = `${operation} ${code} ${detail}`;
    const reference = this.#references.get(key) ?? answer;
    this.#references.set(key, reference);
    return differenceOf(answer, reference);
  }

  /** A word that only others may read, in whatever place of the answer, unless the asker brought it. */
  #leak({ headers, body }: Answer, ask: Ask, who: Who): string | undefined {
    const asked = decodeURIComponent(`${ask.path} ${JSON.stringify(ask.body ?? {})}`).toLowerCase();
    const told = `${body}\n${JSON.stringify(headers)}`;
    for (const event of this.#world.events) {
      const views = visible(who, event);
      for (const { word, seenBy } of wordsOf(event)) {
        if (seenBy(views) || !told.includes(word) || asked.includes(word)) continue;
        // Who stands where is the provider's to know, of whatever class an event is.
        if (who.kind === "provider" && /^\/(resources|what-else|blast)/.test(ask.path)) continue;
        return `holds ${word}`;
      }
      const { whose } = event;
      const address = `address-at-${event.name}-`;
      const isOwn =
        who.kind === "provider" ||
        (who.kind === "tenant" && whose.is === "owned" && who.holdings.some((one) => reaches(one, whose.by)));
      if (!isOwn && told.includes(address)) return `holds ${address}`;
      if (!isOwn && whose.is === "owned" && told.includes(`called-${whose.by.project}-`))
        return `holds the name of ${whose.by.project}`;
    }
    return undefined;
  }

  async #ask(ask: Ask, principal: Principal): Promise<Answer> {
    const url = ask.isWhole ? ask.path : `${apiPrefix}${ask.path}`;
    const headers = await this.#headersFor(ask, principal);
    if (ask.path.startsWith("/live"))
      return readStream(`http://127.0.0.1:${this.#world.port}${url}`, headers);
    const { method, body } = ask;
    const answer = await this.#world.app.inject({
      method,
      url,
      headers,
      ...(body === undefined ? {} : { payload: body }),
    });
    return { status: answer.statusCode, headers: answer.headers, body: answer.body };
  }

  async #headersFor(ask: Ask, principal: Principal): Promise<Record<string, string>> {
    const page: Record<string, string> = ask.method === "GET" ? {} : { [csrfHeader]: "1" };
    if (ask.asStranger) return page;
    if (!ask.asBrowser || principal.token === undefined) return { ...principal.headers, ...page };
    const cookie = await principal.browse(this.#world.app);
    return cookie === undefined ? page : { ...page, cookie };
  }
}

function totalIn({ body }: Answer): number {
  return (JSON.parse(body) as { total: number }).total;
}

function viewsOf({ body, headers }: Answer, nameAt: (occurredAt: string) => string): string[] {
  if (body === "") return [];
  if (String(headers["content-type"]).startsWith("text/event-stream")) {
    const data = [...body.matchAll(/^data: (.*)$/gm)].map(([, text]) => JSON.parse(text!) as unknown);
    return viewsIn(data, nameAt);
  }
  if (String(headers["content-type"]).startsWith("application/x-ndjson")) {
    const lines = body.trimEnd().split("\n");
    return viewsIn(
      lines.map((line) => JSON.parse(line) as unknown),
      nameAt,
    );
  }
  // A document for people holds no events as JSON; that it holds no word of others is looked at anyway.
  if (/^text\/(markdown|html|csv)/.test(String(headers["content-type"]))) return [];
  return viewsIn(JSON.parse(body), nameAt);
}
