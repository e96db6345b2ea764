import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { IsochronError } from "../src/errors.ts";

/** A line of a file, with what to call it where it cannot be used. */
export interface DataLine {
  readonly text: string;
  /** `DIR/truth.jsonl.gz, line 3`. */
  readonly place: string;
}

/** The lines of a file that are not blank; one whose name ends in `.gz` is unpacked. Throws `file-unreadable`. */
export async function readDataLines(path: string): Promise<readonly DataLine[]> {
  const bytes = await readFile(path);
  const plain = path.endsWith(".gz") ? unpack(bytes, path) : bytes;
  return plain
    .toString("utf8")
    .split("\n")
    .map((text, index) => ({ text, place: `${path}, line ${index + 1}` }))
    .filter(({ text }) => text.trim() !== "");
}

function unpack(bytes: Uint8Array, path: string): Buffer {
  try {
    return gunzipSync(bytes);
  } catch (error) {
    // A cut file is told by another code than one that never was packed.
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (!/^Z_(DATA|BUF)_ERROR$/.test(code)) throw error;
    throw unusable(path, "is no whole gzip file", error);
  }
}

/** A JSON object out of a text that stands at `place`. Throws `file-unreadable` where it is none. */
export function parseObject(text: string, place: string): Readonly<Record<string, unknown>> {
  const value = parseJson(text, place);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw unusable(place, "is no JSON object");
  return value as Readonly<Record<string, unknown>>;
}

/** Throws `file-unreadable` where the text is no JSON. */
export function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw unusable(place, "is no JSON", error);
  }
}

/** What a bench says of data that it cannot use. */
export function unusable(place: string, problem: string, cause?: unknown): IsochronError {
  return new IsochronError("file-unreadable", `${place} ${problem}.`, "Give a folder of whole data.", {
    cause,
  });
}
