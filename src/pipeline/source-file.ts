import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { basename } from "node:path";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { IsochronError } from "../errors.ts";
import { instant } from "../model/instant.ts";
import type { SourceFile } from "../sources/source.ts";

/** The longest line that is read whole; of a longer one this much is kept and the rest is skipped. */
const lineBytesMax = 4 * 1024 * 1024;

/** The largest file that is read as one record. */
const wholeBytesMax = 64 * 1024 * 1024;

/** Opens a file for import, plain or gzip (told by its first two bytes). Throws `file-unreadable`. */
export async function openSourceFile(
  path: string,
  onBytes?: (bytes: number) => void,
): Promise<SourceFile & { size: number }> {
  const gzipped = await startsWithGzipMagic(path);
  const { size, mtimeMs } = await stat(path);
  return {
    name: basename(path),
    modifiedAt: instant(mtimeMs),
    size,
    lines: () => readLines(path, openBytes(path, gzipped, onBytes)),
    whole: () => readWhole(path, openBytes(path, gzipped, onBytes)),
  };
}

async function startsWithGzipMagic(path: string): Promise<boolean> {
  try {
    const file = await open(path, "r");
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
      return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

function openBytes(path: string, gzipped: boolean, onBytes?: (bytes: number) => void): Readable {
  const file = createReadStream(path);
  if (onBytes !== undefined) file.on("data", (chunk) => onBytes(chunk.length));
  if (!gzipped) return file;
  const unzipped = createGunzip();
  // An error of the file must end the reader of the unzipped bytes as well.
  file.on("error", (error) => unzipped.destroy(error));
  return file.pipe(unzipped);
}

async function* readLines(path: string, bytes: Readable): ReturnType<SourceFile["lines"]> {
  let number = 1;
  let kept: Buffer[] = [];
  let length = 0;
  const take = () => {
    const line = Buffer.concat(kept);
    const row = { number, bytes: line.subarray(0, lineBytesMax), tooLarge: length > lineBytesMax };
    kept = [];
    length = 0;
    number += 1;
    return row;
  };
  try {
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      let start = 0;
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
        keep(chunk.subarray(start, end));
        start = end + 1;
        const row = take();
        if (!isBlank(row.bytes)) yield row;
      }
      keep(chunk.subarray(start));
    }
  } catch (error) {
    throw unreadable(path, error);
  }
  const last = take();
  if (!isBlank(last.bytes)) yield last;

  function keep(part: Buffer): void {
    if (length <= lineBytesMax) kept.push(part);
    length += part.length;
  }
}

/** Nothing but spaces, tabs and the carriage return of a foreign line end. */
function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

async function readWhole(path: string, bytes: Readable): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > wholeBytesMax) break;
      parts.push(chunk);
    }
  } catch (error) {
    throw unreadable(path, error);
  }
  if (length > wholeBytesMax) {
    throw new IsochronError(
      "file-unreadable",
      `${basename(path)} holds more than ${wholeBytesMax / 1024 / 1024} MiB.`,
      "Split it into smaller files, or write one record a line.",
    );
  }
  return Buffer.concat(parts);
}

function unreadable(path: string, cause: unknown): IsochronError {
  if (cause instanceof IsochronError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new IsochronError(
    "file-unreadable",
    `${basename(path)} cannot be read: ${why}.`,
    "Check the path and the file.",
    {
      cause,
    },
  );
}
