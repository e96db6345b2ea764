import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { get, getJson, pageRequest, problemIn, startApi } from "../../../test/api-host.ts";
import {
  appendEvents,
  canaries,
  controlPlane,
  fillWorld,
  hashOf,
  ownedEvent,
  tokenText,
  worldEnd,
} from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import type { Customer } from "../../model/customer.ts";
import type { EntityRef } from "../../model/entity.ts";
import { instant } from "../../model/instant.ts";
import type { StatedFact } from "../../store/event-store.ts";
import type { EventsPageJson, HistogramJson, SessionJson } from "./contract.ts";
import type { TenantsJson, TenantTreeJson } from "./tenancy-contract.ts";

/** The southern contract holds one project of the northern domain besides its own. */
const customers: readonly Customer[] = [
  { id: "northern", name: "Northern Lights", members: [{ controlPlane, domainId: "d-north" }] },
  {
    id: "southern",
    name: "Southern Cross",
    members: [
      { controlPlane, projectId: "p-south" },
      { controlPlane, projectId: "p-dev" },
    ],
  },
];
const tokens = { northern: "northern", southern: "southern", nobody: "gone-by-now" };

let database: TestStore;
let app: FastifyInstance;

beforeAll(async () => {
  database = await openTestStore();
  await fillWorld(database.store);
  for (const [name, customerId] of Object.entries(tokens)) {
    const hash = hashOf(tokenText(`customer ${name}`));
    await database.store.tokens.create({ name, hash, scope: { kind: "customer", customerId } });
  }
  app = await startApi(database.store, { tenantSettings: { customers } });
});

afterAll(async () => {
  await app.close();
  await database.close();
});

const events = async (as: string, query = "limit=2000", api = app) =>
  (await getJson<EventsPageJson>(api, `/events?${query}`, as)).events;
const projectsIn = async (as: string, query?: string) =>
  [...new Set((await events(as, query)).map(({ attribution }) => attribution.project_id))].toSorted();
const treeOf = (as: string, api = app) => getJson<TenantTreeJson>(api, "/tenants/tree", as);

describe("a customer's token", () => {
  test("reads the customer's domains and projects, but no project that another customer has by name", async () => {
    expect(await projectsIn("customer northern")).toEqual(["p-prod"]);
    expect(await projectsIn("customer southern")).toEqual(["p-dev", "p-south"]);
    expect((await getJson<SessionJson>(app, "/session", "customer southern")).label).toBe(
      "customer Southern Cross",
    );
  });

  test("sees a project that joins the domain later", async () => {
    const late = { controlPlane, domainId: "d-north", projectId: "p-late" };
    const ref = (kind: string, id: string): EntityRef => ({ kind, id });
    const joined: StatedFact = {
      from: ref("project", "p-late"),
      relation: "part_of",
      to: ref("domain", "d-north"),
      at: worldEnd,
      holds: true,
      sourceId: "joined",
    };
    const event = ownedEvent(late, ref("server", "srv-late"), "e-late", instant(worldEnd - 60_000));
    await appendEvents(database.store, [event], { facts: [joined] });
    const fresh = await startApi(database.store, { tenantSettings: { customers } });
    try {
      expect(
        (await events("customer northern", "limit=2000", fresh)).map(({ subject }) => subject.id),
      ).toContain("srv-late");
      const { tenants } = await getJson<TenantsJson>(fresh, "/tenants", "customer northern");
      expect(tenants.map(({ project_id }) => project_id)).toContain("p-late");
    } finally {
      await fresh.close();
    }
  });

  test("is good for nothing once the customer is configured no more", async () => {
    expect(await events("customer nobody")).toEqual([]);
    expect(await getJson(app, "/tenants", "customer nobody")).toEqual({ tenants: [] });
    expect(await treeOf("customer nobody")).toEqual({ control_planes: [], customers: [] });
    const without = await startApi(database.store);
    try {
      expect(await events("customer northern", "limit=2000", without)).toEqual([]);
      const [one] = await events("provider", "limit=1", without);
      expect((await get(without, `/events/${one!.id}`, "customer northern")).statusCode).toBe(404);
    } finally {
      await without.close();
    }
  });
});

describe("the tenants' tree", () => {
  test("shows the provider all, with whose each tenant is and what each customer consists of", async () => {
    const tree = await treeOf("provider");
    const [plane, ...others] = tree.control_planes;
    expect(others).toEqual([]);
    expect(plane!.regions.map(({ region_id }) => region_id)).toEqual([null]);
    const [north, south] = plane!.regions[0]!.domains;
    expect(north).toMatchObject({ domain_name: "northwind", whole: true, customer_id: "northern" });
    const customerOf = new Map(north!.projects.map((project) => [project.project_id, project.customer_id]));
    expect(customerOf.get("p-prod")).toBe("northern");
    expect(customerOf.get("p-dev")).toBe("southern");
    expect(south!.customer_id).toBeUndefined();
    expect(south!.projects[0]).toMatchObject({ project_name: "payroll", customer_name: "Southern Cross" });
    expect(tree.customers.map(({ customer_id }) => customer_id)).toEqual(["northern", "southern"]);
    expect(tree.customers[1]!.tenants.map(({ project_id }) => project_id)).toEqual(["p-south", "p-dev"]);
  });

  test("shows a tenant its own branch, and its customer where all that it sees is that customer's", async () => {
    const prod = await treeOf("prod");
    expect(prod.control_planes[0]!.regions[0]!.domains).toEqual([
      {
        domain_id: "d-north",
        domain_name: "northwind",
        whole: false,
        projects: [
          {
            project_id: "p-prod",
            project_name: "prod",
            customer_id: "northern",
            customer_name: "Northern Lights",
          },
        ],
      },
    ]);
    expect(prod.customers.map(({ tenants }) => tenants.map(({ project_id }) => project_id))).toEqual([
      ["p-prod"],
    ]);
    // Half of what the domain's reader sees is another contract's.
    const north = await treeOf("north");
    expect(JSON.stringify(north)).not.toMatch(/customer_id|Lights|Cross|payroll/);
    expect(north.customers).toEqual([]);
  });

  test("has regions where the topology or the settings name one", async () => {
    const fact: StatedFact = {
      from: { kind: "domain", id: "d-south" },
      relation: "part_of",
      to: { kind: "region", id: "south-1" },
      at: worldEnd,
      holds: true,
      sourceId: "region",
    };
    await appendEvents(database.store, [], { facts: [fact] });
    const regions = new Map([[controlPlane, "main"]]);
    const named = await startApi(database.store, { tenantSettings: { regions } });
    try {
      const [plane] = (await treeOf("provider", named)).control_planes;
      const told = plane!.regions.map(({ region_id, domains }) => [
        region_id,
        domains.map((one) => one.domain_id),
      ]);
      expect(told).toEqual([
        ["main", ["d-north"]],
        ["south-1", ["d-south"]],
      ]);
    } finally {
      await named.close();
    }
  });
});

