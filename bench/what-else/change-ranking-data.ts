import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseJson, parseObject, readDataLines, unusable } from "../data-file.ts";

/** One incident: what was seen to fail, what was deployed before, and the lines of the services' logs up to then. */
export interface RankingCase {
  readonly incident: string;
  readonly symptom: {
    readonly ts: string;
    readonly text: string;
    readonly error?: string;
    readonly requestIds: readonly string[];
  };
  readonly changes: readonly RankingChange[];
  readonly lines: readonly RankingLine[];
  /** For the judge alone. */
  readonly trueChange: string;
}

export interface RankingChange {
  readonly id: string;
  readonly ts: string;
  readonly file: string;
}

/** Local time without a zone, where it was written, level, logger, request, user, project, text. */
export interface RankingLine {
  readonly ts: string;
  readonly source: string;
  readonly level: string;
  readonly logger: string;
  readonly requestId: string | null;
  readonly userId: string | null;
  readonly projectId: string | null;
  readonly text: string;
}

const places = [".", "change_ranking", "openstack-fault-injection/change_ranking"];

/** The folder that holds the cases and their truth, DIR or one beneath it. */
export function findRanking(dir: string): string | undefined {
  return places
    .map((place) => join(dir, place))
    .find((folder) => casesFile(folder) !== undefined && truthFile(folder) !== undefined);
}

const casesFile = (folder: string) => either(folder, "cases.jsonl");
const truthFile = (folder: string) => either(folder, "truth.jsonl");

function either(folder: string, name: string): string | undefined {
  return [`${name}.gz`, name].map((file) => join(folder, file)).find((path) => existsSync(path));
}

/** Throws `file-unreadable` where the folder's files do not go together. */
export async function readRanking(folder: string): Promise<readonly RankingCase[]> {
  const truths = await readObjects(truthFile(folder)!);
  const logs = new Map<string, ReadonlyMap<string, readonly RankingLine[]>>();
  const truthOf = new Map(truths.map((truth) => [text(truth["incident"]), truth]));
  const cases: RankingCase[] = [];
  for (const item of await readObjects(casesFile(folder)!)) {
    const incident = text(item["incident"]);
    const truth = truthOf.get(incident);
    if (truth === undefined) throw unusable(folder, `holds no truth of ${incident}`);
    const pointer = truth["events"] as { file: string; test_no: string; round: number };
    const path = resolve(dirname(truthFile(folder)!), pointer.file);
    if (!logs.has(path)) logs.set(path, await readLog(path));
    const all = logs.get(path)!.get(`${pointer.test_no} ${pointer.round}`) ?? [];
    cases.push({ ...readCase(item, all), trueChange: text(truth["true_change"]) });
  }
  return cases;
}

function readCase(
  item: Readonly<Record<string, unknown>>,
  all: readonly RankingLine[],
): Omit<RankingCase, "trueChange"> {
  const symptom = item["symptom"] as { ts: string; text: string; error?: string; request_ids?: string[] };
  const changes = item["changes"] as readonly { change_id: string; ts: string; file: string }[];
  return {
    incident: text(item["incident"]),
    symptom: {
      ts: symptom.ts,
      text: symptom.text,
      ...(symptom.error !== undefined && { error: symptom.error }),
      requestIds: symptom.request_ids ?? [],
    },
    changes: changes.map(({ change_id: id, ts, file }) => ({ id, ts, file: file.replace(/^\//, "") })),
    // Times are written alike, so that their text sorts as they do.
    lines: all.filter(({ ts }) => ts <= symptom.ts),
  };
}

async function readObjects(path: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return (await readDataLines(path)).map((line) => parseObject(line.text, line.place));
}

async function readLog(path: string): Promise<ReadonlyMap<string, readonly RankingLine[]>> {
  const rounds = new Map<string, RankingLine[]>();
  for (const line of await readDataLines(path)) {
    const row = parseJson(line.text, line.place);
    if (!Array.isArray(row) || row.length < 10) throw unusable(line.place, "is no list of ten fields");
    const [test, ts, round, source, level, logger, requestId, userId, projectId, message] =
      row as readonly unknown[];
    const key = `${text(test)} ${text(round)}`;
    const own = rounds.get(key) ?? [];
    rounds.set(key, own);
    own.push({
      ts: text(ts),
      source: text(source),
      level: text(level),
      logger: text(logger),
      requestId: orNull(requestId),
      userId: orNull(userId),
      projectId: orNull(projectId),
      text: text(message),
    });
  }
  return rounds;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" ? `${value}` : "";
}

function orNull(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
