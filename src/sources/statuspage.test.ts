import { describe, expect, test } from "vitest";
import { IsochronError } from "../errors.ts";
import type { EventDraft } from "../model/event.ts";
import { formatInstant } from "../model/instant.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { decoders } from "../normalise/decode.ts";
import { bytesOf, readFixture } from "./conformance/fixture.ts";
import type { HttpRequest, HttpResponse, SourceIo } from "./source.ts";
import { statuspage } from "./statuspage.ts";
import { decodeEntities, parseFeed, stripMarkup } from "./statuspage/feed.ts";
import type { StatuspageCursor } from "./statuspage/pages-pass.ts";

const fixture = readFixture("statuspage");
const [incidentsUrl, , atomUrl] = fixture.config!["urls"] as unknown as readonly [string, string, string];
const incidents = fixture.answers![0]!.json as unknown as { incidents: [{ incident_updates: JsonObject[] }] };

interface Answer {
  readonly status?: number;
  readonly json?: Json;
  readonly text?: string;
  readonly headers?: Record<string, string>;
}

/** One pass over pages that answer as told; what was asked and warned of is kept. */
async function pass(
  answers: Readonly<Record<string, Answer>>,
  from?: StatuspageCursor,
  at = "2026-11-21T04:00:00Z",
) {
  const [requests, warnings]: [HttpRequest[], string[]] = [[], []];
  const http = (request: HttpRequest): Promise<HttpResponse> => {
    requests.push(request);
    const { status = 200, headers = {}, ...body } = answers[request.url]!;
    return Promise.resolve({ status, headers, body: bytesOf(body) });
  };
  const io = {
    http,
    now: () => decoders.time(at),
    signal: new AbortController().signal,
    warn: (message: string) => void warnings.push(message),
    secret: (reference: string) => `value of ${reference}`,
    readText: () => Promise.resolve(undefined),
    sql: () => Promise.reject(new Error("no database is asked")),
  } as unknown as SourceIo;
  const config = { urls: Object.keys(answers), auth: { bearer: "env:PAGE" } };
  const page = await statuspage.fetch(config, from, io);
  return { ...page, requests, warnings };
}

function draftsOf(records: Awaited<ReturnType<typeof pass>>["records"]): EventDraft[] {
  return records.flatMap((record) => statuspage.normalise(record, decoders).events);
}

async function code(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof IsochronError) return error.code;
    throw error;
  }
  return "accepted";
}

/** The fixture's incident with other updates. */
function page(...updates: JsonObject[]): Json {
  const [incident] = incidents.incidents;
  return { ...incidents, incidents: [{ ...incident, incident_updates: updates }] } as unknown as Json;
}
const [, , , investigating] = incidents.incidents[0].incident_updates as [
  JsonObject,
  JsonObject,
  JsonObject,
  JsonObject,
];

async function draftOf(update: JsonObject): Promise<EventDraft> {
  const { records } = await pass({ [incidentsUrl]: { json: page({ ...investigating, ...update }) } });
  return draftsOf(records)[0]!;
}

const feedOf = (entry: string) => `<feed><title>t</title><entry><id>1</id>${entry}</entry></feed>`;

async function entryOf(entry: string): Promise<EventDraft> {
  const { records } = await pass({ [atomUrl]: { text: feedOf(entry) } });
  return draftsOf(records)[0]!;
}