describe("the provider", () => {
  test("reads on each event whose customer's it is; a tenant does not", async () => {
    for (const event of await events("provider")) {
      const expected = {
        "p-prod": "northern",
        "p-dev": "southern",
        "p-south": "southern",
        "p-late": "northern",
      };
      const { project_id: project, customer_id: customer } = event.attribution;
      if (project !== null)
        expect([project, customer]).toEqual([project, expected[project as keyof typeof expected]]);
    }
    const shared = (await events("provider")).find(({ attribution }) => attribution.status === "shared");
    expect(shared!.attribution.affected.map(({ customer_name: name }) => name)).toEqual([
      "Northern Lights",
      "Southern Cross",
    ]);
    for (const as of ["north", "prod", "customer northern"]) {
      expect(JSON.stringify(await events(as))).not.toMatch(/customer_|Lights|Cross/);
    }
  });

  test("filters by a customer as the customer's own scope would", async () => {
    const owned = (status: string) => status === "owned";
    for (const id of ["northern", "southern"]) {
      const filtered = await events("provider", `limit=2000&customer=${id}`);
      const seen = await events(`customer ${id}`);
      const keys = (list: typeof seen) =>
        list.filter(({ attribution }) => owned(attribution.status)).map((event) => event.id);
      expect(keys(filtered)).toEqual(keys(seen));
      expect(filtered.filter(({ attribution }) => attribution.status === "shared")).toHaveLength(1);
      expect(
        filtered.some(({ attribution }) => ["ambiguous", "unresolved"].includes(attribution.status)),
      ).toBe(false);
      const { total } = await getJson<HistogramJson>(app, `/histogram?customer=${id}`, "provider");
      expect(total).toBe(filtered.length);
    }
  });

  test("is told which customers there are when it asks for another, and a tenant that there is no such filter", async () => {
    const unknown = problemIn(await get(app, "/events?customer=none", "provider"));
    expect(unknown).toMatchObject({ status: 400, code: "query-invalid" });
    expect(unknown.detail).toContain("northern, southern");
    const foreign = problemIn(await get(app, "/events?customer=northern", "north"));
    expect(foreign.detail).toBe("`customer` is not known here.");
    expect(problemIn(await get(app, "/events?customer=none", "north")).detail).toBe(foreign.detail);
  });

  test("looks through a customer's eyes, and sees what the customer sees", async () => {
    const opened = await app.inject(
      pageRequest("POST", "/session", undefined, { token: tokenText("provider") }),
    );
    expect(opened.json<SessionJson>().customers.map(({ customer_name: name }) => name)).toEqual([
      "Northern Lights",
      "Southern Cross",
    ]);
    const cookie = String(opened.headers["set-cookie"]).split(";", 1)[0]!;
    const looked = await app.inject(pageRequest("POST", "/session/as", cookie, { customer_id: "southern" }));
    expect(looked.json()).toMatchObject({ kind: "tenant", as_tenant: true, tenants: [], customers: [] });
    const eyes = String(looked.headers["set-cookie"]).split(";", 1)[0]!;
    const seen = await app.inject({
      method: "GET",
      url: "/api/v1/events?limit=2000",
      headers: { cookie: eyes },
    });
    expect(seen.json<EventsPageJson>().events).toEqual(await events("customer southern"));
    const nobody = await app.inject(pageRequest("POST", "/session/as", eyes, { customer_id: "none" }));
    expect(nobody.statusCode).toBe(404);
    const both = { customer_id: "southern", control_plane: controlPlane, project_id: "p-prod" };
    expect((await app.inject(pageRequest("POST", "/session/as", eyes, both))).statusCode).toBe(400);
  });
});

test("no answer to a customer holds another's word, another's tenants or the provider's", async () => {
  const page = await events("customer northern");
  const paths = ["/events?limit=3", "/histogram", "/tenants", "/tenants/tree", "/session"];
  for (const { id } of page.slice(0, 5)) paths.push(`/events/${id}`, `/events/${id}/ownership`);
  for (const path of paths) {
    const answer = await get(app, path, "customer northern");
    expect(answer.statusCode).toBe(200);
    for (const word of [
      ...canaries,
      "d-south",
      "p-south",
      "payroll",
      "p-dev",
      "southridge",
      "srv-south",
      "Cross",
    ]) {
      expect(answer.body).not.toContain(word);
    }
  }
});
