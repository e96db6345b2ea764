import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { duration, instant } from "../../model/instant.ts";
import type { Store } from "../../store/store.ts";
import { bearer, pageRequest, problemIn, startApi } from "../../../test/api-host.ts";
import { connection, fillWorld, tokenText, worldEnd } from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";

let database: TestStore;
let store: Store;
let app: FastifyInstance;
const lag = duration(90_500);

beforeAll(async () => {
  database = await openTestStore();
  store = database.store;
  await fillWorld(store);
  await store.events.connect({ name: 'odd "name"\\', source: "rest", controlPlane: "default", config: {} });
  await store.events.report('odd "name"\\', "it is\naway");
  app = await startApi(store, {
    clock: () => instant(worldEnd + lag),
    version: "1.2.3",
    protection: () => ({
      inFlightBytes: 12,
      inFlightBytesMax: 4000,
      guards: [
        {
          connection: "nova",
          breaker: "open",
          requests: 9,
          retries: 3,
          throttledMs: 1500,
          requestsAtOnce: 2,
          heldBytes: 12,
        },
      ],
      refused: [{ connection: "alerts", share: 5, whole: 1 }],
    }),
  });
});

afterAll(async () => {
  await app.close();
  await database.close();
});

const scrape = (as?: string) =>
  app.inject({ method: "GET", url: "/metrics", headers: as === undefined ? {} : bearer(as) });

/** The samples by metric and labels, as they are written. */
function samplesIn(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

const own = `connection="${connection}",source="openstack-notifications",control_plane="region-1"`;
const odd = 'connection="odd \\"name\\"\\\\",source="rest",control_plane="default"';

test("the provider reads counters, freshness and state of every connection", async () => {
  const answer = await scrape("provider");
  expect(answer.statusCode).toBe(200);
  expect(answer.headers["content-type"]).toMatch(/^text\/plain; version=0\.0\.4/);
  const samples = samplesIn(answer.body);
  const { connections } = await store.reader.coverage({ kind: "provider" });
  const state = connections.find((one) => one.connection === connection);
  expect(samples.get(`isochron_connection_events_total{${own}}`)).toBe(state!.counts.events);
  expect(state!.counts.events).toBeGreaterThan(0);
  expect(samples.get(`isochron_connection_set_aside_total{${own}}`)).toBe(1);
  for (const name of ["folded", "repeated", "revised"]) {
    expect(samples.get(`isochron_connection_${name}_total{${own}}`)).toBe(0);
  }
  expect(samples.get(`isochron_connection_complete_to_timestamp_seconds{${own}}`)).toBe(worldEnd / 1000);
  expect(samples.get(`isochron_connection_lag_seconds{${own}}`)).toBe(90.5);
  expect(samples.get(`isochron_connection_state{${own},state="${state!.state}"}`)).toBe(1);
  expect(samples.get('isochron_build_info{version="1.2.3"}')).toBe(1);
  expect(samples.get("process_resident_memory_bytes")).toBeGreaterThan(0);
});

test("a connection that fails says so, and what never was has no sample", async () => {
  const samples = samplesIn((await scrape("provider")).body);
  expect(samples.get(`isochron_connection_state{${odd},state="failing"}`)).toBe(1);
  expect(samples.get(`isochron_connection_state{${odd},state="idle"}`)).toBe(0);
  expect(samples.get(`isochron_connection_last_error_timestamp_seconds{${odd}}`)).toBeGreaterThan(0);
  for (const name of ["lag_seconds", "last_success_timestamp_seconds", "last_event_timestamp_seconds"]) {
    expect(samples.has(`isochron_connection_${name}{${odd}}`)).toBe(false);
  }
});

test("the text of an error is in no metric, and each line is well-formed", async () => {
  const { body } = await scrape("provider");
  expect(body).not.toContain("away");
  for (const line of body.split("\n").filter((one) => one !== "")) {
    expect(line).toMatch(/^(# (HELP|TYPE) [a-z0-9_]+ .+|[a-z0-9_]+(\{[^\n]*\})? (\d[\d.e+-]*|Nan|\+Inf))$/);
  }
});

test("reading twice counts nothing twice", async () => {
  const counters = (text: string) => text.split("\n").filter((line) => line.startsWith("isochron_"));
  expect(counters((await scrape("provider")).body)).toEqual(counters((await scrape("provider")).body));
});

test.each(["north", "prod", "south"])("for the tenant %s there is no such thing", async (tenant) => {
  expect(problemIn(await scrape(tenant)).code).toBe("not-found");
});

test.each([undefined, "ingest", "any", "nobody"])(
  "the token of %s opens nothing, from loopback too",
  async (as) => {
    expect(problemIn(await scrape(as)).code).toBe("not-signed-in");
  },
);

test("a provider who looks as a tenant does sees as little", async () => {
  const signedIn = await app.inject(
    pageRequest("POST", "/session", undefined, { token: tokenText("provider") }),
  );
  const cookie = String(signedIn.headers["set-cookie"]).split(";")[0]!;
  const before = await app.inject({ method: "GET", url: "/metrics", headers: { cookie } });
  expect(before.statusCode).toBe(200);
  const as = { control_plane: "region-1", project_id: "p-prod" };
  const switched = await app.inject(pageRequest("POST", "/session/as", cookie, as));
  expect(switched.statusCode).toBe(200);
  const cookieAs = String(switched.headers["set-cookie"]).split(";")[0]!;
  const answer = await app.inject({ method: "GET", url: "/metrics", headers: { cookie: cookieAs } });
  expect(problemIn(answer).code).toBe("not-found");
});

test("a query is refused, and another method told what is allowed", async () => {
  const query = await app.inject({ method: "GET", url: "/metrics?name=x", headers: bearer("provider") });
  expect(problemIn(query).code).toBe("query-invalid");
  const post = await app.inject({ method: "POST", url: "/metrics", headers: bearer("provider") });
  expect(problemIn(post).code).toBe("method-not-allowed");
  expect(post.headers.allow).toBe("GET, HEAD");
});

test("the provider reads what protects the sources and the process", async () => {
  const samples = samplesIn((await scrape("provider")).body);
  const read = Object.fromEntries(
    [...samples].filter(([name]) => /^isochron_(source|push|in_flight)_/.test(name)),
  );
  expect(read).toEqual({
    'isochron_source_requests_total{connection="nova"}': 9,
    'isochron_source_retries_total{connection="nova"}': 3,
    'isochron_source_throttled_seconds_total{connection="nova"}': 1.5,
    'isochron_source_requests_at_once{connection="nova"}': 2,
    'isochron_source_breaker_state{connection="nova",state="closed"}': 0,
    'isochron_source_breaker_state{connection="nova",state="half-open"}': 0,
    'isochron_source_breaker_state{connection="nova",state="open"}': 1,
    'isochron_push_refused_total{connection="alerts",full="share"}': 5,
    'isochron_push_refused_total{connection="alerts",full="whole"}': 1,
    isochron_in_flight_bytes: 12,
    isochron_in_flight_bytes_max: 4000,
  });
});
