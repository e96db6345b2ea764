import type { FastifyInstance } from "fastify";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { z } from "zod";
import { instant } from "../../model/instant.ts";
import { clean } from "../../normalise/clean.ts";
import { findAlerts } from "../../pipeline/alerts.ts";
import { findBlast } from "../../pipeline/blast.ts";
import { openOperations } from "../../pipeline/operations.ts";
import { compareEvents } from "../../pipeline/compare.ts";
import { createNotices } from "../../pipeline/notices.ts";
import { buildTopologyView } from "../../resolve/topology-view.ts";
import type { Store } from "../../store/store.ts";
import * as alerts from "./alert-contract.ts";
import * as blast from "./blast-contract.ts";
import * as operations from "./operation-contract.ts";
import * as compare from "./compare-contract.ts";
import * as contract from "./contract.ts";
import * as incidents from "./incident-contract.ts";
import * as tenancy from "./tenancy-contract.ts";
import * as whatElse from "./what-else-contract.ts";
import * as tokens from "./token-contract.ts";
import * as quarantine from "./quarantine-contract.ts";
import type { DryRun, StandingRuling } from "./ruling-parts.ts";
import { bearer, get, getJson, pageRequest, startApi } from "../../../test/api-host.ts";
import { connection, fillWorld, prod, tokenText, worldEnd } from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";

/** Every operation of the document, so that none comes or goes unseen. */
const listed = [
  "DELETE /maintenance/{id}",
  "DELETE /notice-templates/{name}",
  "DELETE /session",
  "DELETE /session/as",
  "DELETE /session/break-glass",
  "DELETE /tokens/{id}",
  "GET /alerts",
  "GET /alerts/{id}",
  "GET /audit",
  "GET /audit/head",
  "GET /audit/{sequence}",
  "GET /blast",
  "GET /compare",
  "GET /events",
  "GET /events/{id}",
  "GET /events/{id}/editions",
  "GET /events/{id}/members",
  "GET /events/{id}/ownership",
  "GET /export",
  "GET /health",
  "GET /histogram",
  "GET /incidents",
  "GET /incidents/kpis",
  "GET /incidents/{id}",
  "GET /incidents/{id}/export",
  "GET /incidents/{id}/history",
  "GET /incidents/{id}/redaction",
  "GET /live",
  "GET /maintenance",
  "GET /notice-templates",
  "GET /notice-templates/{name}",
  "GET /operations",
  "GET /operations/{id}",
  "GET /quarantine",
  "GET /resources/{kind}/{id}",
  "GET /rulings",
  "GET /rulings/{id}",
  "GET /session",
  "GET /session/oidc/{name}",
  "GET /session/oidc/{name}/callback",
  "GET /session/providers",
  "GET /sources",
  "GET /tenants",
  "GET /tenants/tree",
  "GET /tokens",
  "GET /tuning",
  "GET /verdicts",
  "GET /what-else",
  "POST /alerts/splits",
  "POST /alerts/splits/{id}/undoing",
  "POST /incidents",
  "POST /incidents/import",
  "POST /incidents/{id}/entries",
  "POST /ingest/{connection}",
  "POST /maintenance",
  "POST /notice-templates/preview",
  "POST /quarantine/dry-run",
  "POST /rulings",
  "POST /rulings/{id}/versions",
  "POST /rulings/{id}/withdrawal",
  "POST /session",
  "POST /session/as",
  "POST /session/break-glass",
  "POST /session/keystone",
  "POST /tokens",
  "POST /verdicts",
  "PUT /notice-templates/{name}",
];

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

const standing: StandingRuling = {
  id: "rul_a",
  events: 3,
  atLeast: false,
  versions: [
    {
      id: "rul_a",
      version: 1,
      match: { controlPlane: "region-1", alias: { kind: "name", id: "web-1" }, from: worldEnd },
      answer: { kind: "tenant", owner: { kind: "project", id: "p-prod" } },
      by: "provider",
      why: "seen",
      decidedAt: worldEnd,
      withdrawn: false,
    },
  ],
};
const foreseen: DryRun = {
  digest: "d",
  truncated: false,
  matching: 3,
  leave: 2,
  stay: 1,
  stayBecause: [{ reason: "no-owner-known", events: 1 }],
  byTenant: [{ tenant: prod, events: 2, notShown: 0 }],
  notShown: 0,
  provider: 0,
  secondTenant: 0,
  contradicted: 0,
  examples: [],
};

let database: TestStore;
let store: Store;
let app: FastifyInstance;
let document: Document;

