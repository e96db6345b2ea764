import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { HttpClientOptions } from "./http-client.ts";
import { createHttpClient } from "./http-client.ts";

let server: Server | undefined;
afterEach(() => {
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

test("429 and 503 are tried again after Retry-After, else with growing jitter", async () => {
  let count = 0;
  const base = await listen((_request, response) => {
    count += 1;
    if (count === 1) response.writeHead(429, { "Retry-After": "7" }).end();
    else if (count < 4) response.writeHead(503).end();
    else response.end("at last");
  });
  const { http, waits } = client();
  const answer = await http({ method: "GET", url: base });
  expect(answer.status).toBe(200);
  expect(waits).toEqual([7000, 500, 1000]);
});

test("waiting is bounded in length and number; the last refusal is the answer", async () => {
  let count = 0;
  const base = await listen((_request, response) => {
    count += 1;
    response.writeHead(429, { "Retry-After": "86400" }).end();
  });
  const { http, waits } = client();
  expect((await http({ method: "GET", url: base })).status).toBe(429);
  expect(count).toBe(4);
  expect(waits).toEqual([60_000, 60_000, 60_000]);
});

test("a lost connection is tried again for reads only, and ends as unavailable", async () => {
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
  await expect(http({ method: "POST", url: base, body: "{}" })).rejects.toMatchObject({
    code: "source-unavailable",
  });
  expect(count).toBe(5);
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
