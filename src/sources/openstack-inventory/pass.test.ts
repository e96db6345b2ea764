import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import type { HttpClient, Page, SourceIo } from "../source.ts";
import type { InventoryCursor } from "./inventory-cursor.ts";
import { inventoryCursor } from "./inventory-cursor.ts";
import { fetchInventory, startInventoryAt } from "./pass.ts";

/** What the peer answers to a GET: a body, or a status with one. */
type Handler = (url: URL, request: IncomingMessage) => Json | { readonly status: number };

interface Cloud {
  readonly config: JsonObject;
  readonly io: (at: string) => SourceIo;
  readonly requests: string[];
  readonly headers: IncomingMessage["headers"][];
  readonly warnings: JsonObject[];
  signIns: number;
}

let server: Server | undefined;
afterEach(() => server?.close());

/** A cloud on the loopback: Keystone's sign-in, a catalog of every service, and the given answers by path. */
async function startCloud(paths: Readonly<Record<string, Handler>>): Promise<Cloud> {
  const cloud: { -readonly [Key in keyof Cloud]: Cloud[Key] } = {
    config: {},
    io: makeIo,
    requests: [],
    headers: [],
    warnings: [],
    signIns: 0,
  };
  server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", base);
    if (request.method === "POST") {
      cloud.signIns += 1;
      response.writeHead(201, { "X-Subject-Token": `token-${cloud.signIns}` });
      response.end(JSON.stringify({ token: { catalog: catalogOf(base) } }));
      return;
    }
    cloud.requests.push(url.pathname + url.search);
    cloud.headers.push(request.headers);
    const answer = paths[url.pathname]?.(url, request) ?? { status: 404 };
    const status = (answer as { status?: unknown }).status;
    response.writeHead(typeof status === "number" ? status : 200);
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  cloud.config = {
    auth: {
      auth_url: `${base}/identity`,
      username: "reader",
      password: "env:PASSWORD",
      project_name: "admin",
    },
    region: "one",
    page_size: 2,
    overlap_seconds: 60,
  };
  function makeIo(at: string): SourceIo {
    return {
      http: throughFetch,
      sql: () => expect.unreachable("it reads no database"),
      now: () => instant(Date.parse(at)),
      signal: new AbortController().signal,
      warn: (message, fields) => void cloud.warnings.push({ message, ...fields }),
      secret: (reference) => (reference === "env:PASSWORD" ? "open sesame" : ""),
      readText: () => Promise.resolve(undefined),
    };
  }
  return cloud;
}

function catalogOf(base: string): JsonObject[] {
  const paths = {
    compute: "/compute/v2.1",
    volumev3: "/volume/v3/p1",
    network: "/network",
    image: "/image",
    identity: "/identity/v3",
  };
  return Object.entries(paths).map(([type, path]) => ({
    type,
    endpoints: [
      { interface: "public", region_id: "two", url: "http://127.0.0.1:1/elsewhere" },
      { interface: "public", region_id: "one", url: base + path },
    ],
  }));
}

const throughFetch: HttpClient = async ({ method, url, headers, body }) => {
  const answer = await fetch(url, {
    method,
    ...(headers && { headers }),
    ...(body !== undefined && { body }),
  });
  return {
    status: answer.status,
    headers: Object.fromEntries(answer.headers),
    body: new Uint8Array(await answer.arrayBuffer()),
  };
};

async function passOver(cloud: Cloud, at: string, from?: InventoryCursor, more: JsonObject = {}) {
  const pages: Page<InventoryCursor>[] = [];
  for (let count = 0; count < 100; count++) {
    const cursor = pages.at(-1)?.cursor ?? from;
    pages.push(await fetchInventory({ ...cloud.config, ...more }, cursor, cloud.io(at)));
    if (pages.at(-1)!.done) break;
  }
  const last = pages.at(-1)!;
  const items = pages
    .flatMap(({ records }) => records)
    .map(
      (record) =>
        JSON.parse(Buffer.from(record.bytes).toString()) as { listing: string; item: { id: string } },
    );
  return {
    cursor: last.cursor,
    completeTo: last.completeTo,
    items,
    idsOf: (listing: string) => items.filter((one) => one.listing === listing).map(({ item }) => item.id),
  };
}

