import { join } from "node:path";
import { parseObject, readDataLines, unusable } from "../data-file.ts";

/** A server that stood on the host when it was killed, and whose it was. */
export interface Struck {
  readonly serverId: string;
  readonly projectId: string;
}

/** What the driver of a lab says of the host that it killed. */
export interface LabIncident {
  readonly host: string;
  readonly failedAt: number;
  /** When the driver called the incident over; later events are its tidying up. */
  readonly overAt: number;
  readonly struck: readonly Struck[];
  /** Servers whose making failed meanwhile for a reason of their tenant's own. */
  readonly failedOtherwise: ReadonlySet<string>;
}

interface TruthLine {
  readonly time: string;
  readonly kind: string;
  readonly what?: string;
  readonly host?: string;
  readonly affected?: readonly { readonly server_id: string; readonly project_id: string }[];
  readonly op?: string;
  readonly outcome?: string;
  readonly resource_id?: string;
}

/** Reads what was done. Throws where no host was killed. */
export async function readLabIncident(dir: string): Promise<LabIncident> {
  const path = join(dir, "truth.jsonl.gz");
  const lines = (await readDataLines(path)).map(
    ({ text, place }) => parseObject(text, place) as unknown as TruthLine,
  );
  const failed = lines.find(({ kind, what }) => kind === "incident" && what === "host failed");
  if (failed?.host === undefined) throw unusable(path, "tells of no host that failed");
  const failedAt = Date.parse(failed.time);
  const over = lines.find(
    ({ kind, what, time }) => kind === "phase" && what === "incident over" && Date.parse(time) > failedAt,
  );
  const overAt = over === undefined ? failedAt + 15 * 60_000 : Date.parse(over.time);
  const otherwise = lines.filter(
    ({ kind, op, outcome, time }) =>
      kind === "outcome" &&
      outcome === "failed" &&
      op?.startsWith("server.create") === true &&
      Date.parse(time) >= failedAt &&
      Date.parse(time) <= overAt,
  );
  return {
    host: failed.host,
    failedAt,
    overAt,
    struck: (failed.affected ?? []).map((one) => ({ serverId: one.server_id, projectId: one.project_id })),
    failedOtherwise: new Set(otherwise.flatMap(({ resource_id: id }) => id ?? [])),
  };
}
