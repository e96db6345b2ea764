import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IsochronError } from "../errors.ts";
import type { EventDraft } from "../model/event.ts";
import { instant } from "../model/instant.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { decoders } from "../normalise/decode.ts";
import { alertmanager } from "./alertmanager.ts";
import { alertmanagerPull } from "./alertmanager-pull.ts";
import type { AlertmanagerCursor } from "./alertmanager/alert-pass.ts";
import { bytesOf } from "./conformance/fixture.ts";
import type { HttpRequest, HttpResponse, Page, SourceIo } from "./source.ts";

const start = Date.UTC(2026, 10, 21, 4);
const minute = 60_000;
const labels = { alertname: "HostDown", host: "compute-02", severity: "critical" };
const url = "http://am.example.org/prefix";

function listed(more: JsonObject = {}, silencedBy: string[] = [], inhibitedBy: string[] = []): JsonObject {
  const state = silencedBy.length + inhibitedBy.length > 0 ? "suppressed" : "active";
  return {
    fingerprint: "79e11e8ad019121c",
    startsAt: "2026-11-21T03:02:21.027Z",
    endsAt: new Date(start + 4 * minute).toISOString(),
    updatedAt: new Date(start).toISOString(),
    receivers: [{ name: "timeline" }],
    status: { state, silencedBy, inhibitedBy },
    labels,
    annotations: { summary: "Host compute-02 is down" },
    ...more,
  };
}

/** Alertmanager at a minute after the start, holding these alerts, up since a number of minutes before. */
function alertmanagerAt(atMinute: number, alerts: Json, upMinutes = 600, reply?: Partial<HttpResponse>) {
  const asked: HttpRequest[] = [];
  const now = start + atMinute * minute;
  const io = {
    http: (request: HttpRequest) => {
      asked.push(request);
      const uptime = new Date(now - upMinutes * minute).toISOString();
      const json = request.url.includes("/status") ? { uptime, config: {} } : alerts;
      return Promise.resolve({ status: 200, headers: {}, body: bytesOf({ json }), ...reply });
    },
    now: () => instant(now),
    secret: () => "s3cret-canary",
  } as Partial<SourceIo> as SourceIo;
  return { io, asked };
}

const eventsOf = ({ records }: Page<AlertmanagerCursor>): EventDraft[] =>
  records.flatMap((record) => [...alertmanagerPull.normalise(record, decoders).events]);

/** What a run of listings tells, one after another. */
async function play(
  ...servers: SourceIo[]
): Promise<{ events: EventDraft[][]; last: Page<AlertmanagerCursor> }> {
  const events: EventDraft[][] = [];
  let last: Page<AlertmanagerCursor> | undefined;
  for (const io of servers) {
    const cursor =
      last === undefined ? undefined : alertmanagerPull.cursor.parse(JSON.parse(JSON.stringify(last.cursor)));
    last = await alertmanagerPull.fetch({ url }, cursor, io);
    events.push(eventsOf(last));
  }
  return { events, last: last! };
}

test("an alert has the key, type, subject and time that the webhook gives it", async () => {
  const { events } = await play(alertmanagerAt(0, [listed()]).io);
  const { endsAt: _endsAt, updatedAt: _updatedAt, receivers: _receivers, ...alert } = listed();
  const body = bytesOf({ json: { version: "4", alerts: [{ ...alert, status: "firing" }] } });
  const [record] = alertmanager.split({ headers: {}, body, receivedAt: instant(start) }, decoders);
  expect(events[0]).toEqual(alertmanager.normalise(record!, decoders).events);
});

test("an alert that is listed again, prolonged and sent again, is told once", async () => {
  const again = listed({ endsAt: "2026-11-21T09:00:00Z", updatedAt: "2026-11-21T04:01:00Z" });
  const { events } = await play(alertmanagerAt(0, [listed()]).io, alertmanagerAt(1, [again]).io);
  expect(events[1]).toEqual([]);
});

test("a silence and an inhibition are told beside the alert, once each, to the provider only", async () => {
  const { events } = await play(
    alertmanagerAt(0, [listed()]).io,
    alertmanagerAt(1, [listed({}, ["silence-b", "silence-a"])]).io,
    alertmanagerAt(2, [listed({}, ["silence-a", "silence-b"])]).io,
    alertmanagerAt(3, [listed({}, [], ["other-alert"])]).io,
  );
  expect(events.map((list) => list.map(({ key }) => key.split("/").slice(2).join("/")))).toEqual([
    ["firing"],
    ["suppressed/silence-a,silence-b"],
    [],
    ["suppressed/other-alert"],
  ]);
  expect(events[1]![0]).toMatchObject({
    visibility: "provider",
    kind: "activity",
    severity: "info",
    precision: minute,
  });
});

