import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IsochronError } from "../errors.ts";
import { instant } from "../model/instant.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { decoders } from "../normalise/decode.ts";
import { bytesOf } from "./conformance/fixture.ts";
import { rest } from "./rest.ts";
import type { RestCursor } from "./rest/pass.ts";
import { presets } from "./rest/presets.ts";
import { spellSince } from "./rest/since-spelling.ts";
import type { HttpRequest, Page, SourceIo } from "./source.ts";

const start = Date.UTC(2026, 10, 21, 4);
const secret = "s3cret-canary";

interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly json?: Json;
  readonly text?: string;
}

/** A service that answers by a function; time passes by a second with each answer. */
function service(answer: (url: URL, request: HttpRequest) => Reply) {
  const asked: HttpRequest[] = [];
  const warnings: string[] = [];
  let now = start;
  const io = {
    http: (request: HttpRequest) => {
      asked.push(request);
      now += 1_000;
      const { status = 200, headers = {}, ...body } = answer(new URL(request.url), request);
      return Promise.resolve({ status, headers, body: bytesOf(body) });
    },
    now: () => instant(now),
    signal: new AbortController().signal,
    warn: (message: string, fields?: JsonObject) => warnings.push(`${message} ${JSON.stringify(fields)}`),
    secret: () => secret,
    readText: () => Promise.resolve(undefined),
  } as Partial<SourceIo> as SourceIo;
  return { asked, warnings, io, urls: () => asked.map(({ url }) => new URL(url)) };
}

const config = (more: JsonObject = {}): JsonObject =>
  rest.config.parse({
    preset: "request-tracker",
    url: "https://rt.example.org/support/",
    auth: { bearer: "env:RT" },
    ...more,
  });

async function pass(settings: JsonObject, io: SourceIo, from?: RestCursor): Promise<Page<RestCursor>[]> {
  const pages: Page<RestCursor>[] = [];
  let cursor = from;
  do {
    pages.push(await rest.fetch(settings, cursor, io));
    cursor = rest.cursor.parse(JSON.parse(JSON.stringify(pages.at(-1)!.cursor)));
  } while (!pages.at(-1)!.done && pages.length < 50);
  return pages;
}

const keysOf = (pages: readonly Page<RestCursor>[]): string[] =>
  pages.flatMap(({ records }) =>
    records.flatMap((record) => rest.normalise(record, decoders).events.map((event) => event.key)),
  );

const rtTicket = (id: number): Json => ({
  id: String(id),
  Subject: `ticket ${id}`,
  Status: "open",
  Created: "2026-11-21T03:00:00Z",
});
const idAfter = (url: URL): number => Number(/id > (\d+)/.exec(url.searchParams.get("query") ?? "")![1]);

/** Request Tracker with tickets 1 to `count`, which cuts every page to two, whatever was asked for. */
function requestTracker(count: number, history: (id: number) => Reply = () => ({ json: { items: [] } })) {
  return service((url) => {
    const ticket = /ticket\/(\d+)\/history/.exec(url.pathname);
    if (ticket !== null) return history(Number(ticket[1]));
    const ids = Array.from({ length: count }, (_, index) => index + 1).filter((id) => id > idAfter(url));
    return { json: { items: ids.slice(0, 2).map(rtTicket) } };
  });
}

async function codeOf(run: Promise<unknown>): Promise<string> {
  try {
    await run;
    return "accepted";
  } catch (error) {
    if (!(error instanceof IsochronError)) throw error;
    expect(error.message).not.toContain(secret);
    return error.code;
  }
}

