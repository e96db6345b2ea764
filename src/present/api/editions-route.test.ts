import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { get, getJson, startApi } from "../../../test/api-host.ts";
import { canaries, fillWorld } from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { disclosureClasses, redactionDiff } from "../../normalise/redact-diff.ts";
import type { EventsPageJson } from "./contract.ts";
import { editionsSchema, type EditionsJson } from "./editions-contract.ts";

let database: TestStore;
let app: FastifyInstance;
beforeAll(async () => {
  database = await openTestStore();
  await fillWorld(database.store);
  app = await startApi(database.store, {
    redaction: { compare: redactionDiff, classes: disclosureClasses },
  });
});
afterAll(async () => {
  await app.close();
  await database.close();
});

async function idOf(query: string): Promise<string> {
  const page = await getJson<EventsPageJson>(app, `/events?limit=1&${query}`, "provider");
  return page.events[0]!.id;
}

test("the provider sees each tenant's edition of a shared event beside the event, field by field", async () => {
  const answer = await getJson<EditionsJson>(
    app,
    `/events/${await idOf("attribution=shared")}/editions`,
    "provider",
  );
  editionsSchema.strict().parse(answer);
  expect(answer.more).toBe(false);
  expect(answer.editions.map(({ tenant, edition }) => [tenant.project_id, edition.subject.id])).toEqual([
    ["p-prod", "srv-web-1"],
    ["p-south", "srv-south-1"],
  ]);
  const [{ fields, edition }] = answer.editions as [EditionsJson["editions"][number]];
  expect(fields).toContainEqual({
    field: "actor.userName",
    class: "actor",
    outcome: "withheld",
    value: "canary-operator",
  });
  expect(fields.find(({ field }) => field === "subject")).toMatchObject({
    class: "place",
    outcome: "replaced",
    value: "host/canary-host-7",
    shown: "server/srv-web-1",
  });
  for (const canary of canaries) expect(JSON.stringify(edition)).not.toContain(canary);
});

test("of an owner's event there is one edition, and of the provider's own none; a cut answer says that there is more", async () => {
  const owned = await getJson<EditionsJson>(
    app,
    `/events/${await idOf("attribution=owned")}/editions`,
    "provider",
  );
  expect(owned.editions).toHaveLength(1);
  const own = await getJson<EditionsJson>(
    app,
    `/events/${await idOf("attribution=provider")}/editions`,
    "provider",
  );
  expect(own).toMatchObject({ editions: [], more: false });
  const id = await idOf("attribution=shared");
  const cut = await getJson<EditionsJson>(app, `/events/${id}/editions?limit=1`, "provider");
  expect([cut.editions.length, cut.more]).toEqual([1, true]);
});

test("to a tenant the address is not there, whether or not the event is its own", async () => {
  const own = (await getJson<EventsPageJson>(app, "/events?limit=1", "prod")).events[0]!.id;
  const missing = await get(app, "/events/evt_missing/editions", "prod");
  expect(missing.statusCode).toBe(404);
  for (const id of [own, await idOf("attribution=shared")]) {
    const answer = await get(app, `/events/${id}/editions?limit=x`, "prod");
    expect([answer.statusCode, answer.body]).toEqual([404, missing.body]);
  }
});