describe("an alert that is listed no longer", () => {
  test("is over after two listings, at the first of them, as exactly as they lie apart", async () => {
    const { events } = await play(
      alertmanagerAt(0, [listed()]).io,
      alertmanagerAt(2, []).io,
      alertmanagerAt(4, []).io,
      alertmanagerAt(6, []).io,
    );
    expect(events.map((list) => list.length)).toEqual([1, 0, 1, 0]);
    expect(events[2]![0]).toMatchObject({
      key: "79e11e8ad019121c/2026-11-21T03:02:21.027Z/resolved",
      type: "alert.host_down.resolved",
      kind: "recovery",
      occurredAt: start + 2 * minute,
      precision: 2 * minute,
    });
  });

  test("and is back in the next listing was never over", async () => {
    const servers = [[listed()], [], [listed()], [], [listed()]].map(
      (alerts, index) => alertmanagerAt(index, alerts).io,
    );
    const { events } = await play(...servers);
    expect(events.flat().map(({ type }) => type)).toEqual(["alert.host_down.firing"]);
  });

  test("is not over because Alertmanager was started anew", async () => {
    const { events, last } = await play(
      alertmanagerAt(0, [listed()]).io,
      alertmanagerAt(1, [], 0).io,
      alertmanagerAt(2, [], 1).io,
      alertmanagerAt(3, [], 2).io,
    );
    expect(events.flat()).toHaveLength(1);
    expect(last.completeTo).toBe(start);
  });

  test("holds back what is claimed to be complete until it is decided", async () => {
    const { last } = await play(alertmanagerAt(0, [listed()]).io, alertmanagerAt(1, []).io);
    expect(last.completeTo).toBe(start);
  });
});

test("an alert that cannot be used is kept whole beside the good ones", async () => {
  const page = await alertmanagerPull.fetch(
    { url },
    undefined,
    alertmanagerAt(0, [7, { labels: 1 }, listed()]).io,
  );
  const outcomes = page.records.map((record) => {
    try {
      return alertmanagerPull.normalise(record, decoders).events.length;
    } catch (error) {
      return error instanceof IsochronError ? error.code : "?";
    }
  });
  expect(outcomes).toEqual(["record-invalid", "record-invalid", 1]);
});

test("matchers and credentials go with the request, below the path prefix", async () => {
  const { io, asked } = alertmanagerAt(0, []);
  const settings = {
    url,
    auth: { basic: { user: "isochron", password: "env:AM" } },
    matchers: ['team="a&b"'],
  };
  await alertmanagerPull.fetch(alertmanagerPull.config.parse(settings), undefined, io);
  expect(asked.map((request) => request.url)).toEqual([
    `${url}/api/v2/status`,
    `${url}/api/v2/alerts?filter=team%3D%22a%26b%22`,
  ]);
  const basic = Buffer.from("isochron:s3cret-canary").toString("base64");
  expect(asked[1]!.headers!["authorization"]).toBe(`Basic ${basic}`);
});

test.each<[string, Partial<HttpResponse>, string]>([
  ["a sign-in page with status 200", { body: bytesOf({ text: "<html>" }) }, "source-malformed"],
  ["JSON that was cut", { body: bytesOf({ text: '[{"labels":' }) }, "source-malformed"],
  [
    "an object for the list",
    { body: bytesOf({ json: { uptime: "2026-11-21T00:00:00Z" } }) },
    "source-malformed",
  ],
  ["429", { status: 429, headers: { "retry-after": "7" } }, "source-unavailable"],
  ["500", { status: 500 }, "source-unavailable"],
  ["403", { status: 403 }, "source-denied"],
])("%s is no empty list of alerts", async (_what, reply, code) => {
  const known = await play(alertmanagerAt(0, [listed()]).io);
  const attempt = alertmanagerPull.fetch({ url }, known.last.cursor, alertmanagerAt(1, [], 600, reply).io);
  await expect(attempt).rejects.toMatchObject({ code });
});

test("listed again beside its place, what was lost is found under its first name, and nothing else is new", async () => {
  const names = ["79e11e8ad019121c", "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"];
  const sight = fc.array(fc.constantFrom(null, "", "silence-a", "silence-b"), { minLength: 3, maxLength: 3 });
  const sights = fc.array(sight, { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(sights, fc.infiniteStream(fc.boolean()), async (seen, isLost) => {
      const listings = seen.map((states) =>
        states.flatMap((silence, index) =>
          silence === null ? [] : [listed({ fingerprint: names[index]! }, silence === "" ? [] : [silence])],
        ),
      );
      const { events } = await play(...listings.map((alerts, index) => alertmanagerAt(index, alerts).io));
      const truth = new Set(events.flat().map(({ key }) => key));
      const stored = [...truth].filter(() => !isLost.next().value);
      const start = alertmanagerPull.startAt!({ url }, instant(0), undefined) as AlertmanagerCursor;
      // Twice, as a lane that goes on does.
      const again: string[] = [];
      for (let count = 0, cursor = start; count < 2; count += 1) {
        const server = alertmanagerAt(seen.length + count, listings.at(-1)!).io;
        const page = await alertmanagerPull.fetch({ url }, cursor, server);
        again.push(...eventsOf(page).map(({ key }) => key));
        cursor = page.cursor;
      }
      expect(again.filter((key) => !truth.has(key))).toEqual([]);
      const owed = listings.at(-1)!.map((alert) => `${alert["fingerprint"]}/${alert["startsAt"]}/firing`);
      expect(owed.filter((key) => !stored.includes(key) && !again.includes(key))).toEqual([]);
    }),
    { numRuns: 200 },
  );
});
