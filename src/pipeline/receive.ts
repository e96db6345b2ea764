import { promisify } from "node:util";
import { gunzip as gunzipCallback } from "node:zlib";
import { IsochronError } from "../errors.ts";
import type { Instant } from "../model/instant.ts";
import type { Connection, PushRequest, PushSettings, Source } from "../sources/source.ts";
import type { Ingested, Stages } from "./ingest.ts";
import { ingest } from "./ingest.ts";
import { reattribute } from "./reattribute.ts";

const gunzip = promisify(gunzipCallback);

/** How large a compressed body may become: what the decoders read as one piece. */
const inflatedBytesMax = 8 * 1024 * 1024;

/** How many times its size a compressed body may become; text of a machine shrinks to a tenth or a thirtieth. */
const inflationMax = 100;

/** Below this no ratio is looked at, because a few repeated lines shrink to nearly nothing. */
const inflatedBytesFree = 64 * 1024;

/**
 * Stores what a sender posted; settles after the commit, so that the answer is a receipt. Undefined when
 * the connection does not take requests. Throws `body-invalid` when the body is none of the source's, and
 * `signature-invalid` before anything is stored.
 */
export async function receiveRequest(
  stages: Stages,
  findSource: (name: string) => Source,
  connection: Connection | undefined,
  request: PushRequest,
  settings?: PushSettings,
): Promise<Ingested | undefined> {
  if (connection === undefined) return undefined;
  const source = findSource(connection.source);
  if (source.delivery !== "webhook") return undefined;
  await stages.store.connect({ ...asConnection(connection), config: {} });
  const stored = await storeRequest(stages, source, connection, request, settings);
  await reattribute(stages);
  return stored;
}

async function storeRequest(
  stages: Stages,
  source: Extract<Source, { delivery: "webhook" }>,
  connection: Connection,
  request: PushRequest,
  settings: PushSettings | undefined,
): Promise<Ingested> {
  const stream = "webhook";
  let { body } = request;
  try {
    body = await inflate(request);
    const records = source.split({ ...request, body }, stages.decoders, settings);
    return await ingest(stages, { connection, source, stream, records });
  } catch (error) {
    if (!(error instanceof IsochronError)) throw error;
    if (error.code === "body-too-large")
      await keepTooLarge(stages, connection, noteOf(request), error.problem);
    if (error.code !== "body-invalid") throw error;
    // The sender may never send it again, so a body that we cannot read is kept before it is refused.
    await stages.store.append({
      connection: connection.name,
      stream,
      controlPlane: connection.controlPlane,
      events: [],
      facts: [],
      rejects: [
        {
          position: "request body",
          bytes: body,
          meta: { content_type: request.headers["content-type"] ?? "" },
          receivedAt: request.receivedAt,
          code: error.code,
          reason: error.problem,
        },
      ],
    });
    throw error;
  }
}

/** What is known of a request whose body was not read. */
export interface TooLargeRequest {
  /** As its `Content-Length` says; absent where it came in chunks. */
  readonly declaredBytes?: number;
  readonly contentType: string;
  readonly receivedAt: Instant;
}

/** Counts a request that was refused for its size, so that the loss shows; nothing for a connection that takes none. */
export async function noteTooLarge(
  stages: Stages,
  findSource: (name: string) => Source,
  connection: Connection | undefined,
  request: TooLargeRequest,
): Promise<void> {
  if (connection === undefined || findSource(connection.source).delivery !== "webhook") return;
  await stages.store.connect({ ...asConnection(connection), config: {} });
  await keepTooLarge(stages, connection, request, "The body is over the limit, so it was not read.");
}

/** By its size alone, so that a sender that tries the same again is counted once. */
async function keepTooLarge(
  { store }: Stages,
  { name, controlPlane }: Connection,
  { declaredBytes, contentType, receivedAt }: TooLargeRequest,
  reason: string,
): Promise<void> {
  const size = declaredBytes === undefined ? "unknown length" : `${declaredBytes} bytes`;
  const reject = {
    position: `request body of ${size}`,
    bytes: new Uint8Array(),
    meta: { content_type: contentType, too_large: true },
    receivedAt,
    code: "body-too-large",
    reason,
  };
  const nothing = { events: [], facts: [] };
  await store.append({ connection: name, stream: "webhook", controlPlane, ...nothing, rejects: [reject] });
}

function noteOf({ headers, body, receivedAt }: PushRequest): TooLargeRequest {
  return { declaredBytes: body.byteLength, contentType: headers["content-type"] ?? "", receivedAt };
}

/** The body as its sender had it before `Content-Encoding: gzip`, within the limits on size and ratio. */
async function inflate({ headers, body }: PushRequest): Promise<Uint8Array> {
  if (headers["content-encoding"] !== "gzip") return body;
  const maxOutputLength = Math.min(
    inflatedBytesMax,
    Math.max(inflatedBytesFree, body.byteLength * inflationMax),
  );
  try {
    return await gunzip(body, { maxOutputLength });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new IsochronError(
        "body-too-large",
        `The body grows to more than ${maxOutputLength} bytes when it is decompressed.`,
        "Send smaller batches.",
        { cause: error },
      );
    }
    throw new IsochronError("body-invalid", "The body is not valid gzip.", "Send it again, whole.", {
      cause: error,
    });
  }
}

function asConnection({ name, source, controlPlane }: Connection): Connection {
  return { name, source, controlPlane };
}
