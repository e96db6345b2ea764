import { promisify } from "node:util";
import { gunzip as gunzipCallback } from "node:zlib";
import { IsochronError } from "../errors.ts";
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
    if (!(error instanceof IsochronError) || error.code !== "body-invalid") throw error;
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