describe("a pass", () => {
  test("asks only for what changed, with what the last answer said of itself", async () => {
    const headers = { etag: 'W/"1"', "last-modified": "Sat, 21 Nov 2026 03:45:12 GMT" };
    const first = await pass({ [incidentsUrl]: { json: incidents as unknown as Json, headers } });
    expect(first.requests[0]!.headers).toMatchObject({ authorization: "Bearer value of env:PAGE" });
    expect(first.requests[0]!.headers).not.toHaveProperty("if-none-match");
    const second = await pass({ [incidentsUrl]: { status: 304 } }, first.cursor, "2026-11-21T04:05:00Z");
    expect(second.requests[0]!.headers).toMatchObject({
      "if-none-match": 'W/"1"',
      "if-modified-since": "Sat, 21 Nov 2026 03:45:12 GMT",
    });
    expect([second.records, second.cursor]).toEqual([[], first.cursor]);
    expect(formatInstant(second.completeTo!)).toBe("2026-11-21T04:05:00.000Z");
  });

  test("reads the other pages when one fails, and says that it is not complete", async () => {
    const both = { [incidentsUrl]: { status: 503 }, [atomUrl]: { text: fixture.answers![2]!.text! } };
    const read = await pass(both);
    expect(read.records).toHaveLength(1);
    expect(read).not.toHaveProperty("completeTo");
    expect(read.warnings).toEqual(["a status page waits for the next pass"]);
    expect(Object.keys(read.cursor.pages)).toEqual([atomUrl]);
  });

  test.each<[string, Answer]>([
    ["source-unavailable", { status: 503 }],
    ["source-unavailable", { status: 429, headers: { "retry-after": "30" } }],
    ["source-denied", { status: 401 }],
    ["source-malformed", { status: 404 }],
    ["source-malformed", { text: "<!DOCTYPE html><html><body>Sign in</body></html>" }],
    ["source-malformed", { text: "<html><body>Sign in</body></html>" }],
    ["source-malformed", { text: "" }],
    ["source-malformed", { text: "Sign in" }],
    ["source-malformed", { text: "<feed><entry>" + "<a>".repeat(60_000) }],
    ["source-malformed", { json: { ok: true } }],
    ["source-malformed", { text: '{"incidents": [' }],
  ])("ends as %s on %j", async (expected, answer) => {
    expect(await code(() => pass({ [incidentsUrl]: answer }))).toBe(expected);
  });

  test("says when a page no longer reaches back to what was read before", async () => {
    const first = await pass({ [incidentsUrl]: { json: page(investigating) } });
    const later = { ...investigating, id: "next", created_at: "2026-11-21T03:59:00Z" };
    const without = await pass({ [incidentsUrl]: { json: page(later) } }, first.cursor);
    expect(without.warnings).toEqual(["a status page no longer shows all that was new since the last pass"]);
    expect(without).not.toHaveProperty("completeTo");
    const [from, to] = [investigating["created_at"] as string, "2026-11-21T03:59:00Z"];
    expect(without.holes).toMatchObject([
      { from: decoders.time(from), to: decoders.time(to), reason: "outlived-retention" },
    ]);
    expect(without.findings).toMatchObject([{ code: "outlived-retention" }]);
    const reaching = await pass({ [incidentsUrl]: { json: page(later, investigating) } }, first.cursor);
    expect(reaching).not.toHaveProperty("holes");
    expect([reaching.warnings, reaching.completeTo]).toEqual([[], decoders.time("2026-11-21T04:00:00Z")]);
  });
});

test("read again, a page tells whatever it still shows under the same keys, whatever it said of being unchanged", async () => {
  const answers = { [incidentsUrl]: { json: incidents as unknown as Json, headers: { etag: '"1"' } } };
  const first = await pass(answers);
  const start = statuspage.startAt!(
    {},
    decoders.time("2026-11-21T00:00:00Z"),
    first.cursor,
  ) as StatuspageCursor;
  const again = await pass(answers, start);
  expect(again.requests[0]!.headers).not.toHaveProperty("if-none-match");
  const keysOf = (read: typeof first) => draftsOf(read.records).map(({ key }) => key);
  expect(keysOf(again)).toEqual(keysOf(first));
  expect(keysOf(first).length).toBeGreaterThan(0);
});