beforeAll(async () => {
  database = await openTestStore();
  store = database.store;
  await fillWorld(store);
  app = await startApi(store, {
    whatElse: async () => ({
      target: { at: worldEnd },
      window: { from: instant(worldEnd - 1), to: worldEnd },
      candidates: [],
      checked: { events: 0, nothingOn: [], truncated: false },
    }),
    alerts: (scope, query) =>
      findAlerts({ ...store, buildView: buildTopologyView, now: () => worldEnd }, scope, query),
    blast: (scope, query) => findBlast({ ...store, buildView: buildTopologyView }, scope, query),
    operations: openOperations({ ...store, now: () => worldEnd }),
    compare: (scope, query) => compareEvents(store.reader, scope, query),
    notices: createNotices(store, clean, () => worldEnd).desk,
    rulings: {
      list: async () => ({ rulings: [standing], truncated: false }),
      find: async () => standing,
      dryRun: async () => foreseen,
      make: async () => standing,
      revise: async () => standing,
      withdraw: async () => standing,
    },
    ingest: async () => ({
      records: 0,
      created: 0,
      folded: 0,
      repeated: 0,
      revised: 0,
      setAside: 0,
      factsOnly: 0,
    }),
  });
  document = await getJson<Document>(app, "/openapi.json", "provider");
});

afterAll(async () => {
  await app.close();
  await database.close();
});

describe("the OpenAPI document", () => {
  test("is valid OpenAPI 3.1", async () => {
    const { validate } = await import("@scalar/openapi-parser");
    const result = await validate(structuredClone(document) as unknown as Record<string, unknown>);
    expect(result.errors).toEqual([]);
    expect(document.openapi).toMatch(/^3\.1\./);
  });

  test("refers to no component that it does not hold", () => {
    const refs = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(
      ([, name]) => name!,
    );
    expect(refs.length).toBeGreaterThan(20);
    for (const name of refs) expect(Object.keys(document.components.schemas)).toContain(name);
  });

  test("lists every address, and each refuses as a problem document", () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => {
        expect(Object.keys(operation.responses["default"]?.content ?? {})).toEqual([
          "application/problem+json",
        ]);
        return `${method.toUpperCase()} ${path.replace(contract.apiPrefix, "")}`;
      }),
    );
    expect(operations.toSorted()).toEqual(listed);
  });
});

describe("each documented operation answers as documented", () => {
  const answers: Record<string, [z.ZodType, () => string | Promise<string>]> = {
    events: [contract.eventsPageSchema, () => "/events"],
    event: [contract.eventSchema, async () => `/events/${await anyId()}`],
    members: [contract.membersPageSchema, async () => `/events/${await anyId()}/members`],
    ownership: [contract.ownershipSchema, async () => `/events/${await anyId()}/ownership`],
    "what-else": [whatElse.whatElseSchema, () => "/what-else?at=2026-11-20T12:00:00Z"],
    operations: [operations.operationsSchema, () => "/operations?to=2026-11-21T00:00:00Z"],
    blast: [blast.blastSchema, () => "/blast?at=2026-11-20T11:05:00Z&resource=server/srv-web-1"],
    compare: [
      compare.compareSchema,
      () => "/compare?from=2026-11-20T10:10:00Z&to=2026-11-20T10:40:00Z&baseline=rest&kind=change&rate=.5",
    ],
    alerts: [alerts.alertsSchema, () => "/alerts?from=2026-11-20T10:00:00Z&to=2026-11-20T12:00:00Z"],
    incidents: [incidents.incidentsSchema, () => "/incidents"],
    histogram: [contract.histogramSchema, () => "/histogram"],
    resource: [contract.resourceSchema, () => "/resources/server/srv-web-1"],
    sources: [contract.sourcesSchema, () => "/sources"],
    quarantine: [quarantine.quarantineSchema, () => "/quarantine"],
    tenants: [tenancy.tenantsSchema, () => "/tenants"],
    tree: [tenancy.tenantTreeSchema, () => "/tenants/tree"],
    session: [contract.sessionSchema, () => "/session"],
    health: [contract.healthSchema, () => "/health"],
  };
  const anyId = async () =>
    (await getJson<contract.EventsPageJson>(app, "/events?limit=1", "prod")).events[0]!.id;

  test.each(Object.entries(answers))("GET %s", async (name, [schema, path]) => {
    const isForProvider = ["sources", "quarantine"].includes(name);
    for (const as of isForProvider ? ["provider"] : ["provider", "north", "prod"]) {
      const asked = await path();
      const answer = await get(app, asked, as);
      // A tenant's edition of a shared cause has an id that only the tenant knows.
      if (as === "provider" && !isForProvider && answer.statusCode === 404) continue;
      expect(answer.statusCode).toBe(200);
      const parsed = schema.safeParse(answer.json());
      expect(parsed.error?.issues ?? []).toEqual([]);
      // Nothing is answered that the schema does not name.
      expect(parsed.data).toEqual(answer.json());
    }
  });

  test("what operators rule", async () => {
    const post = async (path: string, payload: object) =>
      app.inject({ method: "POST", url: `/api/v1${path}`, payload, headers: bearer("provider") });
    const match = { control_plane: "region-1", type: "alert.*" };
    const order = { match, answer: { kind: "tenant", project_id: "p-prod" }, why: "seen", digest: "d" };
    const told = await post("/quarantine/dry-run", { match, answer: { kind: "provider" } });
    expect(quarantine.dryRunSchema.parse(told.json())).toEqual(told.json());
    expect(told.json()).toMatchObject({
      summary: "2 leave: 2 → northwind/prod; 1 stay; 0 become visible to a second tenant",
    });
    for (const answer of [
      await get(app, "/rulings/rul_a", "provider"),
      await post("/rulings", order),
      await post("/rulings/rul_a/versions", { ...order, expected_version: 1 }),
      await post("/rulings/rul_a/withdrawal", { why: "wrong", expected_version: 1 }),
    ]) {
      expect(quarantine.rulingSchema.parse(answer.json())).toEqual(answer.json());
    }
    const listed = await get(app, "/rulings", "provider");
    expect(quarantine.rulingsSchema.parse(listed.json())).toEqual(listed.json());
  });

  test("POST ingest, POST session, POST and DELETE session/as, DELETE session", async () => {
    const url = `/api/v1/ingest/${encodeURIComponent(connection)}`;
    const posted = await app.inject({ method: "POST", url, payload: "{}", headers: bearer("ingest") });
    expect(contract.ingestedSchema.parse(posted.json())).toEqual(posted.json());
    const opened = await app.inject(
      pageRequest("POST", "/session", undefined, { token: tokenText("provider") }),
    );
    expect(contract.sessionSchema.parse(opened.json())).toEqual(opened.json());
    const cookie = String(opened.headers["set-cookie"]).split(";", 1)[0]!;
    const asked = { control_plane: "region-1", project_id: "p-prod" };
    const looked = await app.inject(pageRequest("POST", "/session/as", cookie, asked));
    expect(contract.sessionSchema.parse(looked.json())).toEqual(looked.json());
    const eyes = String(looked.headers["set-cookie"]).split(";", 1)[0]!;
    const back = await app.inject(pageRequest("DELETE", "/session/as", eyes));
    expect(contract.sessionSchema.parse(back.json())).toEqual(back.json());
    const own = String(back.headers["set-cookie"]).split(";", 1)[0]!;
    expect((await app.inject(pageRequest("DELETE", "/session", own))).statusCode).toBe(204);
  });

  test("GET, POST and DELETE tokens", async () => {
    const made = await app.inject({
      method: "POST",
      url: "/api/v1/tokens",
      payload: { name: "portal", scope: "project", control_plane: "region-1", project_id: "p-prod" },
      headers: bearer("provider"),
    });
    expect(made.statusCode).toBe(201);
    const token = tokens.newTokenSchema.parse(made.json());
    expect(token).toEqual(made.json());
    const listed = await get(app, "/tokens", "provider");
    expect(tokens.tokensSchema.parse(listed.json())).toEqual(listed.json());
    const url = `/api/v1/tokens/${token.id}`;
    const ended = await app.inject({ method: "DELETE", url, headers: bearer("provider") });
    expect(ended.statusCode).toBe(204);
  });
});