/** Pages of a listing by marker, as Nova, Cinder and Neutron link them. */
function paged(
  key: string,
  ids: readonly string[],
  made: (id: string) => JsonObject = (id) => ({ id }),
): Handler {
  return (url) => {
    const limit = Number(url.searchParams.get("limit"));
    const start = ids.indexOf(url.searchParams.get("marker") ?? "") + 1;
    const part = ids.slice(start, start + limit);
    const more = start + limit < ids.length;
    // Behind a proxy a service often links to itself under an address that nobody can reach.
    const href = `http://internal.invalid${url.pathname}?limit=${limit}&marker=${part.at(-1)}`;
    return { [key]: part.map(made), ...(more ? { [`${key}_links`]: [{ rel: "next", href }] } : {}) };
  };
}

const noServices = { "/compute/v2.1/os-services": () => ({ services: [] }) };

test("paging by marker sees each item once, under the catalog's own address", async () => {
  const ids = ["a", "b", "c", "d", "e"];
  const cloud = await startCloud({
    "/network/v2.0/ports": paged("ports", ids),
    "/image/v2/images": (url) => {
      const start = ids.indexOf(url.searchParams.get("marker") ?? "") + 1;
      const next = start + 2 < ids.length ? { next: `/v2/images?limit=2&marker=${ids[start + 1]}` } : {};
      return { images: ids.slice(start, start + 2).map((id) => ({ id })), ...next };
    },
  });
  const { idsOf } = await passOver(cloud, "2026-11-21T01:00:00Z");
  expect(idsOf("ports")).toEqual(ids);
  expect(idsOf("images")).toEqual(ids);
});

test("a listing that names a page as its own successor is given up, not read for ever", async () => {
  const cloud = await startCloud({
    ...noServices,
    "/network/v2.0/ports": () => ({ ports: [{ id: "a" }], ports_links: [{ rel: "next", href: "?limit=2" }] }),
  });
  const { cursor, completeTo } = await passOver(cloud, "2026-11-21T01:00:00Z");
  expect(cursor.listings["ports"]).toBeUndefined();
  expect(completeTo).toBeUndefined();
});

test("a listing longer than pages_max is given up", async () => {
  const cloud = await startCloud({ ...noServices, "/network/v2.0/ports": paged("ports", [..."abcdefgh"]) });
  const { cursor } = await passOver(cloud, "2026-11-21T01:00:00Z", undefined, { pages_max: 3 });
  expect(cursor.listings["ports"]).toBeUndefined();
  expect(cloud.warnings.map(({ listing }) => listing)).toContain("ports");
});

test("the second pass asks for changes since the first began, less the overlap", async () => {
  const cloud = await startCloud({ "/compute/v2.1/servers/detail": () => ({ servers: [] }) });
  const first = await passOver(cloud, "2026-11-21T01:00:00Z");
  await passOver(cloud, "2026-11-21T01:05:00Z", first.cursor);
  const asked = cloud.requests.filter((path) => path.startsWith("/compute/v2.1/servers/detail"));
  expect(asked.map((path) => decodeURIComponent(path.split("?")[1]!))).toEqual([
    "all_tenants=1&limit=2",
    "all_tenants=1&deleted=true&limit=2&changes-since=2026-11-20T01:00:00Z",
    "all_tenants=1&limit=2&changes-since=2026-11-21T00:59:00Z",
  ]);
});

test("whole inventories are read again only as often as asked for, states in every pass", async () => {
  const cloud = await startCloud({
    ...noServices,
    "/network/v2.0/ports": () => ({ ports: [] }),
  });
  const first = await passOver(cloud, "2026-11-21T01:00:00Z");
  const second = await passOver(cloud, "2026-11-21T01:04:00Z", first.cursor);
  await passOver(cloud, "2026-11-21T01:05:00Z", second.cursor);
  const count = (end: string) => cloud.requests.filter((path) => path.includes(end)).length;
  expect([count("/os-services"), count("/ports")]).toEqual([6, 2]);
});