describe("an update", () => {
  test.each([
    ["investigating", "major", "symptom", "error"],
    ["investigating", "critical", "symptom", "critical"],
    ["identified", "minor", "symptom", "warning"],
    ["investigating", "none", "symptom", "info"],
    ["monitoring", "major", "activity", "info"],
    ["resolved", "critical", "recovery", "info"],
    ["scheduled", "maintenance", "activity", "info"],
    ["in_progress", "maintenance", "change", "info"],
    ["completed", "maintenance", "change", "info"],
    ["invented", "major", "activity", "info"],
    ["constructor", "toString", "activity", "info"],
  ])("%s of impact %s is %s and %s", async (status, impact, kind, severity) => {
    const [incident] = incidents.incidents;
    const changed = { ...incident, impact, incident_updates: [{ ...investigating, status }] };
    const json = { ...incidents, incidents: [changed] } as unknown as Json;
    const { records } = await pass({ [incidentsUrl]: { json } });
    expect(draftsOf(records)[0]).toMatchObject({ kind, severity });
  });

  test("that its author corrects keeps its key, and one that is dated back lies there", async () => {
    const first = await draftOf({});
    const corrected = await draftOf({ body: "We were wrong." });
    expect([corrected.key, corrected.details["text"]]).toEqual([first.key, "We were wrong."]);
    const backdated = await draftOf({ display_at: "2026-11-21T02:30:00Z" });
    expect(formatInstant(backdated.occurredAt)).toBe("2026-11-21T02:30:00.000Z");
    const ahead = await draftOf({ display_at: "2026-11-25T00:00:00Z" });
    expect(ahead.occurredAt).toBe(first.occurredAt);
  });

  test("tells what became of the components that it affects", async () => {
    const draft = await draftOf({});
    expect(draft.changes).toEqual([
      { field: "Transit Paris", before: "operational", after: "degraded_performance" },
    ]);
    expect(draft.related[0]).toMatchObject({ role: "affected", name: "Transit Paris" });
  });

  test("without what it needs is set aside alone", async () => {
    const { records } = await pass({
      [incidentsUrl]: { json: page({ id: "1" }, investigating, 7 as never) },
    });
    const outcomes = await Promise.all(
      records.map((record) => code(() => statuspage.normalise(record, decoders))),
    );
    expect(outcomes).toEqual(["record-invalid", "accepted", "record-invalid"]);
  });
});

describe("a feed", () => {
  test("cannot define entities, and none grows", () => {
    const bomb = '<!DOCTYPE feed [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><feed><title>&b;</title></feed>';
    expect(() => parseFeed(bomb, "GET x")).toThrow(/declares a document type/);
    const feed = parseFeed(feedOf("<title>&b; &amp;amp; &#x41;&#66;&#0; &toString;</title>"), "GET x");
    expect(feed.entries[0]!.title).toBe("&b; &amp; AB&#0; &toString;");
  });

  test.each([
    ["2026-11-21T01:02:03Z", "2026-11-21T01:02:03.000Z"],
    ["Sat, 21 Nov 2026 01:02:03 GMT", "2026-11-21T01:02:03.000Z"],
    ["Sat, 21 Nov 2026 01:02 +0130", "2026-11-20T23:32:00.000Z"],
    ["1 Nov 2026 01:02:03 PST", "2026-11-01T09:02:03.000Z"],
  ])("dates an entry %s", async (updated, expected) => {
    expect(formatInstant((await entryOf(`<updated>${updated}</updated>`)).occurredAt)).toBe(expected);
  });

  test("with an entry that has no time, or an impossible one, sets it aside", async () => {
    for (const updated of ["", "<updated>soon</updated>", "<updated>31 Foo 2026 01:02 GMT</updated>"]) {
      expect(await code(() => entryOf(updated)), updated).toBe("record-invalid");
    }
  });

  test("tells an entry's state by its first bold word, else by its title, and each of its states once", async () => {
    const entry = (state: string, minute: string) =>
      entryOf(`<title>Errors</title><updated>2026-11-21T01:${minute}:00Z</updated>
        <content>&lt;p&gt;&lt;strong&gt;${state}&lt;/strong&gt; - text&lt;/p&gt;</content>`);
    const [first, second] = [await entry("Investigating", "02"), await entry("Resolved", "30")];
    expect([first.kind, second.kind]).toEqual(["symptom", "recovery"]);
    expect(second.key).not.toBe(first.key);
    const titled = await entryOf("<title>[RESOLVED] Errors</title><updated>2026-11-21T01:02:03Z</updated>");
    expect(titled).toMatchObject({ kind: "recovery", type: "status.incident.resolved" });
    const silent = await entryOf("<title>Hello</title><updated>2026-11-21T01:02:03Z</updated>");
    expect(silent).toMatchObject({ kind: "activity", type: "status.incident.posted" });
  });

  test("is read as words, whatever markup stands in it", () => {
    expect(stripMarkup("<p>a<br/>b &lt;c&gt;</p><script>d</script>")).toBe("a\nb <c>\nd");
    expect(stripMarkup("<".repeat(100_000))).toHaveLength(100_000);
    expect(decodeEntities("&#x110000;&#xd800;&amp")).toBe("&#x110000;\ud800&amp");
  });
});
