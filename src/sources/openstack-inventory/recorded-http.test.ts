import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { HttpClient } from "../source.ts";
import { recordedMoments } from "./recorded-http.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "isochron-recorded-"));
});
afterEach(() => rm(dir, { recursive: true }));

interface Row {
  readonly url: string;
  readonly body: unknown;
  readonly status?: number;
  readonly version?: string;
}

async function record(name: string, sentAt: string, rows: readonly Row[]): Promise<void> {
  const folder = join(dir, name);
  await mkdir(folder, { recursive: true });
  await Promise.all(
    rows.map(({ body }, index) => writeFile(join(folder, `${index}.json`), JSON.stringify(body))),
  );
  const index = rows.map(({ url, status, version }, number) =>
    JSON.stringify({
      name: `row ${number}`,
      file: `${number}.json`,
      method: "GET",
      url: `http://127.0.0.1:8774${url}`,
      request_headers: version === undefined ? {} : { "OpenStack-API-Version": version },
      status: status ?? 200,
      response_headers: {},
      sent_at: sentAt,
      received_at: sentAt,
    }),
  );
  await writeFile(join(folder, "index.jsonl"), `${index.join("\n")}\n`);
}

async function get(http: HttpClient, path: string, version?: string) {
  const headers = version === undefined ? {} : { "openstack-api-version": version };
  const answer = await http({ method: "GET", url: `http://elsewhere.example${path}`, headers });
  return answer.status === 200 ? (JSON.parse(Buffer.from(answer.body).toString()) as unknown) : answer.status;
}

test("moments come in the order of time, whatever their folders are called", async () => {
  await record("z", "2026-11-21T01:00:00+00:00", [{ url: "/v2.1/os-services", body: {} }]);
  await record("a", "2026-11-21T02:00:00+00:00", [{ url: "/v2.1/os-services", body: {} }]);
  const moments = await recordedMoments(dir);
  expect(moments.map(({ name, at }) => [name, new Date(at).toISOString()])).toEqual([
    ["z", "2026-11-21T01:00:00.000Z"],
    ["a", "2026-11-21T02:00:00.000Z"],
  ]);
  expect(await recordedMoments(join(dir, "a"))).toHaveLength(1);
});

test("the whole that was recorded stands in for a part, but not for another listing or page", async () => {
  await record("one", "2026-11-21T01:00:00+00:00", [
    { url: "/v2.1/servers/detail?all_tenants=1", body: { servers: ["old"] }, version: "compute 2.1" },
    { url: "/v2.1/servers/detail?all_tenants=1", body: { servers: ["a"] }, version: "compute 2.90" },
    {
      url: "/v2.1/servers/detail?all_tenants=1&deleted=true",
      body: { servers: ["b"] },
      version: "compute 2.90",
    },
    { url: "/v2.0/agents", body: {}, status: 403 },
  ]);
  const [{ http } = { http: undefined as never }] = await recordedMoments(dir);
  const servers = "/v2.1/servers/detail?all_tenants=1";
  expect(await get(http, `${servers}&limit=100`, "compute 2.90")).toEqual({ servers: ["a"] });
  expect(await get(http, `${servers}&deleted=true&limit=100`, "compute 2.90")).toEqual({ servers: ["b"] });
  expect(await get(http, `${servers}&limit=100&marker=a`, "compute 2.90")).toBe(404);
  expect(await get(http, "/v2.1/servers/detail", "compute 2.90")).toBe(404);
  expect(await get(http, "/v2.0/agents")).toBe(403);
  expect(await get(http, "/v2.0/ports")).toBe(404);
  // Nova lists deleted servers among the changed ones.
  expect(await get(http, `${servers}&changes-since=2026-11-21T00:00:00Z`, "compute 2.90")).toEqual({
    servers: ["a", "b"],
  });
});

test("a sign-in is answered with a catalog of what was recorded", async () => {
  const project = "68d9fe172b53490088df918ab87a8bb6";
  await record("one", "2026-11-21T01:00:00+00:00", [
    { url: "/identity/v3/users", body: {} },
    { url: `/volume/v3/${project}/os-services`, body: {} },
    { url: "/v2/images?limit=1000", body: {} },
  ]);
  const [moment] = await recordedMoments(dir);
  const answer = await moment!.http({ method: "POST", url: "http://any.example/v3/auth/tokens", body: "{}" });
  expect(answer.headers["x-subject-token"]).toBe("recorded");
  const { token } = JSON.parse(Buffer.from(answer.body).toString()) as {
    token: { catalog: { type: string; endpoints: { url: string }[] }[] };
  };
  expect(token.catalog.map(({ type, endpoints }) => [type, new URL(endpoints[0]!.url).pathname])).toEqual([
    ["identity", "/identity/v3"],
    ["block-storage", `/volume/v3/${project}`],
    ["image", "/v2"],
  ]);
});

test("an answer says when its request left", async () => {
  await record("one", "2026-11-21T01:00:00.250+00:00", [{ url: "/v2.0/agents", body: { agents: [] } }]);
  const [moment] = await recordedMoments(dir);
  const answer = await moment!.http({ method: "GET", url: "http://any.example/v2.0/agents" });
  expect(answer.sentAt).toBe(Date.parse("2026-11-21T01:00:00.250Z"));
});

test("a folder without a recording, and a broken index, are refused with the place", async () => {
  await expect(recordedMoments(dir)).rejects.toMatchObject({ code: "file-unreadable" });
  await expect(recordedMoments(join(dir, "missing"))).rejects.toMatchObject({ code: "file-unreadable" });
  await writeFile(join(dir, "index.jsonl"), '\n{"name": "x"}\n');
  await expect(recordedMoments(dir)).rejects.toThrow(/line 1 is no recorded request/);
});
