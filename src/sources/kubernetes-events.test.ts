import { describe, expect, test } from "vitest";
import { IsochronError } from "../errors.ts";
import type { EventDraft } from "../model/event.ts";
import { formatInstant } from "../model/instant.ts";
import type { Json, JsonObject } from "../model/json.ts";
import type { Finding, Hole } from "../model/source-health.ts";
import { decoders } from "../normalise/decode.ts";
import { bytesOf } from "./conformance/fixture.ts";
import { kubernetesEvents } from "./kubernetes-events.ts";
import type { KubernetesCursor } from "./kubernetes-events/event-pass.ts";
import type { HttpRequest, HttpResponse, SourceIo } from "./source.ts";

interface Answer {
  readonly status?: number;
  readonly json?: Json;
  readonly text?: string;
  readonly date?: string;
}

function eventOf(change: JsonObject = {}, version = "7"): JsonObject {
  return {
    metadata: { name: "web.1", namespace: "shop", uid: "u-1", resourceVersion: version, managedFields: [{}] },
    eventTime: "2026-11-21T03:00:00.125000Z",
    type: "Warning",
    reason: "BackOff",
    note: "Back-off restarting",
    regarding: { kind: "Pod", namespace: "shop", name: "web", uid: "p-1" },
    ...change,
  };
}

const listOf = (items: Json, version: string, more = ""): Answer => ({
  json: { kind: "EventList", metadata: { resourceVersion: version, continue: more }, items },
});
const lines = (...documents: (readonly [string, JsonObject])[]): Answer => ({
  text: documents.map(([type, object]) => `${JSON.stringify({ type, object })}\n`).join(""),
});
const gone = (code = 410): readonly [string, JsonObject] => [
  "ERROR",
  { kind: "Status", code, message: "too old resource version: 7 (9)" },
];

/** Calls until the pass is over, each answered by the next of the answers; what was asked is kept. */
async function pass(answers: readonly Answer[], from?: KubernetesCursor, config: JsonObject = {}) {
  const [requests, warnings, events]: [HttpRequest[], string[], EventDraft[]] = [[], [], []];
  const left = [...answers];
  const io = {
    http: (request: HttpRequest): Promise<HttpResponse> => {
      requests.push(request);
      const answer = left.shift();
      if (answer === undefined) throw new Error(`nothing answers ${request.url}`);
      const { status = 200, date, ...body } = answer;
      return Promise.resolve({ status, headers: date === undefined ? {} : { date }, body: bytesOf(body) });
    },
    now: () => decoders.time("2026-11-21T03:10:00Z"),
    signal: new AbortController().signal,
    warn: (message: string) => void warnings.push(message),
    secret: (reference: string) => `value of ${reference}`,
    readText: () => Promise.resolve(undefined),
  } as unknown as SourceIo;
  const settings = { url: "https://k8s.example/base/", token: "file:/token", ...config };
  let cursor = from;
  const [findings, holes]: [Finding[], Hole[]] = [[], []];
  for (;;) {
    const page = await kubernetesEvents.fetch(settings, cursor, io);
    cursor = page.cursor;
    events.push(...page.records.flatMap((record) => kubernetesEvents.normalise(record, decoders).events));
    findings.push(...(page.findings ?? []));
    holes.push(...(page.holes ?? []));
    if (page.done) return { ...page, requests, warnings, events, cursor, findings, holes };
  }
}

const asked = ({ requests }: Awaited<ReturnType<typeof pass>>) =>
  requests.map(({ url }) => {
    const { pathname, searchParams } = new URL(url);
    return [
      pathname,
      searchParams.get("watch") ?? "list",
      searchParams.get("continue") ?? searchParams.get("resourceVersion"),
    ];
  });
const path = "/base/apis/events.k8s.io/v1/events";
const heardAt = decoders.time("2026-11-21T02:00:00Z");
const from: KubernetesCursor = { continue: null, resourceVersion: "7", heardAt };

