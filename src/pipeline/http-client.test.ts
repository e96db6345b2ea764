import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { AddressGuard } from "./address-guard.ts";
import type { HttpClientOptions } from "./http-client.ts";
import { createHttpClient } from "./http-client.ts";
import type { ClockReading } from "../sources/source.ts";
import { ByteCredits } from "./protection/byte-credits.ts";
import { guardOver, StillTime } from "../../test/guard.ts";

let server: Server | undefined;
afterEach(() => {
  vi.useRealTimers();
  server?.closeAllConnections();
  server?.close();
});

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function client(options: Partial<HttpClientOptions> = {}) {
  const waits: number[] = [];
  const http = createHttpClient({
    signal: new AbortController().signal,
    guard: guardOver(new StillTime()),
    addresses: new AddressGuard({ connection: "desk", config: { url: "http://127.0.0.1" } }),
    wait: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
    random: () => 0.5,
    ...options,
  });
  return { http, waits };
}

test("an answer comes with its status, its headers in lower case and its bytes", async () => {
  const base = await listen((request, response) => {
    response
      .writeHead(418, { "X-Method": `${request.method} ${request.headers["x-sent"]}` })
      .end("short and stout");
  });
  const answer = await client().http({ method: "GET", url: `${base}/pot`, headers: { "x-sent": "yes" } });
  expect(answer.status).toBe(418);
  expect(answer.headers["x-method"]).toBe("GET yes");
  expect(Buffer.from(answer.body).toString()).toBe("short and stout");
});

test("429 and 5xx are tried again after Retry-After, else with growing jitter", async () => {
  let count = 0;
  const base = await listen((_request, response) => {
    count += 1;
    if (count === 1) response.writeHead(429, { "Retry-After": "7" }).end();
    else if (count < 4) response.writeHead(count === 2 ? 503 : 500).end();
    else response.end("at last");
  });
  const { http, waits } = client();
  const answer = await http({ method: "GET", url: base });
  expect(answer.status).toBe(200);
  expect(waits).toEqual([7000, 500, 1000]);
});

test("waiting is bounded in number; the last refusal is the answer", async () => {
  let count = 0;
  const base = await listen((_request, response) => {
    count += 1;
    response.writeHead(429, { "Retry-After": "60" }).end();
  });
  const { http, waits } = client();
  expect((await http({ method: "GET", url: base })).status).toBe(429);
  expect(count).toBe(4);
  expect(waits).toEqual([60_000, 60_000, 60_000]);
});

test("a service that asks for a longer rest gets it, up to an hour: no request leaves meanwhile", async () => {
  let count = 0;
  const base = await listen((_request, response) => {
    count += 1;
    response.writeHead(503, { "Retry-After": "99999999999999999999" }).end();
  });
  const time = new StillTime();
  const { http, waits } = client({ guard: guardOver(time) });
  expect((await http({ method: "GET", url: base })).status).toBe(503);
  time.ms += 3_599_000;
  await expect(http({ method: "GET", url: base })).rejects.toThrow("asked for a rest");
  expect([count, waits]).toEqual([1, []]);
  time.ms += 2_000;
  await http({ method: "GET", url: base });
  expect(count).toBe(2);
});

test("retries are a tenth of the requests at most, and the first six", async () => {
  let count = 0;
  const base = await listen((request, response) => {
    count += 1;
    response.writeHead(request.url === "/good" ? 200 : 500).end();
  });
  const { http } = client({ retriesMax: 1 });
  for (let round = 0; round < 10; round++) {
    await http({ method: "GET", url: `${base}/good` });
    await http({ method: "GET", url: `${base}/bad${round}` });
  }
  expect(count).toBe(20 + 6);
});

test("other refusals are answers that are not tried again", async () => {
  let count = 0;
  const base = await listen((request, response) => {
    count += 1;
    response.writeHead(Number(request.url?.slice(1))).end();
  });
  const { http } = client();
  for (const status of [400, 401, 403, 404, 410, 422, 501]) {
    expect((await http({ method: "GET", url: `${base}/${status}` })).status).toBe(status);
  }
  expect(count).toBe(7);
});

test("after five failures in a row the source is left alone until a probe goes well", async () => {
  let count = 0;
  let well = false;
  const base = await listen((request, response) => {
    count += 1;
    if (well) response.end("well");
    else request.socket.destroy();
  });
  const time = new StillTime();
  const { http } = client({ guard: guardOver(time), retriesMax: 0 });
  for (let attempt = 0; attempt < 8; attempt++) {
    await expect(http({ method: "GET", url: base })).rejects.toMatchObject({ code: "source-unavailable" });
  }
  expect(count).toBe(5);
  await expect(http({ method: "GET", url: base })).rejects.toThrow(
    /left alone since 2026-11-21T00:00:00.000Z.*could not be reached.*tried again at 2026-11-21T00:00:09.000Z/,
  );
  well = true;
  time.ms += 9_000;
  expect((await http({ method: "GET", url: base })).status).toBe(200);
  expect(count).toBe(6);
});