describe("whatever is asked", () => {
  const naughty = fc.constantFrom(
    ..."' \" ; -- \\ %00 %ff %C0%80 %ED%A0%80 %F0%9F%92%A9 ${1} {{1}} ../ .. * _ null NaN -0 1e400 now infinity".split(
      " ",
    ),
    "2026-11-20T12:00:00Z",
    "2026-11-20T12:00:00%2B02:00",
    "server/srv-web-1",
    "__proto__",
    "a".repeat(3000),
  );
  const value = fc.oneof(
    naughty,
    fc.string({ unit: "binary", maxLength: 30 }).map(escape),
    fc.nat().map(String),
  );
  const paths = () =>
    Object.entries(document.paths).filter(([path, methods]) => methods["get"] && !path.endsWith("/live"));
  const pair = (names: readonly string[]) =>
    fc.tuple(
      fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...names, "limit") }, { weight: 1, arbitrary: value }),
      value,
    );

  test("no query and no path makes an answer of 5xx", async () => {
    for (const [path, methods] of paths()) {
      const names = (methods["get"]?.parameters ?? [])
        .filter((one) => one.in === "query")
        .map((one) => one.name);
      const holes = path.split(/(\{[a-z]+\})/);
      const filled = fc.tuple(...holes.map((part) => (part.startsWith("{") ? value : fc.constant(part))));
      await fc.assert(
        fc.asyncProperty(filled, fc.array(pair(names), { maxLength: 4 }), async (parts, query) => {
          const url = `${parts.join("")}?${query.map(([name, text]) => `${name}=${text}`).join("&")}`;
          for (const as of ["provider", "prod"]) {
            const answer = await app.inject({ method: "GET", url, headers: bearer(as) });
            expect({ url, body: answer.body, failed: answer.statusCode >= 500 }).toMatchObject({
              failed: false,
            });
            if (answer.statusCode >= 400) contract.problemSchema.parse(answer.json());
          }
        }),
        { numRuns: 60 },
      );
    }
  }, 180_000);

  /** Percent-encodes what an HTTP client would have to, and leaves the rest of the mischief alone. */
  function escape(text: string): string {
    return encodeURIComponent(text.toWellFormed());
  }
});
