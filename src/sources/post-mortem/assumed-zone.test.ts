import { expect, test } from "vitest";
import { formatInstant, instant } from "../../model/instant.ts";
import { decoders } from "../../normalise/decode.ts";
import { postMortem } from "../post-mortem.ts";
import type { RawRecord, SourceFile } from "../source.ts";

const table = "| Time | What |\n| --- | --- |\n| 14:05 | down |\n| 15:00 UTC | up |\n";

async function split(text: string): Promise<RawRecord[]> {
  const file: SourceFile = {
    name: "pm.md",
    modifiedAt: instant(Date.UTC(2026, 10, 21)),
    timeZone: "Europe/Paris",
    whole: async () => new TextEncoder().encode(text),
    lines: () => {
      throw new Error("a post-mortem is read as a whole");
    },
  };
  const records: RawRecord[] = [];
  for await (const record of postMortem.splitFile!(file, decoders)) records.push(record);
  return records;
}

async function times(text: string): Promise<string[]> {
  const records = await split(text);
  return records
    .flatMap((record) => postMortem.normalise(record, decoders).events)
    .map(({ occurredAt }) => formatInstant(occurredAt).slice(11, 16));
}

test("the importer's zone holds where a document states none, and gives way where it states one", async () => {
  expect(await times(`---\ndate: 2024-08-02\n---\n${table}`)).toEqual(["12:05", "15:00"]);
  const stated = `---\ndate: 2024-08-02\ntimezone: Asia/Tokyo\n---\n${table}`;
  expect(await times(stated)).toEqual(["05:05", "15:00"]);
});

test("a document that is set aside whole keeps the importer's zone for its replay", async () => {
  const [whole] = await split("no table");
  expect(whole?.meta).toEqual({ document: "pm.md", assumed_timezone: "Europe/Paris" });
});
