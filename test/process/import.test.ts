import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SourcesJson } from "../../src/present/api/contract.ts";
import { askIsochron, RunningIsochron, runIsochron } from "../isochron-command.ts";
import { embeddedStore, type EmbeddedStore, type TestStore } from "../outside-store.ts";
import { hostileLines, readRecording, recording, unusableLines } from "./broken-lines.ts";
import { killMoments } from "./kill-moments.ts";

/** What `import -o json` prints. */
interface Counts {
  readonly records: number;
  readonly created: number;
  readonly folded: number;
  readonly repeated: number;
  readonly set_aside: number;
}

const importing = ["import", "--source", "openstack-notifications"];
const lines = readRecording();

async function importFile(store: TestStore, path: string): Promise<Counts> {
  return JSON.parse(await askIsochron([...importing, path, "-o", "json", ...store.args])) as Counts;
}

function digestOf(store: TestStore): Promise<string> {
  return askIsochron(["doctor", "--digest", ...store.args]);
}

function total({ created, folded, set_aside: setAside }: Counts): number {
  return created + folded + setAside;
}

describe("a recording imported by the command", () => {
  let store: EmbeddedStore;
  let disturbed: EmbeddedStore;
  let undisturbed: string;

  beforeAll(async () => {
    store = await embeddedStore();
    disturbed = await embeddedStore();
    const counts = await importFile(store, recording);
    expect(counts).toMatchObject({ records: lines.length, repeated: 0, set_aside: 0 });
    expect(total(counts)).toBe(lines.length);
    undisturbed = await digestOf(store);
  });

  afterAll(async () => {
    await store.remove();
    await disturbed.remove();
  });

  test("is changed in nothing by importing it again", async () => {
    const again = await importFile(store, recording);
    expect(again).toMatchObject({ records: lines.length, created: 0, repeated: lines.length, set_aside: 0 });
    expect(total(again)).toBe(lines.length);
    expect(await digestOf(store)).toBe(undisturbed);
  });

  describe("and killed with -9", () => {
    async function killedImport(target: EmbeddedStore, moment: (typeof moments)[number][1]): Promise<void> {
      const run = new RunningIsochron([...importing, recording, ...target.args]);
      const undo = await moment(target);
      const { signal } = await run.end("SIGKILL");
      undo?.();
      expect(signal).toBe("SIGKILL");
    }

    const moments = killMoments(lines.length);

    test.each(moments)("%s, then run again, gives the same store", async (_, moment) => {
      const alone = await embeddedStore();
      try {
        await killedImport(alone, moment);
        expect(total(await importFile(alone, recording))).toBe(lines.length);
        expect(await digestOf(alone)).toBe(undisturbed);
      } finally {
        await alone.remove();
      }
    });

    test("time after time, then run again, gives the same store", async () => {
      // What an earlier run has stored is there already, so only these moments come about again.
      for (const index of [0, 1, 2, 3, 1]) await killedImport(disturbed, moments[index]![1]);
      expect(total(await importFile(disturbed, recording))).toBe(lines.length);
      expect(await digestOf(disturbed)).toBe(undisturbed);
    });
  });
});

describe("a file of which half is good", () => {
  const unusable = unusableLines(lines[0]!);
  const hostile = hostileLines(lines[0]!);
  const good = lines.slice(0, 300);
  let folder: string;
  let path: string;
  let store: EmbeddedStore;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "isochron-import-"));
    path = join(folder, "half-good.jsonl");
    const odd = [...unusable, ...hostile].map(({ line }) => line);
    const mixed = good.flatMap((line, index) =>
      index % 10 === 9 && odd.length > 0 ? [odd.shift()!, line] : [line],
    );
    expect(odd).toEqual([]);
    await writeFile(path, Buffer.concat(mixed.flatMap((line) => [Buffer.from(line), Buffer.from("\n")])));
    store = await embeddedStore();
  });

  afterAll(async () => {
    await store.remove();
    await rm(folder, { recursive: true, force: true });
  });

  test("gives its good half, says how many were set aside, and ends with 0", async () => {
    const { code, stdout, stderr } = await runIsochron([...importing, path, "-o", "json", ...store.args]);
    const counts = JSON.parse(stdout) as Counts;
    expect(counts).toMatchObject({
      records: good.length + unusable.length + hostile.length,
      set_aside: unusable.length,
    });
    expect(total(counts)).toBe(counts.records);
    expect(stderr).toContain(`warning: ${unusable.length} records were set aside`);
    expect(code).toBe(0);
  });

  test("has every broken line listed by `isochron sources`, with position and reason", async () => {
    const text = await askIsochron(["sources", "openstack-notifications", "-o", "json", ...store.args]);
    const { connections, set_aside: listed } = JSON.parse(text) as SourcesJson;
    expect(connections).toMatchObject([{ counts: { set_aside: unusable.length } }]);
    expect(listed).toHaveLength(unusable.length);
    for (const { position, reason, code } of listed) {
      expect(position).toMatch(/^line \d+$/);
      expect(reason).not.toBe("");
      expect(code).toMatch(/^(record-invalid|body-too-large|time-invalid)$/);
    }
  });

  test("gives each hostile value back as data", async () => {
    const text = await askIsochron(["events", "--all", "-o", "ndjson", ...store.args]);
    for (const number of hostile.keys()) {
      expect(text).toContain(`00000000-0000-4000-8000-00000000000${number + 1}`);
    }
    expect(text).toContain("DROP TABLE isochron.event");
    expect(text).not.toContain("\u001b");
  });

  test("ends with 1 under --strict, and is changed in nothing by importing it again", async () => {
    const before = await digestOf(store);
    const { code, stdout } = await runIsochron([...importing, path, "--strict", "-o", "json", ...store.args]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ created: 0, set_aside: unusable.length });
    expect(await digestOf(store)).toBe(before);
    const sources = JSON.parse(await askIsochron(["sources", "-o", "json", ...store.args])) as SourcesJson;
    expect(sources.connections).toMatchObject([{ counts: { set_aside: unusable.length } }]);
  });
});