test("bytes are taken as they are read; a page larger than a connection may hold is refused, not gathered", async () => {
  const base = await listen((_request, response) => response.end("x".repeat(300_000)));
  const credits = new ByteCredits(4 * 500_000);
  const guard = guardOver(new StillTime(), { credits: credits.account("nova") });
  const { http } = client({ guard });
  await http({ method: "GET", url: base });
  expect(credits.heldBytes).toBe(300_000);
  await expect(http({ method: "GET", url: base })).rejects.toMatchObject({ code: "source-malformed" });
  guard.endPage();
  expect(credits.heldBytes).toBe(0);
  await http({ method: "GET", url: base });
  expect(credits.heldBytes).toBe(300_000);
});

test("the time that is spent waiting for room does not count as the service's", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const base = await listen((_request, response) => response.end("late"));
  const guard = guardOver(new StillTime());
  const [asked, room] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  guard.takeBytes = () => {
    asked.resolve();
    return room.promise;
  };
  const { http } = client({ guard, retriesMax: 0, totalTimeoutMs: 5000 });
  const answer = http({ method: "GET", url: base });
  await asked.promise;
  vi.advanceTimersByTime(60_000);
  room.resolve();
  expect(Buffer.from((await answer).body).toString()).toBe("late");
});

test("a lost connection is tried again for what may be repeated only, and ends as unavailable", async () => {
  let count = 0;
  const base = await listen((request) => {
    count += 1;
    request.socket.destroy();
  });
  const warned: string[] = [];
  const { http } = client({ warn: (message) => void warned.push(message) });
  await expect(http({ method: "GET", url: `${base}/x?token=1` })).rejects.toMatchObject({
    code: "source-unavailable",
  });
  expect(count).toBe(4);
  expect(warned).toHaveLength(3);
  const post = { method: "POST", url: `${base}/other`, body: "{}" } as const;
  await expect(http(post)).rejects.toMatchObject({ code: "source-unavailable" });
  expect(count).toBe(5);
  const third = { ...post, url: `${base}/third`, repeatable: true };
  await expect(http(third)).rejects.toMatchObject({ code: "source-unavailable" });
  expect(count).toBe(9);
});

test("problems name the address without its query", async () => {
  const base = await listen((request) => request.socket.destroy());
  const { http } = client({ retriesMax: 0 });
  await expect(http({ method: "GET", url: `${base}/x?token=1` })).rejects.toThrow(`${base}/x could not`);
});

test("a peer that does not answer in time is unavailable", async () => {
  const base = await listen(() => undefined);
  const { http } = client({ answerTimeoutMs: 1, retriesMax: 0 });
  await expect(http({ method: "GET", url: base })).rejects.toMatchObject({ code: "source-unavailable" });
});

test("a body over the limit is refused, not gathered", async () => {
  const base = await listen((_request, response) => response.end("x".repeat(5000)));
  const { http } = client({ bodyBytesMax: 4096 });
  await expect(http({ method: "GET", url: base })).rejects.toMatchObject({ code: "source-malformed" });
});

test("redirects are followed within the origin only, so that no token leaves it", async () => {
  const base = await listen((request, response) => {
    if (request.url === "/near") response.writeHead(302, { Location: "/here" }).end();
    else if (request.url === "/far") response.writeHead(302, { Location: "http://elsewhere.invalid/" }).end();
    else if (request.url === "/round") response.writeHead(302, { Location: "/round" }).end();
    else response.end(request.headers["x-auth-token"]);
  });
  const { http } = client();
  const headers = { "x-auth-token": "t1" };
  const near = await http({ method: "GET", url: `${base}/near`, headers });
  expect(Buffer.from(near.body).toString()).toBe("t1");
  await expect(http({ method: "GET", url: `${base}/far`, headers })).rejects.toMatchObject({
    code: "source-malformed",
  });
  await expect(http({ method: "GET", url: `${base}/round`, headers })).rejects.toMatchObject({
    code: "source-malformed",
  });
});

test("the caller's signal ends a request with its own reason", async () => {
  const ending = new AbortController();
  const base = await listen(() => ending.abort(new Error("shutting down")));
  const { http } = client({ signal: ending.signal });
  await expect(http({ method: "GET", url: base })).rejects.toThrow("shutting down");
});

test("the clock of each server that dates its answer is read, to a second and as long as the answer took", async () => {
  const at = Date.UTC(2026, 10, 21, 4);
  let headers: Record<string, string> = {};
  const base = await listen((_request, response) => {
    response.sendDate = false;
    response.writeHead(200, headers).end();
  });
  const readings: ClockReading[] = [];
  const { http } = client({ wallNowMs: () => at, noteClock: (reading) => readings.push(reading) });
  const ask = async (...given: Record<string, string>[]) => {
    for (headers of given) await http({ method: "GET", url: base });
    return readings.splice(0);
  };
  const dated = { Date: new Date(at + 90_000).toUTCString() };
  const [reading] = await ask(dated);
  expect(Math.abs(reading!.aheadMs - 90_000)).toBeLessThan(reading!.errorMs);
  expect(reading!.errorMs).toBeGreaterThan(1000);
  // A cache gives the date of another answer, and other forms may mean another zone.
  expect(
    await ask({}, { ...dated, Age: "90" }, { Date: "Sat, 21 Nov 2026 05:00:00" }, { Date: "soon GMT" }),
  ).toEqual([]);
});
