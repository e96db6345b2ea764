import { expect, test } from "vitest";
import { instant } from "../../src/model/instant.ts";
import { ingest } from "../../src/pipeline/ingest.ts";
import { findSource } from "../../src/sources/registry.ts";
import { openTestStore } from "../database.ts";
import { Counts } from "../isolation/report.ts";
import { stagesOver } from "../stages.ts";
import * as decoders from "./decoders.ts";
import * as operations from "./operations.ts";
import * as readBack from "./read-back.ts";

test.each(Object.entries({ decoders, operations, readBack }))(
  "%s stand a short fuzzing",
  async (_, part) => {
    const counts = new Counts();
    await part.run(counts, "small");
    expect(counts.all.filter(({ wrong }) => wrong > 0)).toEqual([]);
    expect(counts.tried).toBeGreaterThan(200);
  },
  240_000,
);

test("a half character beside a record that is set aside does not stop the records with it", async () => {
  const database = await openTestStore();
  try {
    const connection = { name: "half", source: "syslog", controlPlane: "default" };
    const stages = stagesOver(database.store);
    await stages.store.connect({ ...connection, config: {} });
    const record = {
      position: "1",
      receivedAt: instant(Date.UTC(2026, 10, 21)),
      bytes: new Uint8Array([0xff]),
    };
    const records = [
      { ...record, meta: { "na\ud800me": { list: ["\udc00", "\0"] } } },
      { ...record, position: "2", meta: {} },
    ];
    const outcome = await ingest(stages, { connection, source: findSource("syslog"), stream: "s", records });
    expect(outcome).toMatchObject({ records: 2, setAside: 2 });
  } finally {
    await database.close();
  }
});
