import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { findRanking, readRanking } from "../bench/what-else/change-ranking-data.ts";
import { listPostMortems, readPostMortem } from "../bench/what-else/post-mortem-data.ts";

const bench = fileURLToPath(new URL("../bench/what-else.ts", import.meta.url));

const deploy = (id: string, file: string, minute: number) => ({
  change_id: id,
  ts: `2026-05-04 10:${minute}:00.000`,
  kind: "code_deploy",
  file,
});
const incident = {
  incident: "one",
  symptom: { ts: "2026-05-04 11:00:00.000", kind: "assertion", text: "FAILURE_BOX_CREATED" },
  changes: [deploy("c1", "/depot/store/shelf.py", 10), deploy("c2", "/crane/api/arm.py", 50)],
};
const truth = {
  incident: "one",
  true_change: "c1",
  events: { file: "../events.jsonl", test_no: "7", round: 1 },
};
const failure = [
  "7",
  "2026-05-04 10:59:58.000",
  1,
  "depot/worker",
  "ERROR",
  "depot.worker",
  null,
  null,
  null,
  "No room: KeyError: 1 | exc: KeyError: 1 | frames: depot/api/boxes.py:create > depot/store/shelf.py:add",
];
const lines = (...items: readonly unknown[]) =>
  items.map((item) => (typeof item === "string" ? item : JSON.stringify(item))).join("\n");
const cases = "sets/change_ranking/cases.jsonl";
const truths = "sets/change_ranking/truth.jsonl";
const whole = {
  [cases]: lines(incident),
  [truths]: lines(truth),
  "sets/events.jsonl": lines(failure),
};

function run(...args: readonly string[]): Promise<{ code: unknown; told: string; said: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [bench, "--data", ...args], (error, told, said) =>
      resolve({ code: error?.code ?? 0, told, said }),
    );
  });
}

async function inFolder<T>(files: Readonly<Record<string, string>>, work: (dir: string) => Promise<T>) {
  const dir = await mkdtemp(join(tmpdir(), "isochron-what-else-bench-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(join(dir, dirname(name)), { recursive: true });
      await writeFile(join(dir, name), text);
    }
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

test("finds its data in the folder, and a folder or two above it, whatever these are called", async () => {
  await inFolder(whole, async (dir) => {
    const own = join(dir, "sets/change_ranking");
    for (const folder of [dir, join(dir, "sets"), own]) expect(findRanking(folder)).toBe(own);
    expect(await readRanking(own)).toMatchObject([{ trueChange: "c1", lines: [{ level: "ERROR" }] }]);
  });
});

test.each<[string, Readonly<Record<string, string>>, string]>([
  [
    "a broken line of the truth",
    { [truths]: lines(truth, '{"incident"') },
    "truth.jsonl, line 2 is no JSON.",
  ],
  ["a case without a symptom", { [cases]: lines({ ...incident, symptom: 1 }) }, "without a symptom"],
  ["a case without changes", { [cases]: lines({ ...incident, changes: [] }) }, "without changes"],
  ["a change without a file", { [cases]: lines({ ...incident, changes: [{}] }) }, "without its id"],
  ["a case of no truth", { [cases]: lines({ ...incident, incident: "two" }) }, "no truth"],
  ["a truth without events", { [truths]: lines({ ...truth, events: null }) }, "truth.jsonl, line 1"],
  [
    "events that are not there",
    { [truths]: lines({ ...truth, events: { file: "gone.jsonl" } }) },
    "gone.jsonl is named by the truth",
  ],
  [
    "a query about a row that is not there",
    {
      "pm/timeline.jsonl": lines({ row: 1, ts: "2026-05-04T10:00:00Z", component: null, description: "x" }),
      "pm/truth.json": lines({
        queries: [{ id: "q", symptom_row: 9, candidate_change_rows: [1], root_change_row: 1 }],
      }),
    },
    "names row 9",
  ],
])("says of %s in a line where it stands", async (_, files, words) => {
  await inFolder({ ...whole, ...files }, async (dir) => {
    const read = async () => {
      await Promise.all(listPostMortems(dir).map(readPostMortem));
      await readRanking(findRanking(dir)!);
    };
    await expect(read()).rejects.toMatchObject({
      code: "file-unreadable",
      message: expect.stringContaining(words),
    });
  });
});

test("one part that cannot be read leaves the others", async () => {
  await inFolder({ ...whole, "pm/timeline.jsonl": "", "pm/truth.json": "{" }, async (dir) => {
    const { code, told, said } = await run(dir, "--json");
    expect(code).toBe(2);
    const { parts } = JSON.parse(told) as { parts: { name: string; methods: unknown[] }[] };
    expect(parts.map(({ name }) => name)).toEqual(["change ranking"]);
    expect(parts[0]!.methods.at(-1)).toMatchObject({ method: "what else (ours)", top1: 1 });
    expect(said).toMatch(/^post-mortems: .*truth\.json is no JSON\. [^\n]*\n$/);
  });
});

test("a folder without any of them is told which files are looked for", async () => {
  await inFolder({ "note.txt": "" }, async (dir) => {
    expect(await run(dir)).toMatchObject({ code: 2, said: expect.stringContaining("cases.jsonl") });
    expect(await run(join(dir, "note.txt"))).toMatchObject({
      code: 2,
      said: expect.stringContaining("is no folder"),
    });
  });
});
