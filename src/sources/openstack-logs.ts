import { createHash } from "node:crypto";
import { z } from "zod";
import { IsochronError } from "../errors.ts";
import type { Observation } from "../model/event.ts";
import { duration } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import { parseSettings } from "./http-settings.ts";
import { observeLine } from "./openstack-logs/line-observation.ts";
import { beginsRecord, prefixOf, readLogLine } from "./openstack-logs/log-line.ts";
import type { Decoders, PushRequest, PushSettings, RawRecord, SourceFile, WebhookSource } from "./source.ts";

const settings = z.strictObject({
  zone: z
    .string()
    .refine(isZone, { error: "`UTC`, an offset such as `+02:00`, or a name such as `Europe/Paris`" })
    .optional()
    .describe("Time zone of lines whose times name none. Without it such a line is set aside."),
});

/** A traceback below a line, and what else goes on with it, up to here; the rest begins a record of its own. */
const recordBytesMax = 256 * 1024;

/** How many lines back a repetition is recognised as one; repetitions of one moment lie close together. */
const repeatsKept = 20_000;

const recordsMax = 20_000;

/** Service logs of OpenStack as oslo.log writes them, in files or from a log shipper. */
export const openstackLogs: WebhookSource = {
  name: "openstack-logs",
  title: "OpenStack service logs",
  summary:
    "Lines of oslo.log, as text or JSON: what services say of requests and resources; a file is imported, or a log shipper posts JSON lines.",
  delivery: "webhook",
  contract: {
    identity:
      "hash of the line, and which repetition of it within its file or delivery it is: lines have no ids",
    version: "a line never changes",
    ordering: "unsorted",
    commitDelayMax: duration(10 * 60_000),
    clockErrorMax: duration(5_000),
    delivery: "push",
    revisions: "never",
    blindSpots:
      "What the services' log levels leave out and what a shipper filters or drops. Lines of two hosts that are the same " +
      "to the byte are one unless the shipper adds the host. A request's line tells who asked, and often not for what.",
  },
  config: settings as unknown as z.ZodType<JsonObject>,
  zonelessFiles: true,
  split,
  splitFile,
  normalise,
};

function normalise(record: RawRecord, decode: Decoders): Observation {
  return observeLine(readLogLine(record, decode), record);
}

/** One record for each line, with the lines of a traceback below it. */
async function* splitFile(file: SourceFile): AsyncIterable<RawRecord> {
  const repeats = new Repeats();
  const meta = { file: file.name, ...(file.timeZone !== undefined && { zone: file.timeZone }) };
  const toRecord = ({ bytes, number }: OpenRecord): RawRecord => ({
    bytes,
    position: `line ${number}`,
    receivedAt: file.modifiedAt,
    meta: { ...meta, ...repeats.note(bytes) },
  });
  let open: OpenRecord | undefined;
  for await (const { bytes, number, tooLarge } of file.lines()) {
    if (tooLarge) {
      if (open !== undefined) yield toRecord(open);
      open = undefined;
      yield {
        bytes,
        position: `line ${number}`,
        receivedAt: file.modifiedAt,
        meta: { ...meta, too_large: true },
      };
      continue;
    }
    const joined = open === undefined ? undefined : goOn(open, bytes);
    if (joined !== undefined) {
      open = joined;
      continue;
    }
    if (open !== undefined) yield toRecord(open);
    open = { bytes, number, prefix: prefixOf(asText(bytes)) };
  }
  if (open !== undefined) yield toRecord(open);
}

interface OpenRecord {
  readonly bytes: Uint8Array;
  readonly number: number;
  /** Process and logger of the line that began it; undefined for JSON and foreign lines, which nothing goes on with. */
  readonly prefix: string | undefined;
}

/** The record with one more line; undefined where the line begins a record of its own. */
function goOn(open: OpenRecord, line: Uint8Array): OpenRecord | undefined {
  const text = asText(line);
  if (open.prefix === undefined || beginsRecord(text)) return undefined;
  const prefix = prefixOf(text);
  if (prefix !== undefined && prefix !== open.prefix) return undefined;
  if (open.bytes.byteLength + line.byteLength > recordBytesMax) return undefined;
  return { ...open, bytes: new Uint8Array(Buffer.concat([open.bytes, Buffer.from("\n"), line])) };
}

/** Only to find where records begin; what a line says is decoded by `normalise`. */
function asText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 4_096)).toString("latin1");
}

/** Counts how often the very same line came before. */
class Repeats {
  readonly #seen = new Map<string, number>();

  note(bytes: Uint8Array): { readonly repeat?: number } {
    const hash = createHash("sha1").update(bytes).digest("base64");
    const before = this.#seen.get(hash) ?? 0;
    this.#seen.delete(hash);
    this.#seen.set(hash, before + 1);
    if (this.#seen.size > repeatsKept) this.#seen.delete(this.#seen.keys().next().value!);
    return before === 0 ? {} : { repeat: before };
  }
}

/** JSON lines, one JSON list, or one JSON object, as Fluent Bit and Vector post them. */
function split(request: PushRequest, decode: Decoders, connection?: PushSettings): readonly RawRecord[] {
  const { zone } = parseSettings(settings, connection?.config ?? {});
  const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase() ?? "application/json";
  if (!/^application\/(?:(?:x-)?ndjson|json|jsonl|x-jsonlines|json-lines|stream\+json)$/.test(type)) {
    throw new IsochronError(
      "media-type-unknown",
      `The body is ${type}.`,
      "Send application/x-ndjson or application/json.",
    );
  }
  const lines = readBody(request.body, decode);
  if (lines.length > recordsMax) {
    throw new IsochronError(
      "body-too-large",
      `The request holds more than ${recordsMax} lines.`,
      "Send smaller batches.",
    );
  }
  const repeats = new Repeats();
  return lines.map((line, index) => {
    const bytes = new TextEncoder().encode(line);
    return {
      bytes,
      position: `delivery, line ${index + 1}`,
      receivedAt: request.receivedAt,
      meta: { ...(zone !== undefined && { zone }), ...repeats.note(bytes) },
    };
  });
}

function readBody(body: Uint8Array, decode: Decoders): readonly string[] {
  try {
    const text = decode.text(body);
    if (!/^\s*\[/.test(text)) return text.split("\n").filter((line) => line.trim() !== "");
    const list = decode.json(text);
    if (Array.isArray(list)) return list.map((line) => JSON.stringify(line));
  } catch (error) {
    if (!(error instanceof IsochronError) || error.code !== "record-invalid") throw error;
    throw new IsochronError("body-invalid", error.problem, error.remedy, { cause: error });
  }
  throw new IsochronError("body-invalid", "The body is no list of lines.", "Send JSON lines.");
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
