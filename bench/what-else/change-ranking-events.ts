import { clean } from "../../src/normalise/clean.ts";
import { decoders } from "../../src/normalise/decode.ts";
import type { Correlatable } from "../../src/correlate/correlatable.ts";
import type { EventDraft } from "../../src/model/event.ts";
import { instant } from "../../src/model/instant.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { gitForge } from "../../src/sources/git-forge.ts";
import { openstackLogs } from "../../src/sources/openstack-logs.ts";
import type { RawRecord } from "../../src/sources/source.ts";
import type { RankingCase, RankingChange, RankingLine } from "./change-ranking-data.ts";

/** What a store would hold of a case, made by the sources that would have read it. */
export interface CaseEvents {
  readonly symptom: Correlatable;
  readonly earlier: readonly Correlatable[];
  /** The change that each event of a deploy tells of, by the event's id. */
  readonly changeOf: ReadonlyMap<string, string>;
}

/** A case's lines as a log shipper posts them, and its deploys as a forge tells of pushes. */
export function buildEvents(item: RankingCase): CaseEvents {
  const changeOf = new Map<string, string>();
  const earlier: Correlatable[] = [];
  for (const change of item.changes) {
    const deploy = only(gitForge.normalise(pushOf(change), decoders), `deploy ${change.id}`, "forge");
    changeOf.set(deploy.id, change.id);
    earlier.push(deploy);
  }
  const seen = new Set<string>();
  for (const [index, line] of item.lines.entries()) {
    const event = only(openstackLogs.normalise(lineOf(line), decoders), `line ${index}`, "logs");
    // Equal lines are one, as they would be in a delivery that is made twice.
    if (!seen.has(event.id)) earlier.push(event);
    seen.add(event.id);
  }
  const symptom = only(openstackLogs.normalise(symptomOf(item), decoders), "the symptom", "logs");
  return { symptom, earlier, changeOf };
}

function only(
  observation: { readonly events: readonly EventDraft[] },
  place: string,
  connection: string,
): Correlatable {
  const [draft] = clean({ events: observation.events, facts: [] }, instant(Date.now())).events;
  if (draft === undefined) throw new Error(`${place} makes no event`);
  return { ...draft, id: `${connection} ${draft.key}`, connection, controlPlane: "testbed" };
}

function record(body: JsonObject, meta: JsonObject): RawRecord {
  return {
    bytes: new TextEncoder().encode(JSON.stringify(body)),
    position: "delivery 1",
    receivedAt: instant(0),
    meta,
  };
}

function pushOf(change: RankingChange): RawRecord {
  const service = change.file.split("/")[0] ?? "service";
  const body = {
    ref: "refs/heads/production",
    before: "1".repeat(40),
    after: change.id,
    repository: {
      id: 1,
      full_name: `openstack/${service}`,
      html_url: `https://forge.test/openstack/${service}`,
      pushed_at: `${change.ts.replace(" ", "T")}Z`,
    },
    commits: [{ id: change.id, message: "Deploy", added: [], modified: [change.file], removed: [] }],
  };
  return record(body, { forge: "github", event: "push", delivery: change.id });
}

/** The data's zone is not told, and the same for all times of a case. */
const meta = { zone: "UTC" };

function lineOf(line: RankingLine): RawRecord {
  const [message = "", ...stacks] = line.text.split(" | exc: ");
  return record(
    {
      ts: line.ts,
      src: line.source,
      level: line.level,
      logger: line.logger,
      request_id: line.requestId,
      user_id: line.userId,
      project_id: line.projectId,
      message: message.trim() === "" ? "-" : message,
      ...(stacks.length > 0 && { traceback: stacks.map(unfold).join("\n") }),
    },
    meta,
  );
}

/** The data folds a traceback into `ERROR | frames: FILE:FUNCTION > …`; services write it as Python does. */
function unfold(folded: string): string {
  const [exception = "", frames = ""] = folded.split(" | frames: ");
  const lines = frames
    .split(" > ")
    .map((frame) => /^(.+):([^:]+)$/.exec(frame.trim()))
    .filter((match) => match !== null)
    .map(([, file, name]) => `  File "${siteFile(file!)}", line 1, in ${name}`);
  return ["Traceback (most recent call last):", ...lines, exception.trim() || "Error"].join("\n");
}

function siteFile(file: string): string {
  return file.startsWith("/") || file.startsWith("<") ? file : `/usr/lib/python2.7/site-packages/${file}`;
}

function symptomOf({ symptom }: RankingCase): RawRecord {
  return record(
    {
      ts: symptom.ts,
      src: "workload",
      level: "ERROR",
      logger: "workload",
      message: [symptom.text, symptom.error].filter((part) => part !== undefined).join(": "),
      ...(symptom.requestIds[0] !== undefined && { request_id: symptom.requestIds[0] }),
    },
    meta,
  );
}
