import { IsochronError } from "../errors.ts";
import type { Json } from "../model/json.ts";
import type { Decoders, SourceFile } from "./source.ts";

/**
 * A file that is one JSON value written over several lines; undefined for one record per line, which is told by its
 * first line, so that a long file is not read whole for nothing. Throws `file-unreadable`.
 */
export async function readJsonDocument(
  file: SourceFile,
  decode: Decoders,
): Promise<{ readonly bytes: Uint8Array; readonly value: Json } | undefined> {
  for await (const { bytes, tooLarge } of file.lines()) {
    if (tooLarge || tryJson(bytes, decode) !== undefined) return undefined;
    break;
  }
  const bytes = await readWhole(file);
  const value = bytes === undefined ? undefined : tryJson(bytes, decode);
  return bytes === undefined || value === undefined ? undefined : { bytes, value };
}

/** The JSON, or undefined where it is none; `normalise` will say why of the record that is kept whole. */
export function tryJson(bytes: Uint8Array, decode: Decoders): Json | undefined {
  try {
    return decode.json(decode.text(bytes));
  } catch (error) {
    if (error instanceof IsochronError && error.code === "record-invalid") return undefined;
    throw error;
  }
}

/** Undefined for a file that is too large to be one document: its lines are read one by one. */
async function readWhole(file: SourceFile): Promise<Uint8Array | undefined> {
  try {
    return await file.whole();
  } catch (error) {
    if (error instanceof IsochronError && error.code === "file-unreadable") return undefined;
    throw error;
  }
}