describe("a pass", () => {
  test("pages by the id of the last ticket until a page is empty, and asks under the path of the address", async () => {
    const desk = requestTracker(5);
    const pages = await pass(config(), desk.io);
    expect(keysOf(pages)).toEqual([1, 2, 3, 4, 5].map((id) => `${id}/created`));
    expect(desk.urls()[0]!.pathname).toBe("/support/REST/2.0/tickets");
    expect(desk.asked.every(({ headers }) => headers!["authorization"] === `Bearer ${secret}`)).toBe(true);
    expect(JSON.stringify(pages)).not.toContain(secret);
  });

  test("begins where the one before began, less the overlap, by the server's clock if that is behind", async () => {
    const date = new Date(start - 90_000).toUTCString();
    const desk = service(() => ({ headers: { date }, json: { items: [] } }));
    const [page] = await pass(config({ overlap_seconds: 120 }), desk.io);
    expect(page!.completeTo).toBe(start - 90_000 - 60_000);
    expect(page!.cursor.since).toBe(start - 90_000 - 120_000);
    await pass(config(), desk.io, page!.cursor);
    expect(desk.urls()[1]!.searchParams.get("query")).toContain("'5 minutes ago'");
  });

  test("hands over what it has after half a minute, and goes on with the ticket after that", async () => {
    const desk = requestTracker(2, () => {
      for (let count = 0; count < 40; count += 1)
        void desk.io.http({ method: "GET", url: "https://slow/?query=id > 9" });
      return { json: { items: [] } };
    });
    const pages = await pass(config(), desk.io);
    expect(pages.map(({ done }) => done)).toEqual([false, false, true]);
    expect(keysOf(pages)).toEqual(["1/created", "2/created"]);
  });

  test("keeps the operator's filter and variables inside of the query", async () => {
    const desk = requestTracker(0);
    await pass(config({ filter: "Queue = 'Ops' OR Queue = 'Net'" }), desk.io);
    expect(desk.urls()[0]!.searchParams.get("query")).toMatch(/ AND \(Queue = 'Ops' OR Queue = 'Net'\)$/);
  });
});

describe("a history that cannot be read", () => {
  const broken = (id: number): Reply => (id === 2 ? { status: 500 } : { json: { items: [] } });

  test("holds no other ticket up, and is asked for again from the same time on", async () => {
    const desk = requestTracker(4, broken);
    const pages = await pass(config(), desk.io);
    expect(keysOf(pages)).toEqual([1, 2, 3, 4].map((id) => `${id}/created`));
    expect(pages.at(-1)!.completeTo).toBeUndefined();
    expect(pages.at(-1)!.cursor).toMatchObject({ since: start - 24 * 3_600_000, unread: { 2: 1 } });
    expect(desk.warnings).toHaveLength(1);
  });

  test("counts as broken only while others can be read", async () => {
    const desk = requestTracker(2, () => ({ status: 500 }));
    const pages = await pass(config(), desk.io);
    expect(keysOf(pages)).toEqual(["1/created", "2/created"]);
    expect(pages.at(-1)!.cursor.unread).toEqual({ 1: 0, 2: 0 });
  });

  test("is set aside after five passes, so that time goes on", async () => {
    const desk = requestTracker(4, broken);
    let cursor: RestCursor | undefined;
    const last: Page<RestCursor>[] = [];
    for (let count = 0; count < 5; count += 1) {
      last.splice(0, Infinity, ...(await pass(config(), desk.io, cursor)));
      cursor = last.at(-1)!.cursor;
    }
    const lost = last.flatMap(({ records }) => records).filter(({ meta }) => meta["part"] === "history-lost");
    expect(lost).toHaveLength(1);
    expect(() => rest.normalise(lost[0]!, decoders)).toThrow(/could not be read: GET .* answered 500/);
    expect(last.at(-1)!.completeTo).toBeDefined();
  });

  test("three times in a row is a service that is away", async () => {
    const desk = requestTracker(4, () => ({ status: 503 }));
    expect(await codeOf(pass(config(), desk.io))).toBe("source-unavailable");
  });

  test("for want of rights is told at once", async () => {
    const desk = requestTracker(4, () => ({ status: 403 }));
    expect(await codeOf(pass(config(), desk.io))).toBe("source-denied");
  });
});

