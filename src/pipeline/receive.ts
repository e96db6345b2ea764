import { IsochronError } from "../errors.ts";
import type { Connection, PushRequest, Source } from "../sources/source.ts";
import type { Ingested, Stages } from "./ingest.ts";
import { ingest } from "./ingest.ts";
import { reattribute } from "./reattribute.ts";

/**
 * Stores what a sender posted; settles after the commit, so that the answer is a receipt. Undefined when
 * the connection does not take requests. Throws `body-invalid` when the body is none of the source's.
 */
export async function receiveRequest(
  stages: Stages,
  findSource: (name: string) => Source,
  connection: Connection | undefined,
  request: PushRequest,
): Promise<Ingested | undefined> {
  if (connection === undefined) return undefined;
  const source = findSource(connection.source);
  if (source.delivery !== "webhook") return undefined;
  await stages.store.connect({ ...asConnection(connection), config: {} });
  const stored = await storeRequest(stages, source, connection, request);
  await reattribute(stages);
  return stored;
}

async function storeRequest(
  stages: Stages,
  source: Extract<Source, { delivery: "webhook" }>,
  connection: Connection,
  request: PushRequest,
): Promise<Ingested> {
  const stream = "webhook";
  try {
    const records = source.split(request, stages.decoders);
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
          bytes: request.body,
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

function asConnection({ name, source, controlPlane }: Connection): Connection {
  return { name, source, controlPlane };
}
