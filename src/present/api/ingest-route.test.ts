import { request as openRequest, type ClientRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Store } from "../../store/store.ts";
import type { PostedOutcome, PostedRecords, TooLargeRequest } from "./api-parts.ts";
import type { IngestedJson } from "./contract.ts";
import { retryAfterSeconds } from "./problem.ts";
import { ByteCredits } from "../../pipeline/protection/byte-credits.ts";
import { PushRoom } from "../../pipeline/protection/push-room.ts";
import { bearer, problemIn, startApi } from "../../../test/api-host.ts";
import { connection, fillWorld, tokenText } from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";

const outcome: PostedOutcome = {
  records: 7,
  created: 3,
  folded: 1,
  repeated: 1,
  revised: 0,
  setAside: 1,
  factsOnly: 1,
};

let database: TestStore;
let store: Store;
let app: FastifyInstance;
let posted: [string, PostedRecords][] = [];
let tooLarge: [string, TooLargeRequest][] = [];
let hold: Promise<void> | undefined;

beforeAll(async () => {
  database = await openTestStore();
  store = database.store;
  await fillWorld(store);
  app = await startApi(store, {
    ingest: async (name, request) => {
      posted.push([name, request]);
      await hold;
      return name === "unknown" ? undefined : outcome;
    },
    noteTooLarge: async (name, request) => void tooLarge.push([name, request]),
    limits: { ingestInFlightPerConnection: 2 },
  });
});

afterAll(async () => {
  await app.close();
  await database.close();
});

function post(to: string, as: string, payload: string | Buffer = "{}", headers: Record<string, string> = {}) {
  const url = `/api/v1/ingest/${encodeURIComponent(to)}`;
  return app.inject({ method: "POST", url, payload, headers: { ...bearer(as), ...headers } });
}

test("bytes are handed on as they came, without the sender's credentials, and the counts come back", async () => {
  posted = [];
  const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x00, 0xff, 0x7d]);
  const answer = await post(connection, "ingest", bytes, {
    "content-type": "application/vnd.x",
    "x-signature": "abc",
  });
  expect(answer.statusCode).toBe(200);
  expect(answer.json<IngestedJson>()).toEqual({
    records: 7,
    created: 3,
    folded: 1,
    repeated: 1,
    revised: 0,
    set_aside: 1,
    facts_only: 1,
  });
  const [[name, request] = [], ...more] = posted;
  expect([name, more.length]).toEqual([connection, 0]);
  expect(Buffer.from(request!.body)).toEqual(bytes);
  expect(request!.headers).toMatchObject({ "content-type": "application/vnd.x", "x-signature": "abc" });
  expect(Object.keys(request!.headers)).not.toContain("authorization");
});

test("a source's token posts to its own connection and to no other, whatever that is called", async () => {
  expect((await post(connection, "ingest")).statusCode).toBe(200);
  for (const [to, as] of [
    ["other", "ingest"],
    [connection, "any"],
    [connection, "prod"],
    [connection, "north"],
    ["unknown", "provider"],
  ] as const) {
    expect(problemIn(await post(to, as)).code).toBe("not-found");
  }
  expect((await post(connection, "provider")).statusCode).toBe(200);
  expect((await app.inject({ method: "POST", url: "/api/v1/ingest/any", payload: "{}" })).statusCode).toBe(
    401,
  );
});

test("a body over the limit is refused before it is read, and so is one that no one can undo", async () => {
  posted = [];
  expect(problemIn(await post(connection, "ingest", Buffer.alloc(1024 * 1024 + 1))).code).toBe(
    "body-too-large",
  );
  expect((await post(connection, "ingest", Buffer.alloc(1024 * 1024))).statusCode).toBe(200);
  const zipped = await post(connection, "ingest", "x", { "content-encoding": "br" });
  expect(problemIn(zipped).code).toBe("media-type-unknown");
  expect(posted).toHaveLength(1);
});

test("a body over the limit is counted for its connection, and only for who may post there", async () => {
  tooLarge = [];
  const body = Buffer.alloc(1024 * 1024 + 1);
  const answer = await post(connection, "ingest", body, { "content-type": "application/json" });
  expect(answer.statusCode).toBe(413);
  for (const as of ["any", "north"]) expect((await post(connection, as, body)).statusCode).toBe(404);
  expect(tooLarge).toMatchObject([
    [connection, { declaredBytes: body.length, contentType: "application/json" }],
  ]);
});

test("a sender that knows only credentials in an address posts with its token as the password", async () => {
  posted = [];
  const basic = (name: string) => ({
    authorization: `Basic ${Buffer.from(`isochron:${tokenText(name)}`).toString("base64")}`,
  });
  const url = `/api/v1/ingest/${encodeURIComponent(connection)}`;
  const send = (name: string) => app.inject({ method: "POST", url, payload: "{}", headers: basic(name) });
  expect((await send("ingest")).statusCode).toBe(200);
  expect(Object.keys(posted[0]![1].headers)).not.toContain("authorization");
  // A reader's token would be kept by browsers and proxies with the address.
  for (const name of ["provider", "north"]) expect(problemIn(await send(name)).code).toBe("not-signed-in");
  expect(problemIn(await send("any")).code).toBe("not-found");
});