test.each<[string, Reply, string]>([
  ["a sign-in page with status 200", { text: "<!doctype html><title>Login</title>" }, "source-malformed"],
  ["JSON that was cut", { text: '{"items":[{"id":"1"' }, "source-malformed"],
  ["an empty body", { text: "" }, "source-malformed"],
  ["JSON without the list", { json: { message: "hello" } }, "source-malformed"],
  ["a list nested without end", { text: `{"items":${"[".repeat(90)}${"]".repeat(90)}}` }, "source-malformed"],
  ["401", { status: 401, json: { message: "Unauthorized" } }, "source-denied"],
  ["429", { status: 429, headers: { "retry-after": "120" } }, "source-unavailable"],
  ["502", { status: 502, text: "<html>Bad gateway" }, "source-unavailable"],
  ["404", { status: 404 }, "source-malformed"],
])("%s gives no events but %s", async (_what, reply, code) => {
  expect(await codeOf(pass(config(), service(() => reply).io))).toBe(code);
});

test("a refusal says when to come again", async () => {
  const desk = service(() => ({ status: 429, headers: { "retry-after": "120" } }));
  await expect(pass(config(), desk.io)).rejects.toThrow(/429 \(Retry-After: 120\)/);
});

describe("an answer cannot lead the requests astray", () => {
  const link = (next_page: string) => requestTracker(1, () => ({ json: { items: [], next_page } }));

  test("a next page on another host is not asked for", async () => {
    const desk = link("https://elsewhere.example/steal");
    const pages = await pass(config(), desk.io);
    expect(desk.urls().every(({ host }) => host === "rt.example.org")).toBe(true);
    expect(pages.at(-1)!.completeTo).toBeUndefined();
  });

  test("a page that names itself as the next ends", async () => {
    const desk = link("/support/REST/2.0/ticket/1/history?page=2");
    await pass(config(), desk.io);
    expect(desk.asked.length).toBeLessThan(6);
  });

  test.each(["1^ORactive=true", "..", "1'", "a b"])("the id %j is never put into a request", async (id) => {
    const desk = service(() => ({ json: { items: [{ ...(rtTicket(1) as JsonObject), id }] } }));
    expect(await codeOf(pass(config(), desk.io))).toBe("source-malformed");
    expect(desk.asked).toHaveLength(1);
  });
});

describe("the other presets ask", () => {
  const cases: readonly [string, JsonObject, Record<string, string>][] = [
    [
      "servicenow",
      { result: [] },
      { sysparm_query: "sys_updated_on>=2026-11-20 04:00:00^sys_id>0^ORDERBYsys_id" },
    ],
    ["jira", { issues: [], isLast: true }, { jql: 'updated >= "-1441m" ORDER BY updated ASC' }],
    [
      "zendesk",
      { tickets: [], end_of_stream: true, after_cursor: "MTU" },
      { start_time: String(start / 1000 - 86_400) },
    ],
  ];
  test.each(cases)("%s for what changed since, in its own words", async (preset, json, expected) => {
    const desk = service(() => ({ json }));
    await pass(config({ preset }), desk.io);
    expect(desk.asked).toHaveLength(1);
    expect(Object.fromEntries(desk.urls()[0]!.searchParams)).toMatchObject(expected);
  });

  test("the Zendesk preset goes on by the cursor, without the start", async () => {
    const desk = service((url) => ({
      json: { tickets: [], end_of_stream: url.searchParams.has("cursor"), after_cursor: "MTU" },
    }));
    await pass(config({ preset: "zendesk" }), desk.io);
    expect(
      desk.urls().map(({ searchParams }) => [searchParams.get("cursor"), searchParams.has("start_time")]),
    ).toEqual([
      [null, true],
      ["MTU", false],
    ]);
  });
});

test("what the account may not look into is told by the ticket itself", async () => {
  const item = { ...(rtTicket(7) as JsonObject), Status: "resolved", Resolved: "2026-11-21T03:30:00Z" };
  const desk = service((url) => ({ json: { items: idAfter(url) < 7 ? [item] : [] } }));
  const pages = await pass(config({ history: false }), desk.io);
  expect(keysOf(pages)).toEqual(["7/created", `7/resolved/${Date.UTC(2026, 10, 21, 3, 30)}`]);
  expect(desk.asked).toHaveLength(2);
});

