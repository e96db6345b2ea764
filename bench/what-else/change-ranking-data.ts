import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseJson, parseObject, readDataLines, unusable } from "../data-file.ts";
import { fileIn, foldersAround } from "./part.ts";

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

/** The folder that holds the cases and their truth: DIR, or one a level or two beneath it. */
export function findRanking(dir: string): string | undefined {
  return foldersAround(dir).find(
    (folder) => casesFile(folder) !== undefined && truthFile(folder) !== undefined,
  );
}

const casesFile = (folder: string) => fileIn(folder, "cases.jsonl");
const truthFile = (folder: string) => fileIn(folder, "truth.jsonl");

/** Throws `file-unreadable` where the folder's files do not go together. */
export async function readRanking(folder: string): Promise<readonly RankingCase[]> {
  const truths = await readObjects(truthFile(folder)!);
  const logs = new Map<string, ReadonlyMap<string, readonly RankingLine[]>>();
  const truthOf = new Map(truths.map(({ item, place }) => [text(item["incident"]), readTruth(item, place)]));
  const cases: RankingCase[] = [];
  for (const { item, place } of await readObjects(casesFile(folder)!)) {
    const truth = truthOf.get(text(item["incident"]));
    if (truth === undefined) throw unusable(place, "is a case of which no truth is told");
    const path = resolve(dirname(truthFile(folder)!), truth.file);
    if (!logs.has(path)) logs.set(path, await readLog(path));
    const all = logs.get(path)!.get(truth.round) ?? [];
    cases.push({ ...readCase(item, all, place), trueChange: truth.change });
  }
  if (cases.length === 0) throw unusable(casesFile(folder)!, "holds no case");
  return cases;
}

function readTruth(item: Readonly<Record<string, unknown>>, place: string) {
  const pointer = item["events"];
  if (!isObject(pointer) || typeof pointer["file"] !== "string" || typeof item["true_change"] !== "string") {
    throw unusable(place, "names no true change, or not where its events are");
  }
  const round = `${text(pointer["test_no"])} ${text(pointer["round"])}`;
  return { change: item["true_change"], file: pointer["file"], round };
}

function readCase(
  item: Readonly<Record<string, unknown>>,
  all: readonly RankingLine[],
  place: string,
): Omit<RankingCase, "trueChange"> {
  const { symptom, changes } = item;
  if (!isObject(symptom) || typeof symptom["ts"] !== "string" || typeof symptom["text"] !== "string") {
    throw unusable(place, "is a case without a symptom");
  }
  if (!Array.isArray(changes) || changes.length === 0) throw unusable(place, "is a case without changes");
  const { ts, text: words, error, request_ids: requests } = symptom;
  return {
    incident: text(item["incident"]),
    symptom: {
      ts,
      text: words,
      ...(typeof error === "string" && { error }),
      requestIds: Array.isArray(requests) ? requests.map(text) : [],
    },
    changes: changes.map((change) => readChange(change, place)),
    // Times are written alike, so that their text sorts as they do.
    lines: all.filter((line) => line.ts <= ts),
  };
}

function readChange(change: unknown, place: string): RankingChange {
  if (!isObject(change)) throw unusable(place, "tells of a change that is no object");
  const { change_id: id, ts, file } = change;
  if (typeof id !== "string" || typeof ts !== "string" || typeof file !== "string") {
    throw unusable(place, "tells of a change without its id, its time or its file");
  }
  return { id, ts, file: file.replace(/^\//, "") };
}

async function readObjects(path: string) {
  return (await readDataLines(path)).map((line) => ({
    item: parseObject(line.text, line.place),
    place: line.place,
  }));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function readLog(path: string): Promise<ReadonlyMap<string, readonly RankingLine[]>> {
  if (!existsSync(path)) throw unusable(path, "is named by the truth, and is not there");
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