test("a listing that fails part-way keeps its place, and the others go on", async () => {
  let broken = false;
  const servers = paged("servers", ["a", "b", "c"]);
  const cloud = await startCloud({
    ...noServices,
    "/compute/v2.1/servers/detail": (url, request) =>
      broken && url.searchParams.has("marker") ? { status: 500 } : servers(url, request),
    "/compute/v2.1/os-migrations": () => ({ migrations: [] }),
    "/network/v2.0/ports": () => ({ ports: [{ id: "p" }] }),
  });
  const first = await passOver(cloud, "2026-11-21T01:00:00Z");
  broken = true;
  const second = await passOver(cloud, "2026-11-21T01:10:00Z", first.cursor);
  expect(second.cursor.listings["servers"]).toEqual(first.cursor.listings["servers"]);
  expect(second.cursor.listings["migrations"]!.since).toBeGreaterThan(
    first.cursor.listings["migrations"]!.since,
  );
  expect(second.idsOf("ports")).toEqual(["p"]);
  expect(second.completeTo).toBeUndefined();
  broken = false;
  const third = await passOver(cloud, "2026-11-21T01:20:00Z", second.cursor);
  expect(cloud.requests.filter((path) => path.includes("servers/detail")).at(-2)).toContain(
    "changes-since=2026-11-21T00%3A59%3A00Z",
  );
  expect(third.completeTo).toBe(Date.parse("2026-11-21T01:20:00Z"));
});

test("an expired token is renewed once, and the request repeated", async () => {
  const cloud = await startCloud({
    "/network/v2.0/ports": (_url, request) =>
      request.headers["x-auth-token"] === "token-1" ? { status: 401 } : { ports: [{ id: "p" }] },
  });
  const { idsOf } = await passOver(cloud, "2026-11-21T01:00:00Z", undefined, { services: ["network"] });
  expect(idsOf("ports")).toEqual(["p"]);
  expect(cloud.signIns).toBe(2);
});

test("a fresh token that is refused too ends the pass as denied", async () => {
  const cloud = await startCloud({ "/network/v2.0/agents": () => ({ status: 401 }) });
  const pass = passOver(cloud, "2026-11-21T01:00:00Z", undefined, { services: ["network"] });
  await expect(pass).rejects.toMatchObject({ code: "source-denied" });
  expect(cloud.signIns).toBe(2);
});

test("a service that is away is asked once in a pass, and a cloud that is away fails it", async () => {
  const cloud = await startCloud({ "/network/v2.0/agents": () => ({ status: 503 }) });
  const pass = passOver(cloud, "2026-11-21T01:00:00Z", undefined, { services: ["network"] });
  await expect(pass).rejects.toBeInstanceOf(IsochronError);
  await expect(pass).rejects.toMatchObject({ code: "source-unavailable" });
  expect(cloud.requests).toEqual(["/network/v2.0/agents"]);
});

test("an API that is absent or forbidden is left out with a warning and holds nothing up", async () => {
  const cloud = await startCloud({
    ...noServices,
    "/compute/v2.1/os-hypervisors/detail": () => ({ status: 403 }),
  });
  const { completeTo } = await passOver(cloud, "2026-11-21T01:00:00Z", undefined, { services: ["compute"] });
  expect(completeTo).toBe(Date.parse("2026-11-21T01:00:00Z"));
  expect(cloud.warnings).toContainEqual(
    expect.objectContaining({ listing: "hypervisors", reason: "the credentials' roles do not allow it" }),
  );
  expect(cloud.warnings).toContainEqual(
    expect.objectContaining({ listing: "servers", reason: "this API is absent" }),
  );
});

test("the pinned microversions are sent, or a lower one where the service knows no other", async () => {
  const cloud = await startCloud({
    ...noServices,
    "/compute/v2.1/": () => ({ version: { version: "2.79", min_version: "2.1" } }),
    "/volume/v3/": () => ({ versions: [{ version: "3.71", min_version: "3.0" }] }),
  });
  await passOver(cloud, "2026-11-21T01:00:00Z", undefined, { services: ["compute", "block-storage"] });
  const sent = new Map(
    cloud.requests.map((path, index) => [path, cloud.headers[index]!["openstack-api-version"]]),
  );
  expect(sent.get("/compute/v2.1/os-services")).toBe("compute 2.79");
  expect(sent.get("/volume/v3/p1/os-services")).toBe("volume 3.70");
  expect(cloud.warnings).toContainEqual(
    expect.objectContaining({ service: "compute", pinned: "2.90", used: "2.79" }),
  );
});