async function draftOf(change: JsonObject, config: JsonObject = {}): Promise<EventDraft> {
  const { events } = await pass([lines(["ADDED", eventOf(change)])], from, config);
  return events[0]!;
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

describe("a pass", () => {
  test("lists in pages, then watches from where the list began, so that nothing falls between", async () => {
    const read = await pass([
      listOf([eventOf()], "100", "more"),
      listOf([eventOf({ metadata: { uid: "u-2" } })], "105"),
      lines(["ADDED", eventOf({ metadata: { uid: "u-3", resourceVersion: "103" } })]),
    ]);
    expect(asked(read)).toEqual([
      [path, "list", null],
      [path, "list", "more"],
      [path, "true", "100"],
    ]);
    expect(read.events.map(({ key }) => key)).toEqual(["u-1/1", "u-2/1", "u-3/1"]);
    expect(read.cursor).toMatchObject({ continue: null, resourceVersion: "103" });
    expect(read.requests[0]!.headers).toMatchObject({ authorization: "Bearer value of file:/token" });
  });

  test("goes on from the last version, which bookmarks move and deletions do not tell of", async () => {
    const bookmark = { kind: "Event", metadata: { resourceVersion: "900" } };
    const read = await pass([lines(["DELETED", eventOf({}, "8")], ["BOOKMARK", bookmark])], from);
    expect([read.events, read.cursor.resourceVersion]).toEqual([[], "900"]);
    expect(formatInstant(read.completeTo!)).toBe("2026-11-21T03:08:55.000Z");
    const quiet = await pass([{ text: "" }], read.cursor);
    expect(quiet.cursor).toEqual(read.cursor);
  });

  test.each<[string, readonly Answer[]]>([
    ["by its status", [{ status: 410, json: { code: 410 } }]],
    ["by an error in the stream", [lines(gone())]],
  ])("lists anew when the cluster has forgotten its version, as it says %s", async (_how, first) => {
    const read = await pass([...first, listOf([eventOf()], "500"), { text: "" }], from);
    expect(asked(read).map(([, how, place]) => [how, place])).toEqual([
      ["true", "7"],
      ["list", null],
      ["true", "500"],
    ]);
    expect(read.events.map(({ key }) => key)).toEqual(["u-1/1"]);
    expect(read.warnings).toHaveLength(1);
    // What happened between the last answer under the forgotten version and the new list is not known.
    expect(read.findings).toEqual([
      { code: "place-lost", says: expect.stringContaining("02:00:00") as string },
    ]);
    expect(read.holes).toMatchObject([
      { from: heardAt, to: decoders.time("2026-11-21T03:10:00Z"), reason: "place-lost" },
    ]);
  });

  test("goes on from a cursor of an earlier version, which did not say when it was heard", async () => {
    const old = kubernetesEvents.cursor.parse({ continue: null, resourceVersion: "7" }) as KubernetesCursor;
    const read = await pass([{ status: 410 }, listOf([], "500"), { text: "" }], old);
    expect([read.findings.length, read.holes]).toEqual([1, []]);
  });

  test("anew from a moment on lists whatever the cluster still keeps, under the same keys", async () => {
    const events = [eventOf(), eventOf({ metadata: { uid: "u-2" } })];
    const first = await pass([listOf([events[0]!], "100"), lines(["ADDED", events[1]!])]);
    const start = kubernetesEvents.startAt!({}, heardAt, first.cursor) as KubernetesCursor;
    const again = await pass([listOf(events, "200"), { text: "" }], start);
    expect(again.events.map(({ key }) => key)).toEqual(first.events.map(({ key }) => key));
    expect(again.holes).toEqual([]);
  });

  test("keeps what a stream told before its version was forgotten", async () => {
    const told = lines(["ADDED", eventOf({ metadata: { uid: "early" } })], gone());
    const read = await pass([told, listOf([], "500"), { text: "" }], from);
    expect(read.events.map(({ key }) => key)).toEqual(["early/1"]);
  });

  test("begins a list again whose next page is gone, and gives up when that does not end", async () => {
    const read = await pass([listOf([], "1", "more"), { status: 410 }, listOf([], "9"), { text: "" }]);
    expect(read.cursor.resourceVersion).toBe("9");
    const never = [{ status: 410 }, { status: 410 }, { status: 410 }];
    expect(await code(() => pass(never, from))).toBe("source-unavailable");
  });

  test("takes a sign-in page with status 200 for no watch in which nothing happened", async () => {
    expect(await code(() => pass([{ text: "<html>sign in</html>" }], from))).toBe("source-malformed");
  });

  test("leaves a line that was cut for the next watch", async () => {
    const whole = lines(
      ["ADDED", eventOf({}, "8")],
      ["ADDED", eventOf({ metadata: { uid: "u-2" } }, "9")],
    ).text!;
    const read = await pass([{ text: whole.slice(0, -30) }], from);
    expect([read.events.length, read.cursor.resourceVersion]).toEqual([1, "8"]);
    // Nobody knows what else the cut took, so nothing is called complete.
    expect([read.done, read.completeTo, read.cursor.heardAt]).toEqual([true, undefined, heardAt]);
    const atBrace = await pass([{ text: whole.slice(0, -2) }], from);
    expect([atBrace.events.length, atBrace.completeTo]).toEqual([1, undefined]);
    const unended = await pass([{ text: whole.trimEnd() }], from);
    expect(unended.events).toHaveLength(2);
  });

  test("asks the older API, or one namespace, where it is told to", async () => {
    const read = await pass([{ text: "" }], from, { api: "v1", namespace: "shop" });
    expect(asked(read)[0]![0]).toBe("/base/api/v1/namespaces/shop/events");
  });

  test.each<[string, Answer]>([
    ["source-denied", { status: 403, json: { kind: "Status" } }],
    ["source-unavailable", { status: 500 }],
    ["source-malformed", { text: "<html>Sign in</html>\n" }],
    ["source-malformed", { text: "7\n" }],
    ["source-malformed", lines(gone(500))],
  ])("of a watch ends as %s on %j", async (expected, answer) => {
    expect(await code(() => pass([answer], from))).toBe(expected);
  });

  test("of a list ends as malformed on what is no list", async () => {
    for (const json of [[], {}, { items: [] }, { items: {}, metadata: { resourceVersion: "1" } }] as Json[]) {
      expect(await code(() => pass([{ json }])), JSON.stringify(json)).toBe("source-malformed");
    }
    const empty = await pass([{ json: { items: null, metadata: { resourceVersion: "1" } } }, { text: "" }]);
    expect(empty.events).toEqual([]);
  });
});

describe("an event", () => {
  test("is the same through both APIs", async () => {
    const seen = { count: 3, firstTimestamp: "2026-11-21T03:00:00Z", lastTimestamp: "2026-11-21T03:05:00Z" };
    const shared = { metadata: eventOf()["metadata"]!, type: "Warning", reason: "BackOff", eventTime: null };
    const about = eventOf()["regarding"]!;
    const newer = await draftOf({
      ...shared,
      deprecatedCount: seen.count,
      deprecatedFirstTimestamp: seen.firstTimestamp,
      deprecatedLastTimestamp: seen.lastTimestamp,
      deprecatedSource: { component: "kubelet", host: "n1" },
    });
    const older = await draftOf({
      ...shared,
      ...seen,
      note: null,
      message: "Back-off restarting",
      regarding: null,
      involvedObject: about,
      source: { component: "kubelet", host: "n1" },
    });
    expect(older).toEqual(newer);
    expect([newer.key, formatInstant(newer.occurredAt)]).toEqual(["u-1/3", "2026-11-21T03:05:00.000Z"]);
  });

  test("that is seen again is another, and one whose bookkeeping changed is not", async () => {
    const series = (count: number) => ({ series: { count, lastObservedTime: "2026-11-21T03:09:00.5Z" } });
    const [second, third] = [await draftOf(series(2)), await draftOf(series(3))];
    expect([second.key, third.key]).toEqual(["u-1/2", "u-1/3"]);
    expect(formatInstant(third.occurredAt)).toBe("2026-11-21T03:09:00.500Z");
    const metadata = { ...(eventOf()["metadata"] as JsonObject), resourceVersion: "99", labels: {} };
    expect((await draftOf({ metadata })).key).toBe((await draftOf({})).key);
  });

  test("of a node bears the node's name, whatever its reporter writes as its uid", async () => {
    const node = (uid: string) =>
      draftOf({ regarding: { kind: "Node", name: "n1", uid } }, { nodes_are_hosts: true });
    for (const draft of [await node("n1"), await node("9e5c8b4e-2f6f-4a57-b3b1-111111111111")]) {
      expect(draft.subject).toEqual({ kind: "k8s_node", id: "n1" });
      expect(draft.related).toEqual([{ role: "host", ref: { kind: "host", id: "n1" } }]);
    }
  });

  test("tells of a host of OpenStack only where the cluster is declared to carry it", async () => {
    const hosts = ({ related }: EventDraft) => related.filter(({ ref }) => ref.kind === "host");
    const source = { deprecatedSource: { component: "kubelet", host: "n1" } };
    expect(hosts(await draftOf(source))).toEqual([]);
    expect(hosts(await draftOf(source, { nodes_are_hosts: true }))).toHaveLength(1);
  });

  test.each([
    ["Warning", "FailedScheduling", "symptom", "warning"],
    ["Warning", "SystemOOM", "symptom", "error"],
    ["Normal", "NodeNotReady", "symptom", "error"],
    ["Normal", "NodeReady", "recovery", "info"],
    ["Normal", "ScalingReplicaSet", "change", "info"],
    ["Normal", "Pulled", "activity", "info"],
    [null, "constructor", "activity", "info"],
  ])("of type %s and reason %s is %s and %s", async (type, reason, kind, severity) => {
    expect(await draftOf({ type, reason })).toMatchObject({ kind, severity });
  });

  test("without a uid, a time or a subject is set aside alone", async () => {
    const broken = [
      { metadata: {} },
      { eventTime: null },
      { eventTime: "now" },
      { regarding: null },
      { regarding: {} },
    ];
    for (const change of broken) {
      expect(await code(() => draftOf(change as JsonObject)), JSON.stringify(change)).toBe("record-invalid");
    }
  });
});
