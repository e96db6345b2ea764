import { deepStrictEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import type {
  Decoders,
  HttpRequest,
  HttpResponse,
  Page,
  RawRecord,
  Source,
  SourceFile,
  SourceIo,
  SqlQuery,
  TableRow,
} from "../source.ts";

/** A body as text, as JSON, or as the base64 of bytes; the first that is there. */
interface Body {
  readonly text?: string;
  readonly json?: Json;
  readonly base64?: string;
}

/**
 * `<name>.fixture.json`: what the source was given. Records are played as they are, requests through `split`, files
 * through `splitFile`, and answers through `fetch` until the pass is done.
 */
export interface Fixture {
  /** Where it comes from, and what was changed since. */
  readonly origin: string;
  readonly records?: readonly (Body & {
    readonly position: string;
    readonly received_at?: string;
    readonly meta?: JsonObject;
  })[];
  readonly requests?: readonly (Body & {
    readonly received_at?: string;
    readonly headers: Record<string, string>;
  })[];
  readonly files?: readonly { readonly name: string; readonly text: string }[];
  /** The connection's settings, and the answers by method and address, for a source that pulls. */
  readonly config?: JsonObject;
  /** Files beside the configuration, by path. */
  readonly texts?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly now?: string;
  readonly answers?: readonly (Body & {
    readonly method?: string;
    readonly url: string;
    /** What the request's body holds, where one address answers different questions. */
    readonly asks?: string;
    readonly status?: number;
    readonly headers?: Record<string, string>;
    /** When the request left, where that matters to the source. */
    readonly sent_at?: string;
  })[];
  /** The answers of a database, by statement and parameters. */
  readonly queries?: readonly {
    readonly text: string;
    readonly values: readonly (string | null)[];
    readonly rows: readonly TableRow[];
  }[];
}

/** When a record was received whose fixture does not say. */
export const playedAt = instant(Date.UTC(2026, 10, 21, 4));
const pagesMax = 500;

export function readFixture(name: string): Fixture {
  return JSON.parse(readFileSync(new URL(`../${name}.fixture.json`, import.meta.url), "utf8")) as Fixture;
}

export function bytesOf({ text, json, base64 }: Body): Uint8Array {
  if (base64 !== undefined) return new Uint8Array(Buffer.from(base64, "base64"));
  return new TextEncoder().encode(text ?? (json === undefined ? "" : JSON.stringify(json)));
}

export function fileOf(name: string, content: Uint8Array): SourceFile {
  return {
    name,
    modifiedAt: playedAt,
    whole: () => Promise.resolve(content),
    async *lines() {
      let number = 0;
      for (const line of Buffer.from(content).toString("latin1").split("\n")) {
        number += 1;
        if (line !== "")
          yield { number, bytes: new Uint8Array(Buffer.from(line, "latin1")), tooLarge: false };
      }
    },
  };
}

function ioOf(fixture: Fixture, decode: Decoders): SourceIo {
  const http = (request: HttpRequest): Promise<HttpResponse> => {
    const answer = fixture.answers?.find(
      (one) =>
        (one.method ?? "GET") === request.method &&
        one.url === request.url &&
        (one.asks === undefined || request.body?.includes(one.asks) === true),
    );
    if (answer === undefined) {
      throw new IsochronError("source-unavailable", `Nothing was recorded for ${request.url}.`, "Record it.");
    }
    return Promise.resolve({
      status: answer.status ?? 200,
      headers: answer.headers ?? {},
      body: bytesOf(answer),
      ...(answer.sent_at !== undefined && { sentAt: decode.time(answer.sent_at) }),
    });
  };
  const query: SqlQuery = (text, values = []) => {
    const given = values.map((value) => (value === null ? null : String(value)));
    const answer = fixture.queries?.find((one) => one.text === text && isDeepStrictEqual(one.values, given));
    if (answer === undefined) {
      throw new IsochronError("source-unavailable", `Nothing was recorded for ${text}.`, "Record it.");
    }
    return Promise.resolve(answer.rows);
  };
  return {
    http,
    sql: () => ({ dialect: "postgresql", read: (_zone, work) => work(query) }),
    now: () => (fixture.now === undefined ? playedAt : decode.time(fixture.now)),
    signal: new AbortController().signal,
    warn: () => undefined,
    secret: (reference) => fixture.secrets?.[reference] ?? "secret",
    readText: (path) => Promise.resolve(fixture.texts?.[path]),
  };
}

/** Pulls until the pass is over, each cursor having been through JSON as it is when it is stored. */
export async function pullFixture(
  source: Source,
  fixture: Fixture,
  decode: Decoders,
  from?: Json,
): Promise<{ records: RawRecord[]; cursor: Json }> {
  if (source.delivery !== "pull") throw new Error("it does not pull");
  const config = source.config.parse(fixture.config ?? {});
  const records: RawRecord[] = [];
  let cursor = from;
  for (let pages = 0; pages < pagesMax; pages += 1) {
    const page: Page<Json> = await source.fetch(config, cursor, ioOf(fixture, decode));
    records.push(...page.records);
    const revived: Json = source.cursor.parse(JSON.parse(JSON.stringify(page.cursor)));
    deepStrictEqual(revived, page.cursor);
    cursor = revived;
    if (page.done) return { records, cursor };
  }
  throw new Error(`the pass is not over after ${pagesMax} pages`);
}

/** Every record that the fixture gives, in order. */
export async function playFixture(source: Source, fixture: Fixture, decode: Decoders): Promise<RawRecord[]> {
  const records = (fixture.records ?? []).map((one): RawRecord => ({
    bytes: bytesOf(one),
    position: one.position,
    receivedAt: one.received_at === undefined ? playedAt : decode.time(one.received_at),
    meta: one.meta ?? {},
  }));
  for (const request of fixture.requests ?? []) {
    if (source.delivery !== "webhook") throw new Error("only a webhook source takes requests");
    const receivedAt = request.received_at === undefined ? playedAt : decode.time(request.received_at);
    records.push(...source.split({ headers: request.headers, body: bytesOf(request), receivedAt }, decode));
  }
  for (const { name, text } of fixture.files ?? []) {
    const file = fileOf(name, new TextEncoder().encode(text));
    for await (const record of source.splitFile!(file, decode)) records.push(record);
  }
  if (fixture.answers !== undefined || fixture.queries !== undefined)
    records.push(...(await pullFixture(source, fixture, decode)).records);
  return records;
}
