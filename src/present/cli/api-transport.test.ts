import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventJson, pageJson, runCanned } from "../../../test/cli-host.ts";
import { ApiClient } from "./api-client.ts";
import { RemoteTransport } from "./api-transport.ts";

const token = "iso_0123456789012345678901234567890123456789012";
let server: Server;
let address: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    const problem = (status: number, code: string) => {
      response.writeHead(status, { "content-type": "application/problem+json" });
      response.end(
        JSON.stringify({ type: "x", title: "x", status, code, detail: `It is ${code}.`, remedy: "Do this." }),
      );
    };
    if (request.url === "/moved/api/v1/sources") return void response.writeHead(302, { location: "/" }).end();
    if (request.url === "/page/api/v1/sources") return void response.end("<html>Sign in</html>");
    if (request.headers.authorization !== `Bearer ${token}`) return problem(401, "not-signed-in");
    if (request.url?.startsWith("/api/v1/live")) {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(`id: e7\nevent: event\ndata: ${JSON.stringify(eventJson({ id: "e7" }))}\n\n`);
      return;
    }
    if (request.url?.startsWith("/api/v1/events?"))
      return void response.end(JSON.stringify(pageJson([eventJson()])));
    return problem(404, "not-found");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

function client(path = "", given: string | undefined = token): ApiClient {
  return new ApiClient(new RemoteTransport(address + path, given, "0", new AbortController().signal));
}

describe("a server elsewhere", () => {
  test("answers commands as the store would, without opening one", async () => {
    const run = await runCanned(["events", "-o", "ndjson"], { settings: { server: address, token } });
    expect(run).toMatchObject({ code: 0, closed: 0, stdout: `${JSON.stringify(eventJson())}\n` });
  });

  test("its refusals keep their codes", async () => {
    await expect(client("", "wrong").sources()).rejects.toMatchObject({
      code: "not-signed-in",
      problem: "It is not-signed-in.",
    });
    await expect(client().event("e9")).rejects.toMatchObject({ code: "not-found" });
    const run = await runCanned(["sources"], { settings: { server: address, token: "wrong" } });
    expect(run.code).toBe(4);
  });

  test("a token never follows a redirect, and a stranger's page is no answer", async () => {
    await expect(client("/moved").sources()).rejects.toMatchObject({ code: "server-unavailable" });
    await expect(client("/page").sources()).rejects.toMatchObject({ code: "server-unavailable" });
  });

  test("nobody there is said plainly", async () => {
    const run = await runCanned(["sources"], { settings: { server: "http://127.0.0.1:1" } });
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/No answer from http:\/\/127\.0\.0\.1:1/);
  });

  test("live events come one by one", async () => {
    const ids: string[] = [];
    for await (const { event } of await client().live({}, new AbortController().signal)) ids.push(event!.id);
    expect(ids).toEqual(["e7"]);
  });

  test("an explicit store wins over a configured server, and both together are a mistake", async () => {
    const settings = { server: address, token };
    const answers = { "/events": pageJson([]) };
    expect((await runCanned(["events", "--data", "/d"], { settings, answers })).closed).toBe(1);
    expect(
      (await runCanned(["events", "--data", "/d", "--server", address], { settings, answers })).code,
    ).toBe(2);
    expect((await runCanned(["events", "--as-domain", "d"], { settings, answers })).code).toBe(2);
  });
});