test("actions are read of changed servers only, each with its steps", async () => {
  const actions = "/compute/v2.1/servers/new/os-instance-actions";
  const summary = {
    action: "reboot",
    request_id: "req-1",
    start_time: "2026-11-21T00:59:00.000000",
    updated_at: "2026-11-21T00:59:30.000000",
  };
  const cloud = await startCloud({
    "/compute/v2.1/servers/detail": (url) => ({
      servers: url.searchParams.has("deleted")
        ? []
        : [
            { id: "new", name: "web", updated: "2026-11-21T00:59:30Z", "OS-EXT-SRV-ATTR:host": null },
            { id: "old", name: "db", updated: "2026-10-01T00:00:00Z" },
          ],
    }),
    [actions]: () => ({
      instanceActions: [
        summary,
        { ...summary, request_id: "req-0", updated_at: "2026-09-01T00:00:00.000000" },
      ],
    }),
    [`${actions}/req-1`]: () => ({
      instanceAction: { ...summary, events: [{ event: "compute_reboot_instance" }] },
    }),
  });
  const { items } = await passOver(cloud, "2026-11-21T01:00:00Z", undefined, { services: ["compute"] });
  expect(items.filter(({ listing }) => listing === "server-actions")).toEqual([
    expect.objectContaining({
      serverName: "web",
      unplaced: true,
      item: expect.objectContaining({
        request_id: "req-1",
        instance_uuid: "new",
        events: [{ event: "compute_reboot_instance" }],
      }),
    }),
  ]);
  expect(cloud.requests.filter((path) => path.includes("/servers/old/"))).toEqual([]);
});

test("a transfer is gone once two listings in a row lack it, at the last one that had it", async () => {
  let present = true;
  const cloud = await startCloud({
    "/volume/v3/p1/volume-transfers/detail": () => ({
      transfers: present ? [{ id: "t1", volume_id: "v1" }] : [],
    }),
  });
  const told: unknown[][] = [];
  let cursor: InventoryCursor | undefined;
  for (const [minute, there] of [true, false, true, false, false, false].entries()) {
    present = there;
    const at = `2026-11-21T01:${minute}0:00Z`;
    const pass = await passOver(cloud, at, cursor, { services: ["block-storage"] });
    cursor = inventoryCursor.parse(JSON.parse(JSON.stringify(pass.cursor)));
    told.push(pass.items.filter((item) => "gone" in item));
  }
  expect(told.map((items) => items.length)).toEqual([0, 0, 0, 0, 1, 0]);
  expect(told[4]).toEqual([
    expect.objectContaining({
      listing: "transfers",
      previous: ["v1", null, null],
      previousSeenAt: Date.parse("2026-11-21T01:20:00Z"),
    }),
  ]);
});

test("read again from a moment on, only what changed since is asked for: servers, deletions, migrations", async () => {
  const cloud = await startCloud({
    ...noServices,
    "/compute/v2.1/servers/detail": () => ({ servers: [] }),
    "/compute/v2.1/os-migrations": () => ({ migrations: [{ id: 1, uuid: "m1" }] }),
  });
  const at = instant(Date.parse("2026-11-21T00:30:00Z"));
  const from = inventoryCursor.parse(startInventoryAt(cloud.config, at));
  const first = await passOver(cloud, "2026-11-21T01:00:00Z", from);
  const since = "changes-since=2026-11-21T00%3A30%3A00Z";
  expect(cloud.requests.filter((path) => path.includes("?"))).toEqual([
    `/compute/v2.1/servers/detail?all_tenants=1&limit=2&${since}`,
    `/compute/v2.1/servers/detail?all_tenants=1&deleted=true&limit=2&${since}`,
    `/compute/v2.1/os-migrations?limit=2&${since}`,
  ]);
  expect(first.idsOf("migrations")).toEqual([1]);
  cloud.requests.length = 0;
  await passOver(cloud, "2026-11-21T01:05:00Z", first.cursor);
  expect(cloud.requests.filter((path) => path.includes("?"))).toEqual([
    expect.stringContaining("changes-since=2026-11-21T00%3A59%3A00Z"),
    expect.stringMatching(/os-migrations.*changes-since=2026-11-21T00%3A59%3A00Z/),
  ]);
});
