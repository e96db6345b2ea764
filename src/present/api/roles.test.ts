import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { instant } from "../../model/instant.ts";
import { clean } from "../../normalise/clean.ts";
import { createNotices } from "../../pipeline/notices.ts";
import type { AuditRecord } from "../../store/audit-store.ts";
import type { Store } from "../../store/store.ts";
import type { TokenScope } from "../../store/token-store.ts";
import { bearer, get, getJson, pageRequest, problemIn, startApi } from "../../../test/api-host.ts";
import { cookieOf, makeToken, openSession } from "../../../test/api-sign-in.ts";
import {
  appendEvents,
  connection,
  controlPlane,
  fillWorld,
  ownedEvent,
  prod,
  south,
  southServer,
  web,
  worldEnd,
} from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import type { EventsPageJson } from "./contract.ts";

const project = { kind: "project", controlPlane } as const;
const holders: Record<string, TokenScope> = {
  operator: { kind: "provider", role: "operator" },
  auditor: { kind: "provider", role: "auditor" },
  admin: { kind: "provider", role: "admin" },
  "prod reader": { ...project, projectId: "p-prod", role: "reader" },
  "prod admin": { ...project, projectId: "p-prod", role: "admin" },
};

let database: TestStore;
let store: Store;
let app: FastifyInstance;
const written: AuditRecord[] = [];

beforeAll(async () => {
  database = await openTestStore();
  store = database.store;
  await fillWorld(store);
  for (const [name, scope] of Object.entries(holders)) await makeToken(store, name, scope);
  const secret = (tenant: typeof south, subject: typeof web, key: string) => {
    const event = ownedEvent(tenant, subject, key, instant(worldEnd - 1_000));
    const visibility = "security" as const;
    return {
      ...event,
      draft: { ...event.draft, visibility },
      editions: event.editions.map((edition) => ({ ...edition, visibility })),
    };
  };
  await appendEvents(store, [secret(prod, web, "s-prod"), secret(south, southServer, "s-south")]);
  app = await startApi(
    { ...store, audit: { ...store.audit, append: async (records) => void written.push(...records) } },
    {
      notices: createNotices(store, clean, () => worldEnd).desk,
      rulings: {
        list: async () => ({ rulings: [], truncated: false }),
        find: async () => undefined,
        dryRun: async () => Promise.reject(new Error("not asked here")),
        make: async () => Promise.reject(new Error("not asked here")),
        revise: async () => undefined,
        withdraw: async () => undefined,
      },
    },
  );
});

afterAll(async () => {
  await app.close();
  await database.close();
});

async function securityEvents(as: string): Promise<readonly string[]> {
  const { events } = await getJson<EventsPageJson>(app, "/events?limit=100", as);
  return events.map(({ summary }) => summary).filter((summary) => summary.startsWith("s-"));
}

describe("what is for administrators and auditors alone", () => {
  test("is seen by a tenant's administrator and by no reader", async () => {
    const count = async (as: string) => (await getJson<EventsPageJson>(app, "/events", as)).events.length;
    expect(await count("prod admin")).toBe((await count("prod reader")) + 1);
    expect(await count("prod reader")).toBe(await count("prod"));
  });

  test("is seen by the provider's auditor and administrator, and withheld from its operator", async () => {
    expect(await securityEvents("operator")).toEqual([]);
    expect(await securityEvents("auditor")).toHaveLength(2);
    expect(await securityEvents("admin")).toHaveLength(2);
    expect(await securityEvents("provider")).toHaveLength(2);
  });
});

test("through a tenant's eyes a provider sees what a reader sees, also one who may see more", async () => {
  const asked = { control_plane: controlPlane, project_id: "p-prod" };
  const cookie = await openSession(app, "admin");
  const looked = await app.inject(pageRequest("POST", "/session/as", cookie, asked));
  const headers = { cookie: cookieOf(looked) };
  const seen = await app.inject({ url: "/api/v1/events?limit=100", headers });
  expect(seen.body).toBe((await get(app, "/events?limit=100", "prod reader")).body);
});

