import type { FastifyInstance, InjectOptions } from "fastify";
import { instant, type Instant } from "../src/model/instant.ts";
import type { Store } from "../src/store/store.ts";
import type { ApiParts } from "../src/present/api/api-parts.ts";
import { csrfHeader, problemSchema, type ProblemJson } from "../src/present/api/contract.ts";
import { buildApi } from "../src/present/api/server.ts";
import { tokenText, worldEnd } from "./api-world.ts";

/** A clock that stands still until a test moves it. */
export class TestClock {
  now: Instant = worldEnd;

  readonly read = (): Instant => this.now;

  pass(ms: number): void {
    this.now = instant(this.now + ms);
  }
}

/** The API over a store that a test has filled; `parts` replaces what the test is about. */
export async function startApi(store: Store, parts: Partial<ApiParts> = {}): Promise<FastifyInstance> {
  const app = await buildApi({
    store,
    whatElse: async () => undefined,
    ingest: async () => undefined,
    noteTooLarge: async () => {},
    clock: () => worldEnd,
    secret: new Uint8Array(32).fill(1),
    version: "0.0.0",
    log: false,
    openDemo: false,
    ...parts,
  });
  await app.ready();
  return app;
}

export function bearer(name: string): { authorization: string } {
  return { authorization: `Bearer ${tokenText(name)}` };
}

/** GETs as the holder of the named token. */
export async function get(
  app: FastifyInstance,
  url: string,
  as: string,
  headers: Record<string, string> = {},
) {
  return app.inject({ method: "GET", url: `/api/v1${url}`, headers: { ...bearer(as), ...headers } });
}

/** GETs what has to succeed, as JSON. */
export async function getJson<T>(app: FastifyInstance, url: string, as: string): Promise<T> {
  const answer = await get(app, url, as);
  if (answer.statusCode !== 200) throw new Error(`${url}: ${answer.statusCode} ${answer.body}`);
  return answer.json<T>();
}

/** A state-changing request as a page of ours makes it. */
export function pageRequest(
  method: "POST" | "DELETE",
  path: string,
  cookie: string | undefined,
  payload?: object,
): InjectOptions {
  const headers = { [csrfHeader]: "1", ...(cookie === undefined ? {} : { cookie }) };
  return { method, url: `/api/v1${path}`, headers, ...(payload === undefined ? {} : { payload }) };
}

/** The body as a problem document, held to its schema and to its own status. */
export function problemIn(answer: Awaited<ReturnType<typeof get>>): ProblemJson {
  if (answer.headers["content-type"] !== "application/problem+json; charset=utf-8") {
    throw new Error(`${answer.statusCode} ${String(answer.headers["content-type"])} is no problem document`);
  }
  const problem = problemSchema.strict().parse(answer.json());
  if (problem.status !== answer.statusCode) throw new Error("the document and the answer differ in status");
  return problem;
}