test("a declared length over the limit is answered while the body is still to come", async () => {
  const own = await startApi(store);
  await own.listen({ host: "127.0.0.1", port: 0 });
  const { port } = own.server.address() as AddressInfo;
  const status = await new Promise((resolve, reject) => {
    const request = openRequest({
      port,
      host: "127.0.0.1",
      method: "POST",
      path: "/api/v1/ingest/any",
      headers: { ...bearer("any"), "content-length": 10 * 1024 * 1024 },
    });
    request.on("response", (answer) => resolve(answer.statusCode));
    request.on("error", reject);
    request.write("only the beginning");
  });
  expect(status).toBe(413);
  await own.close();
});

test("more at once than a connection may have is put off, and another connection is not held up", async () => {
  posted = [];
  let release = (): void => undefined;
  hold = new Promise((resolve) => (release = resolve));
  const first = [post(connection, "ingest"), post(connection, "provider")];
  while (posted.length < 2) await new Promise((resolve) => setImmediate(resolve));
  const third = await post(connection, "ingest");
  expect(problemIn(third).code).toBe("rate-limited");
  expect(third.headers["retry-after"]).toMatch(/^\d+$/);
  const elsewhere = post("any", "any");
  while (posted.length < 3) await new Promise((resolve) => setImmediate(resolve));
  release();
  hold = undefined;
  expect((await Promise.all([...first, elsewhere])).map((answer) => answer.statusCode)).toEqual([
    200, 200, 200,
  ]);
  expect((await post(connection, "ingest")).statusCode).toBe(200);
});

/** An API of its own that listens, with room for so many bytes, and a request to it that is still being written. */
async function openBounded(bytesMax: number, ingest = async () => outcome) {
  const credits = new ByteCredits(bytesMax);
  const own = await startApi(store, { ingest, pushRoom: new PushRoom(credits, new Set(["any"])) });
  await own.listen({ host: "127.0.0.1", port: 0 });
  const { port } = own.server.address() as AddressInfo;
  const begin = (headers: Record<string, string | number>) =>
    openRequest({
      port,
      host: "127.0.0.1",
      method: "POST",
      path: "/api/v1/ingest/any",
      headers: { ...bearer("any"), ...headers },
    });
  return { credits, own, begin };
}

type Answer = IncomingMessage & { statusCode: number };

function answerOf(request: ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.on("response", (answer) => resolve(answer.resume() as Answer));
    request.on("error", reject);
  });
}

test("a declared body that finds no room is refused while it is still to come, and later finds it", async () => {
  const { credits, own, begin } = await openBounded(400_000);
  credits.account("push any").tryTake(50_000);
  const refused = begin({ "content-length": 60_000 });
  const answer = answerOf(refused);
  refused.write("only the beginning");
  expect((await answer).statusCode).toBe(429);
  expect((await answer).headers["retry-after"]).toMatch(/^\d+$/);
  refused.destroy();
  credits.account("push any").giveBackAll();
  const taken = begin({ "content-length": 60_000 });
  taken.end("x".repeat(60_000));
  expect((await answerOf(taken)).statusCode).toBe(200);
  await own.close();
  expect(credits.heldBytes).toBe(0);
});

test("when there is no room at all the answer says so", async () => {
  const { credits, own, begin } = await openBounded(4000);
  for (const name of ["a", "b", "c"]) credits.account(name).tryTake(1000);
  const refused = begin({ "content-length": 10 });
  refused.end("0123456789");
  const answer = await answerOf(refused);
  expect(answer.statusCode).toBe(503);
  expect(answer.headers["retry-after"]).toMatch(/^\d+$/);
  await own.close();
});

test("a body in chunks takes room as it comes, and ends with a refusal where there is none", async () => {
  const { credits, own, begin } = await openBounded(400_000);
  const large = begin({ "transfer-encoding": "chunked" });
  const answer = answerOf(large);
  for (let count = 0; count < 11; count++) large.write("x".repeat(10_000));
  expect((await answer).statusCode).toBe(429);
  large.destroy();
  const small = begin({ "transfer-encoding": "chunked" });
  small.end("x".repeat(90_000));
  expect((await answerOf(small)).statusCode).toBe(200);
  await own.close();
  expect(credits.heldBytes).toBe(0);
});

test("room is held until the answer, not only until the body was read", async () => {
  const committed = Promise.withResolvers<typeof outcome>();
  const arrived = Promise.withResolvers<void>();
  const { credits, own, begin } = await openBounded(400_000, () => {
    arrived.resolve();
    return committed.promise;
  });
  const request = begin({ "content-length": 1000 });
  const answer = answerOf(request);
  request.end("x".repeat(1000));
  await arrived.promise;
  expect(credits.heldBytes).toBe(1000);
  committed.resolve(outcome);
  expect((await answer).statusCode).toBe(200);
  await own.close();
  expect(credits.heldBytes).toBe(0);
});

test("whoever is told to wait is told a time of their own", () => {
  expect([0, 0.5, 0.999].map((part) => retryAfterSeconds("rate-limited", () => part))).toEqual([5, 8, 10]);
  expect(retryAfterSeconds("store-unavailable", () => 0)).toBe(10);
});
