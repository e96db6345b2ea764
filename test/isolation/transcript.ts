import type { EventJson, EventsPageJson } from "../../src/present/api/contract.ts";
import { csrfHeader } from "../../src/present/api/contract.ts";
import type { Answer } from "./answer.ts";

/** Asks as one principal, and keeps what came back. */
export interface Recorder {
  readonly answers: { readonly what: string; readonly answer: Answer }[];
  ask(what: string, path: string, options?: AskOptions): Promise<Answer>;
}

export interface AskOptions {
  readonly as?: "reader" | "domain" | "admin";
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Ids that A could be tempted to try: of others' things on this side, and of nothing. */
export interface ForeignIds {
  readonly event: string;
  readonly cursor: string;
}

const from = "2026-02-28T23:00:00Z";
const to = "2026-03-01T03:00:00Z";

const lists = [
  "/events",
  "/events?order=oldest",
  `/events?from=${from}&to=${to}`,
  "/events?kind=symptom",
  "/events?severity=warning&order=oldest",
  "/events?category=platform",
  "/events?type=alert.*",
  "/events?q=shown",
  "/events?q=prod",
  "/events?q=the+provider+says",
  "/events?q=later",
  "/events?q=%25",
  "/events?project=p-b",
  "/events?tenant=d-b",
  "/events?project=p-moved",
  "/events?resource=server/srv-0",
  "/events?resource=host/host-that-is-shared",
  "/events?resource=server/srv-of-b-left0h0",
];

const others = [
  "/histogram",
  "/histogram?bins=7&q=shown",
  `/histogram?from=${from}&to=${to}&bins=500`,
  "/histogram?project=p-b",
  "/what-else?at=2026-03-01T00:59:30Z",
  "/what-else?at=2026-03-01T00:30:00Z&resource=server/srv-0&window_minutes=30",
  "/what-else?at=2026-03-01T00:30:00Z&resource=server/srv-of-b-left0h0",
  "/resources/server/srv-0",
  "/resources/server/srv-1?at=2026-03-01T00:10:00Z",
  "/resources/host/host-that-is-shared",
  "/resources/server/srv-of-b-left0h0",
  "/resources/project/p-b",
  "/tenants",
  "/tenants/tree",
  "/session",
  "/sources",
  "/quarantine",
  "/rulings",
  "/rulings/rul_aaaaaaaaaaaaaaaaaaaaaaaaaa",
  "/notice-templates",
  "/notice-templates/host-failure",
  "/nowhere",
  "/events?limit=0",
  "/events?cursor=nonsense",
  "/events?attribution=owned",
  "/events?customer=c-b",
  "/resources/server/%00",
  "/live?last_event_id=evt_aaaaaaaaaaaaaaaaaaaaaaaaaa",
  "/health",
];

/** Everything that A tries; the same requests on both sides, but for the ids of others' things. */
export async function recordTranscript(recorder: Recorder, foreign: ForeignIds): Promise<void> {
  const firstPages = new Map<string, EventsPageJson>();
  for (const [index, path] of lists.entries()) {
    const as = index % 3 === 2 ? "reader" : "domain";
    const answer = await recorder.ask(path, withLimit(path, 3), { as });
    const page = JSON.parse(answer.body) as EventsPageJson;
    firstPages.set(path, page);
    await followPages(recorder, path, page, as);
  }
  for (const path of others) await recorder.ask(path, path);
  const ids = (firstPages.get("/events")?.events ?? []).map(({ id }: EventJson) => id);
  for (const id of ids) {
    await recorder.ask("an own event", `/events/${id}`);
    await recorder.ask("an own event's owner", `/events/${id}/ownership`);
    await recorder.ask("an own event's members", `/events/${id}/members?limit=2`);
    await recorder.ask("what else, before an own event", `/what-else?event=${id}`);
    await recorder.ask("an own event, of the domain", `/events/${id}`, { as: "reader" });
  }
  for (const path of ["", "/ownership", "/members"])
    await recorder.ask(`another's event ${path}`, `/events/${foreign.event}${path}`);
  await recorder.ask("what else, before another's", `/what-else?event=${foreign.event}`);
  await recorder.ask("live after another's", `/live?last_event_id=${foreign.event}`);
  await recorder.ask("another's cursor", `/events?limit=1&cursor=${encodeURIComponent(foreign.cursor)}`);
  for (const path of ["/export", "/export?format=csv", "/export?cursor=nonsense"]) {
    await recorder.ask(path, path, { as: "admin" });
    await recorder.ask(`${path}, by a reader`, path);
  }
  await recordRefusals(recorder);
}

function withLimit(path: string, limit: number): string {
  return `${path}${path.includes("?") ? "&" : "?"}limit=${limit}`;
}

/** To the end, as cursors lead; a list of A's is short. */
async function followPages(
  recorder: Recorder,
  path: string,
  first: EventsPageJson,
  as: "reader" | "domain",
): Promise<void> {
  let cursor = first.next_cursor;
  for (let page = 2; cursor !== null && page < 20; page += 1) {
    const at = `${withLimit(path, 3)}&cursor=${encodeURIComponent(cursor)}`;
    const answer = await recorder.ask(`${path}, page ${page}`, at, { as });
    cursor = (JSON.parse(answer.body) as EventsPageJson).next_cursor;
  }
}

const match = { match: { connection: "nowhere" }, answer: { kind: "provider" } };

/** What only the provider may, and what nobody may. */
async function recordRefusals(recorder: Recorder): Promise<void> {
  const headers = { [csrfHeader]: "1" };
  const posts: readonly (readonly [string, AskOptions])[] = [
    ["/quarantine/dry-run", { method: "POST", body: match }],
    ["/rulings", { method: "POST", body: match }],
    ["/rulings/rul_a/withdrawal", { method: "POST", body: {} }],
    ["/notice-templates/preview", { method: "POST", body: { text: "x" } }],
    ["/notice-templates/host-failure", { method: "PUT", body: {} }],
    ["/ingest/anything", { method: "POST", body: {} }],
    ["/session/as", { method: "POST", body: {} }],
    ["/session", { method: "POST", body: { token: "iso_wrong" } }],
    ["/events", { method: "HEAD" }],
    ["/events", { method: "DELETE" }],
  ];
  for (const [path, options] of posts)
    await recorder.ask(`${options.method} ${path}`, path, { ...options, headers });
  await recorder.ask("with a wrong token", "/events", {
    headers: { authorization: `Bearer iso_${"A".repeat(43)}` },
  });
}
