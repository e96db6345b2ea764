import { createGunzip } from "node:zlib";
import { IsochronError } from "../errors.ts";
import type { Instant } from "../model/instant.ts";
import type { Connection, PushRequest, PushSettings, Source } from "../sources/source.ts";
import type { Ingested, Stages } from "./ingest.ts";
import { ingestInSlices } from "./ingest-in-slices.ts";
import { reattribute } from "./reattribute.ts";

/** How large a compressed body may become: what the decoders read as one piece. */
const inflatedBytesMax = 8 * 1024 * 1024;

/** How many times its size a compressed body may become; text of a machine shrinks to a tenth or a thirtieth. */
const inflationMax = 100;

/** Below this no ratio is looked at, because a few repeated lines shrink to nearly nothing. */
const inflatedBytesFree = 64 * 1024;

/** Takes room in memory for further bytes of a request. Throws `rate-limited` or `overloaded` when there is none. */
export type TakeBytes = (bytes: number) => void;

/**
 * Stores what a sender posted; settles after the commit, so that the answer is a receipt. Undefined when
 * the connection does not take requests. Throws `body-invalid` when the body is none of the source's, and
 * `signature-invalid` before anything is stored. `takeBytes` is asked as a compressed body grows.
 */
export async function receiveRequest(
  stages: Stages,
  findSource: (name: string) => Source,
  connection: Connection | undefined,
  request: PushRequest,
  settings?: PushSettings,
  takeBytes: TakeBytes = () => undefined,
): Promise<Ingested | undefined> {
  if (connection === undefined) return undefined;
  const source = findSource(connection.source);
  if (source.delivery !== "webhook") return undefined;
  await stages.store.connect({ ...asConnection(connection), config: {} });
  const stored = await storeRequest(stages, source, connection, request, { settings, takeBytes });
  await reattribute(stages);
  return stored;
}

async function storeRequest(
  stages: Stages,
  source: Extract<Source, { delivery: "webhook" }>,
  connection: Connection,
  request: PushRequest,
  { settings, takeBytes }: { settings: PushSettings | undefined; takeBytes: TakeBytes },
): Promise<Ingested> {
  const stream = "webhook";
  let { body } = request;
  try {
    body = await inflate(request, takeBytes);
    const records = source.split({ ...request, body }, stages.decoders, settings);
    return await ingestInSlices(stages, { connection, source, stream, records });
  } catch (error) {
    if (!(error instanceof IsochronError)) throw error;
    if (error.code === "config-invalid") throw unready(error);
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

/** Our own mistake: a sender that is told 4xx would not send it again, and it would be lost. */
function unready(error: IsochronError): IsochronError {
  return new IsochronError(
    "connection-unready",
    error.problem,
    "The provider has to correct the connection's settings; send the same again then.",
    { cause: error },
  );
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
async function inflate({ headers, body }: PushRequest, takeBytes: TakeBytes): Promise<Uint8Array> {
  if (headers["content-encoding"] !== "gzip") return body;
  const maxOutputLength = Math.min(
    inflatedBytesMax,
    Math.max(inflatedBytesFree, body.byteLength * inflationMax),
  );
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of gunzipped(body)) {
      size += chunk.byteLength;
      if (size > maxOutputLength) throw growsTooLarge(maxOutputLength);
      takeBytes(chunk.byteLength);
      chunks.push(chunk);
    }
  } catch (error) {
    if (!(error instanceof Error) || error instanceof IsochronError) throw error;
    throw new IsochronError("body-invalid", "The body is not valid gzip.", "Send it again, whole.", {
      cause: error,
    });
  }
  return Buffer.concat(chunks, size);
}

function gunzipped(body: Uint8Array): AsyncIterable<Buffer> {
  const stream = createGunzip();
  stream.end(body);
  return stream;
}

function growsTooLarge(bytesMax: number): IsochronError {
  return new IsochronError(
    "body-too-large",
    `The body grows to more than ${bytesMax} bytes when it is decompressed.`,
    "Send smaller batches.",
  );
}

function asConnection({ name, source, controlPlane }: Connection): Connection {
  return { name, source, controlPlane };
}
