import { readdir, readFile } from "node:fs/promises";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorTable, IsochronError } from "../../errors.ts";
import { noErasureCounts } from "../../model/retention.ts";
import type { Store } from "../../store/store.ts";
import { openedIncidentSchema } from "./incident-contract.ts";
import type { Notifications } from "./notification-parts.ts";
import type { Erasures } from "./retention-parts.ts";
import type { EventsPageJson } from "./contract.ts";
import { bearer, get, getJson, problemIn, startApi } from "../../../test/api-host.ts";
import { fillWorld } from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";

let database: TestStore;
let store: Store;
let app: FastifyInstance;

beforeAll(async () => {
  database = await openTestStore();
  store = database.store;
  await fillWorld(store);
  app = await startApi(store);
});

afterAll(async () => {
  await app.close();
  await database.close();
});

describe("each code that the API can give", () => {
  const post = (path: string, payload: string, type: string) => ({
    method: "POST" as const,
    url: `/api/v1${path}`,
    payload,
    headers: { "content-type": type, "x-isochron-csrf": "1", ...bearer("provider") },
  });

  const refusals: Record<string, () => Promise<Awaited<ReturnType<typeof get>>>> = {
    "query-invalid": () => get(app, "/events?limit=1e2&colour=red", "provider"),
    "cursor-invalid": () => get(app, "/events?cursor=abc.def", "provider"),
    "body-invalid": () => app.inject(post("/session", "{", "application/json")),
    "body-too-large": () =>
      app.inject(post("/session", JSON.stringify("x".repeat(5000)), "application/json")),
    "media-type-unknown": () => app.inject(post("/session", "a=b", "application/x-www-form-urlencoded")),
    "header-missing": () => app.inject({ method: "POST", url: "/api/v1/session", payload: { token: "x" } }),
    "method-not-allowed": () => app.inject({ method: "PUT", url: "/api/v1/events" }),
    "not-signed-in": () => app.inject({ method: "GET", url: "/api/v1/events" }),
    "not-found": () => get(app, "/events/none", "provider"),
    "rate-limited": async () => {
      const hasty = await startApi(store, { limits: { requestsPerMinute: 1 } });
      await get(hasty, "/events", "provider");
      return get(hasty, "/events", "provider");
    },
    "erasure-changed": async () => eraseOn({ project_id: "p" }),
    "tenant-unknown": async () => eraseOn({ customer_id: "none" }),
    "incident-invalid": publishUnreviewed,
    "notification-invalid": tellByPassword,
    "store-unavailable": async () => {
      const timeline = async (): Promise<never> => {
        throw new IsochronError("store-unavailable", "The database does not answer.", "Start it.");
      };
      return get(await startApi({ ...store, reader: { ...store.reader, timeline } }), "/events", "provider");
    },
  };

  /** What nobody may publish before it was reviewed. */
  async function publishUnreviewed() {
    const opening = { method: "POST", headers: bearer("provider") } as const;
    const opened = await app.inject({ ...opening, url: "/api/v1/incidents", payload: { title: "A fault" } });
    const { incident } = openedIncidentSchema.parse(opened.json());
    return app.inject({
      ...opening,
      url: `/api/v1/incidents/${incident.id}/entries`,
      payload: { expected_version: incident.version, changes: [{ kind: "state", state: "published" }] },
    });
  }

  /** A rule's address is shown by its origin, so that it may hold no password. */
  async function tellByPassword() {
    const notifications = { store: store.notifications } as unknown as Notifications;
    const notifying = await startApi(store, { notifications });
    return notifying.inject({
      method: "POST",
      url: "/api/v1/notification-rules",
      headers: bearer("provider"),
      payload: {
        name: "a rule",
        format: "webhook",
        url: "https://somebody:word@hooks.example.org/T1",
      },
    });
  }

  async function eraseOn(target: object) {
    const erasures = { count: async () => noErasureCounts } as unknown as Erasures;
    const url = "/api/v1/erasures";
    const payload = { target, why: "w", confirm: "c" };
    const erasing = await startApi(store, { erasures });
    return erasing.inject({ method: "POST", url, headers: bearer("provider"), payload });
  }

  test.each(Object.entries(refusals))("%s is given as a problem document", async (code, ask) => {
    const problem = problemIn(await ask());
    const row = errorTable[code as keyof typeof errorTable];
    expect(problem).toMatchObject({
      code,
      status: row.status,
      title: row.title,
      type: `/docs/errors#${code}`,
    });
    expect(problem.detail).toMatch(/\.$/);
    expect(problem.remedy).toMatch(/\.$/);
  });

  test("no code that this folder gives is left out", async () => {
    const folder = new URL(".", import.meta.url);
    const files = (await readdir(folder)).filter((name) => name.endsWith(".ts") && !name.includes("test"));
    const given = new Set(["store-unavailable"]);
    for (const file of files) {
      const text = await readFile(new URL(file, folder), "utf8");
      for (const [, code] of text.matchAll(/new IsochronError\(\s*"([a-z-]+)"/g)) given.add(code!);
    }
    expect(Object.keys(refusals).toSorted()).toEqual([...given].toSorted());
  });

  test("what is put off says when to try again, and what is not allowed says what is", async () => {
    expect((await refusals["rate-limited"]!()).headers["retry-after"]).toMatch(/^\d+$/);
    const again = Number((await refusals["store-unavailable"]!()).headers["retry-after"]);
    expect(again).toBeGreaterThanOrEqual(10);
    expect(again).toBeLessThanOrEqual(20);
    expect((await refusals["method-not-allowed"]!()).headers.allow).toBe("GET, HEAD");
    expect((await refusals["not-signed-in"]!()).headers["www-authenticate"]).toBe('Bearer realm="isochron"');
  });

  test("a bug tells the request's id and nothing else", async () => {
    const event = async (): Promise<never> => {
      throw new Error('syntax error at or near "SELECT" in /srv/isochron/reader.ts');
    };
    const answer = await get(
      await startApi({ ...store, reader: { ...store.reader, event } }),
      "/events/a",
      "provider",
    );
    expect(answer.statusCode).toBe(500);
    expect(problemIn(answer).code).toBe("internal");
    expect(problemIn(answer).detail).toContain(String(answer.headers["x-request-id"]));
    expect(answer.body).not.toMatch(/SELECT|reader|\.ts/);
  });
});

describe("the one 404", () => {
  test("forbidden and missing are the same to the byte, headers included", async () => {
    const page = await getJson<EventsPageJson>(
      app,
      "/events?project=p-south&attribution=owned&limit=1",
      "provider",
    );
    const foreign = page.events[0]!.id;
    const missing = foreign.replaceAll(/[0-9a-f]/g, "0");
    const askers = [
      [`/events/${foreign}`, `/events/${missing}`],
      [`/events/${foreign}/ownership`, `/events/${missing}/ownership`],
      [`/events/${foreign}/members`, `/events/${missing}/members`],
      [`/what-else?event=${foreign}`, `/what-else?event=${missing}`],
      ["/resources/server/srv-south-1", "/resources/server/srv-south-9"],
      ["/resources/host/canary-host-7", "/resources/host/none"],
    ] as const;
    for (const [forbidden, absent] of askers) {
      const [one, other] = [await get(app, forbidden, "prod"), await get(app, absent, "prod")];
      expect(one.statusCode).toBe(404);
      expect(one.body).toBe(other.body);
      expect(withoutIds(one.headers)).toEqual(withoutIds(other.headers));
    }
  });

  test("a path that no route can take is the same 404", async () => {
    const known = await get(app, "/events/none", "prod");
    for (const path of ["/events/%00", "/events/a%20b", `/resources/server/${"x".repeat(700)}`, "/nothing"]) {
      expect((await get(app, path, "prod")).body).toBe(known.body);
    }
  });
});

describe("every answer", () => {
  test("carries the headers that keep it to itself, and no name of a server", async () => {
    for (const path of ["/events", "/events/none", "/health", "/openapi.json"]) {
      const { headers } = await get(app, path, "provider");
      expect(headers).toMatchObject({
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
      });
      expect(Object.keys(headers)).not.toContain("server");
      expect(Object.keys(headers).filter((name) => name.startsWith("x-ratelimit"))).toEqual([]);
    }
  });

  test("has a request id of our own making", async () => {
    const { headers } = await get(app, "/health", "provider", {
      "x-request-id": "mine",
      "request-id": "mine",
    });
    expect(headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe("pages", () => {
  test("the reference page loads from this server alone and runs no script but its own", async () => {
    const page = await app.inject({ method: "GET", url: "/api/v1/reference/" });
    expect(page.statusCode).toBe(200);
    expect(page.body).not.toMatch(/https?:\/\//);
    const policy = String(page.headers["content-security-policy"]);
    expect(policy).toMatch(/script-src 'self' 'sha256-[^']+';/);
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
    const script = await app.inject({ method: "GET", url: "/api/v1/reference/js/scalar.js" });
    expect(script.statusCode).toBe(200);
  });

  test("each code has an anchor on the page that problems point to", async () => {
    const page = await app.inject({ method: "GET", url: "/docs/errors" });
    for (const code of Object.keys(errorTable)) expect(page.body).toContain(`<tr id="${code}">`);
    expect(page.headers["content-security-policy"]).toContain("default-src 'self'");
  });

  test("a host that is none does not break the reference page", async () => {
    const answer = await app.inject({ method: "GET", url: "/api/v1/reference", headers: { host: "a b" } });
    expect(problemIn(answer).code).toBe("query-invalid");
  });
});

test("bytes that are no HTTP are answered 400 and nothing more", async () => {
  const own = await startApi(store);
  await own.listen({ host: "127.0.0.1", port: 0 });
  const { port } = own.server.address() as AddressInfo;
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("\x16\x03\x01 hello\r\n\r\n"));
    let text = "";
    socket.setEncoding("latin1").on("data", (chunk) => (text += String(chunk)));
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
  });
  expect(answer).toBe("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  await own.close();
});

function withoutIds(headers: object): object {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name !== "date" && name !== "x-request-id"),
  );
}
