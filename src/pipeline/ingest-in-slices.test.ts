import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../test/database.ts";
import { stagesOver } from "../../test/stages.ts";
import { decoders } from "../normalise/decode.ts";
import { instant } from "../model/instant.ts";
import { alertmanager } from "../sources/alertmanager.ts";
import type { RawRecord } from "../sources/source.ts";
import { ingestInSlices } from "./ingest-in-slices.ts";

const connection = { name: "am", source: "alertmanager", controlPlane: "default" };
const at = Date.UTC(2026, 10, 21, 3);

let db: TestStore;
beforeAll(async () => {
  db = await openTestStore();
  await db.store.events.connect({ ...connection, config: {} });
});
afterAll(() => db.close());

function alerts(from: number, count: number): readonly RawRecord[] {
  const list = Array.from({ length: count }, (_, index) => ({
    status: "firing",
    labels: { alertname: "DiskFull", number: String(from + index) },
    annotations: {},
    startsAt: new Date(at + (from + index) * 1000).toISOString(),
    fingerprint: `f-${from + index}`,
  }));
  const body = Buffer.from(JSON.stringify({ version: "4", alerts: list }));
  return alertmanager.split(
    { headers: {}, body, receivedAt: instant(at + 86_400_000), path: "" } as never,
    decoders,
  );
}

/** What was under way at most at a time, and how many records each page held. */
function watched() {
  const stages = stagesOver(db.store);
  const seen = { most: 0, pages: [] as number[] };
  let underWay = 0;
  const append: typeof stages.store.append = async (page) => {
    seen.pages.push(page.events.length);
    seen.most = Math.max(seen.most, (underWay += 1));
    return stages.store.append(page).finally(() => (underWay -= 1));
  };
  return { seen, stages: { ...stages, store: { ...stages.store, append } } };
}

const stream = "webhook";

test("a request of many records is stored as pages, and its counts are those of all of them", async () => {
  const { seen, stages } = watched();
  const records = alerts(0, 2300);
  const batch = { connection, source: alertmanager, stream, records };
  const last = at + 2299 * 1000;
  expect(await ingestInSlices(stages, batch)).toMatchObject({ records: 2300, created: 2300, latest: last });
  expect(seen.pages).toEqual([1000, 1000, 300]);
  expect(await ingestInSlices(stages, batch)).toMatchObject({ records: 2300, created: 0, repeated: 2300 });
});

test("of many requests of one connection two are worked on at a time", async () => {
  const { seen, stages } = watched();
  const requests = Array.from({ length: 8 }, (_, index) => alerts(10_000 + index * 5, 5));
  const stored = await Promise.all(
    requests.map((records) => ingestInSlices(stages, { connection, source: alertmanager, stream, records })),
  );
  expect(stored.map(({ created }) => created)).toEqual(requests.map(() => 5));
  expect(seen.most).toBe(2);
});
