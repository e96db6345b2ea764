import { IsochronError } from "../errors.ts";
import { instant } from "../model/instant.ts";
import type { Instant } from "../model/instant.ts";
import type { Connection, RawRecord, Source } from "../sources/source.ts";
import type { Ingested, Stages } from "./ingest.ts";
import { ingest, notAfterNow } from "./ingest.ts";
import { reattribute } from "./reattribute.ts";
import { openSourceFile } from "./source-file.ts";

/** How many records one page takes. */
const recordsPerPage = 1000;

export interface ImportRequest {
  readonly connection: Connection;
  readonly source: Source;
  readonly path: string;
  /** The zone of times that the file states none for. */
  readonly timeZone?: string;
  /** Bytes read so far, of all there are in the file. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** No record yet. */
export const nothingIngested: Ingested = {
  records: 0,
  created: 0,
  folded: 0,
  repeated: 0,
  revised: 0,
  setAside: 0,
  factsOnly: 0,
};

/** The sum of two outcomes. */
export function addIngested(a: Ingested, b: Ingested): Ingested {
  return {
    records: a.records + b.records,
    created: a.created + b.created,
    folded: a.folded + b.folded,
    repeated: a.repeated + b.repeated,
    revised: a.revised + b.revised,
    setAside: a.setAside + b.setAside,
    factsOnly: a.factsOnly + b.factsOnly,
    ...(a.foundLate === undefined && b.foundLate === undefined
      ? {}
      : { foundLate: (a.foundLate ?? 0) + (b.foundLate ?? 0) }),
    ...(a.expired === undefined && b.expired === undefined
      ? {}
      : { expired: (a.expired ?? 0) + (b.expired ?? 0) }),
    ...(a.latest === undefined && b.latest === undefined
      ? {}
      : {
          latest: instant(
            Math.max(a.latest ?? Number.NEGATIVE_INFINITY, b.latest ?? Number.NEGATIVE_INFINITY),
          ),
        }),
  };
}

/**
 * Reads a file through the very pipeline that live records take. Importing it again changes nothing.
 * Throws `file-unreadable`, and `usage` for a source whose records never come in
 * files, or need no time zone.
 */
export async function importFile(stages: Stages, request: ImportRequest): Promise<Ingested> {
  const { source, connection } = request;
  if (source.splitFile === undefined) {
    throw new IsochronError(
      "usage",
      `Records of ${source.name} do not come in files.`,
      "Use `isochron harvest` for it, with --recorded DIR for a recording.",
    );
  }
  let read = 0;
  if (request.timeZone !== undefined && source.delivery !== "file" && source.zonelessFiles !== true) {
    throw new IsochronError(
      "usage",
      `Records of ${source.name} state their times in full.`,
      "Leave out --timezone, which is for written documents and logs.",
    );
  }
  const opened = await openSourceFile(request.path, (bytes) => {
    read += bytes;
  });
  const file = request.timeZone === undefined ? opened : { ...opened, timeZone: request.timeZone };
  let total = nothingIngested;
  let page: RawRecord[] = [];
  const flush = async () => {
    if (page.length === 0) return;
    const records = page;
    page = [];
    const batch = { connection, source, stream: "import", records };
    total = addIngested(total, await ingest(stages, { ...batch, secondHand: true }));
    await reattribute(stages);
    request.onProgress?.(read, file.size);
  };
  for await (const record of source.splitFile(file, stages.decoders)) {
    page.push(record);
    if (page.length >= recordsPerPage) await flush();
  }
  await flush();
  await noteComplete(stages, connection, total.latest);
  return total;
}

/** A file that was read to its end holds nothing more: its source is complete up to its last event. */
async function noteComplete(
  stages: Stages,
  connection: Connection,
  latest: Instant | undefined,
): Promise<void> {
  if (latest === undefined) return;
  const { name, controlPlane } = connection;
  const nothing = { events: [], facts: [], rejects: [] };
  await stages.store.append({
    connection: name,
    stream: "import",
    controlPlane,
    ...nothing,
    secondHand: true,
    completeTo: notAfterNow(stages, latest),
  });
}