/** What is asked, and who may: everybody else is given the one 404. */
const operations = [
  ["GET", "/metrics", ["operator", "auditor", "admin"]],
  ["GET", "/api/v1/sources", ["operator", "auditor", "admin"]],
  ["GET", "/api/v1/quarantine", ["operator", "auditor", "admin"]],
  ["GET", "/api/v1/notice-templates", ["operator", "auditor", "admin"]],
  ["GET", "/api/v1/notice-templates/default", ["operator", "auditor", "admin"]],
  ["POST", "/api/v1/notice-templates/preview", ["operator", "admin"]],
  ["PUT", "/api/v1/notice-templates/default", ["operator", "admin"]],
  ["DELETE", "/api/v1/notice-templates/default", ["operator", "admin"]],
  ["GET", "/api/v1/rulings", ["operator", "auditor", "admin"]],
  ["POST", "/api/v1/quarantine/dry-run", ["operator", "admin"]],
  ["POST", "/api/v1/rulings", ["operator", "admin"]],
  ["POST", "/api/v1/rulings/rul_a/versions", ["operator", "admin"]],
  ["POST", "/api/v1/rulings/rul_a/withdrawal", ["operator", "admin"]],
  ["GET", "/api/v1/tokens", ["admin", "prod admin"]],
  ["POST", "/api/v1/tokens", ["admin", "prod admin"]],
  ["POST", "/api/v1/session/break-glass", ["operator"]],
  ["DELETE", "/api/v1/session/break-glass", ["operator"]],
  ["POST", "/api/v1/session/as", ["operator", "auditor", "admin"]],
  ["DELETE", "/api/v1/session/as", ["operator", "auditor", "admin"]],
] as const satisfies readonly (readonly ["GET" | "POST" | "PUT" | "DELETE", string, readonly string[]])[];

describe("what each role may do", () => {
  test.each(operations)("%s %s: %s", async (method, url, who: readonly string[]) => {
    const missing = await get(app, "/no-such-thing", "admin");
    for (const as of Object.keys(holders)) {
      // The body is nonsense: whoever may not is told nothing of what is wrong with it.
      const payload = method === "POST" || method === "PUT" ? { payload: { nonsense: true } } : {};
      const answer = await app.inject({ method, url, headers: bearer(as), ...payload });
      const told = { as, body: answer.body, headers: lasting(answer.headers) };
      const the404 = { as, body: missing.body, headers: lasting(missing.headers) };
      if (who.includes(as)) expect(answer.statusCode).not.toBe(404);
      else expect(told).toEqual(the404);
    }
  });

  test("only an administrator and the connection's own token may post records", async () => {
    const taken: string[] = [];
    const receiving = await startApi(store, {
      ingest: async (name) => {
        taken.push(name);
        return undefined;
      },
    });
    const url = `/api/v1/ingest/${encodeURIComponent(connection)}`;
    for (const as of [...Object.keys(holders), "ingest", "any"]) {
      await receiving.inject({ method: "POST", url, payload: "{}", headers: bearer(as) });
      taken.push(as);
    }
    expect(taken.flatMap((one, index) => (one === connection ? [taken[index + 1]] : []))).toEqual([
      "admin",
      "ingest",
    ]);
    await receiving.close();
  });

  test("what is denied is written down: who, from where, and the address as it is documented", async () => {
    written.length = 0;
    await get(app, "/rulings/rul_a", "prod reader");
    await get(app, "/events", "prod reader");
    await get(app, "/events/none", "prod reader");
    const token = (await store.tokens.list()).find(({ name }) => name === "prod reader");
    expect(written).toEqual([
      {
        at: worldEnd,
        action: "denied",
        outcome: "refused",
        actor: { id: token?.id, name: "prod reader", address: "127.0.0.1" },
        object: "GET /api/v1/rulings/{id}",
      },
    ]);
  });
});

describe("a request that a foreign page had a browser send", () => {
  const from = (headers: Record<string, string>, cookie: string) => {
    const request = pageRequest("DELETE", "/session/as", cookie);
    return app.inject({ ...request, headers: { ...request.headers, host: "isochron.example", ...headers } });
  };

  test("is refused by its origin or by the browser's own word, even with the header", async () => {
    const cookie = await openSession(app, "admin");
    const foreign: readonly Record<string, string>[] = [
      { origin: "https://attacker.example" },
      { origin: "null" },
      { origin: "https://isochron.example.attacker.example" },
      { origin: "https://isochron.example", "sec-fetch-site": "cross-site" },
      { origin: "https://isochron.example", "sec-fetch-site": "same-site" },
      { "x-isochron-csrf": "0" },
    ];
    for (const headers of foreign) {
      expect(problemIn(await from(headers, cookie)).code).toBe("header-missing");
    }
    for (const headers of [{ origin: "https://isochron.example" }, { origin: "http://isochron.example" }]) {
      expect((await from(headers, await openSession(app, "admin"))).statusCode).toBe(200);
    }
    const behindProxy = { origin: "https://public.example", "sec-fetch-site": "same-origin" };
    expect((await from(behindProxy, cookie)).statusCode).toBe(200);
  });
});

/** Headers without those that differ from answer to answer. */
function lasting(headers: Record<string, unknown>) {
  const { date: _date, "x-request-id": _id, ...rest } = headers;
  return rest;
}