test("ids of resources in a ticket's fields are noted in a role that proves no owner", async () => {
  const item = { ...(rtTicket(7) as JsonObject), CustomFields: { Server: "6b1d19b6" } };
  const desk = service((url) => ({ json: { items: idAfter(url) < 7 ? [item] : [] } }));
  const settings = config({
    history: false,
    name: "rt-2",
    resources: [{ kind: "server", path: "CustomFields.Server" }],
  });
  const [page] = await pass(settings, desk.io);
  const [event] = rest.normalise(page!.records[0]!, decoders).events;
  expect(event!.related).toEqual([{ role: "refers_to", ref: { kind: "server", id: "6b1d19b6" } }]);
  expect(event!.subject).toEqual({ kind: "ticket", id: "rt-2:7" });
});

test.each<[JsonObject, RegExp]>([
  [{ preset: "request-tracker", url: "https://u:p4ss@rt", auth: { bearer: "env:A" } }, /without user/],
  [{ preset: "request-tracker", url: "https://rt", auth: { bearer: "p4ss" } }, /auth/],
  [{ url: "https://rt", auth: { bearer: "env:A" } }, /either `preset` or `api`/],
])("the settings %j are refused without repeating a value", async (settings, problem) => {
  const attempt = rest.fetch(settings, undefined, service(() => ({})).io);
  await expect(attempt).rejects.toThrow(problem);
  await expect(attempt).rejects.not.toThrow(/p4ss/);
});

test("a length of time reaches back at least as far as it has to, and never shows four digits", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 8_760 * 3_600_000 }), (age) => {
      const [, count, unit] = /^(\d{1,3}) (minutes|hours|days) ago$/.exec(
        spellSince("ago", start - age, start),
      )!;
      const unitMs = { minutes: 60_000, hours: 3_600_000, days: 86_400_000 }[unit as "minutes"];
      expect(Number(count) * unitMs).toBeGreaterThanOrEqual(age + 60_000);
    }),
  );
});

test("read again from a moment on, whatever a pass lost is found under its first name, and nothing else is new", async () => {
  const step = fc.record({
    ticket: fc.integer({ min: 1, max: 5 }),
    minutes: fc.integer({ min: 1, max: 30 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 20 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.infiniteStream(fc.boolean()),
      async (steps, share, isLost) => {
        const changes: { readonly ticket: number; readonly id: number; readonly at: number }[] = [];
        let at = start;
        for (const [index, { ticket, minutes }] of steps.entries()) {
          at += minutes * 60_000;
          changes.push({ ticket, id: index + 100, at });
        }
        const desk = service((url) => {
          const ticket = /ticket\/(\d+)\/history/.exec(url.pathname)?.[1];
          if (ticket !== undefined) {
            const items = changes
              .filter((one) => String(one.ticket) === ticket)
              .map(({ id, at: time }) => ({
                id: String(id),
                Type: "Correspond",
                Created: new Date(time).toISOString(),
              }));
            return { json: { items } };
          }
          const since = Number(url.searchParams.get("since"));
          const ids = [...new Set(changes.filter((one) => one.at >= since * 1_000).map((one) => one.ticket))];
          return {
            json: {
              items: ids
                .filter((id) => id > idAfter(url))
                .toSorted()
                .slice(0, 2)
                .map(rtTicket),
            },
          };
        });
        const api = { ...presets["request-tracker"], since: "epoch" as const };
        const query = { ...api.tickets.query, since: "{since}" };
        const settings = config({
          preset: undefined as never,
          name: "rt",
          api: { ...api, tickets: { ...api.tickets, query } } as unknown as JsonObject,
          look_back_hours: 8760,
        });
        const first = await pass(settings, desk.io);
        const stored = new Set(keysOf(first).filter(() => !isLost.next().value));
        const from = start + Math.floor((at - start) * share);
        const startAt = rest.startAt!(settings, instant(from), first.at(-1)!.cursor);
        const again = keysOf(await pass(settings, desk.io, rest.cursor.parse(startAt)));
        const truth = new Set(keysOf(first));
        expect(again.filter((key) => !truth.has(key))).toEqual([]);
        const owed = changes.filter((one) => one.at >= from).map(({ ticket, id }) => `${ticket}/${id}`);
        expect(owed.filter((key) => !stored.has(key) && !again.includes(key))).toEqual([]);
      },
    ),
    { numRuns: 200 },
  );
});
