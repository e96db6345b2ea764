import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Store } from "../../store/store.ts";
import { getJson, get, startApi } from "../../../test/api-host.ts";
import type { EventsPageJson } from "./contract.ts";
import { canaries, fillWorld } from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";

/** Names that stand in no answer to a tenant, however deep. */
const providerNames = new Set([
  "connection",
  "source",
  "key",
  "source_ids",
  "actor",
  "visibility",
  "changes",
  "candidates",
  "rule",
  "says",
  "verdict",
]);
const southWords = ["d-south", "p-south", "payroll", "southridge", "srv-south"];

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

test("no answer to a tenant holds a provider's field, a provider's word or another tenant's", async () => {
  const page = await getJson<EventsPageJson>(app, "/events?limit=2000", "north");
  const paths = ["/events", "/events?limit=3", "/histogram", "/tenants", "/session"];
  paths.push("/resources/server/srv-web-1", "/resources/flavor/f-1", "/resources/volume/vol-1");
  for (const { id } of page.events)
    paths.push(`/events/${id}`, `/events/${id}/ownership`, `/events/${id}/members`);
  for (const path of paths) {
    const answer = await get(app, path, "north");
    expect(answer.statusCode).toBe(200);
    const text = JSON.stringify(answer.headers) + answer.body + decodeCursor(answer.body);
    for (const word of [...canaries, ...southWords]) expect(text).not.toContain(word);
    expect([...namesIn(answer.json())].filter((name) => providerNames.has(name))).toEqual([]);
  }
});

test("a search by another's words, ids and requests finds a tenant nothing", async () => {
  for (const query of [
    "q=canary",
    "q=srv-south-1",
    "resource=host/canary-host-7",
    "resource=server/srv-south-1",
    "project=p-south",
    "tenant=d-south",
  ]) {
    expect((await getJson<EventsPageJson>(app, `/events?${query}`, "north")).events).toEqual([]);
  }
});

function* namesIn(json: unknown): Generator<string> {
  if (Array.isArray(json)) for (const item of json) yield* namesIn(item);
  else if (typeof json === "object" && json !== null) {
    for (const [name, value] of Object.entries(json)) {
      yield name;
      yield* namesIn(value);
    }
  }
}

/** What a curious tenant reads in its cursor. */
function decodeCursor(body: string): string {
  const { next_cursor: cursor } = JSON.parse(body) as { next_cursor?: string | null };
  return cursor === undefined || cursor === null
    ? ""
    : Buffer.from(cursor.split(".", 1)[0]!, "base64url").toString();
}
