import { IsochronError } from "../../errors.ts";
import type { JsonObject } from "../../model/json.ts";
import { decodeBody } from "./answer.ts";
import type { InventoryRecord } from "./inventory-record.ts";
import { asObject, objects, text } from "./item.ts";
import type { CloudSession } from "./keystone.ts";

/** How many servers' actions are asked for side by side: the API knows them per server only. */
const sideBySide = 4;

/** Beyond this many actions of one server the rest waits for its next change. */
const actionsMax = 1000;

/** One action with the steps that Nova recorded for it. */
export interface ServerAction {
  readonly action: JsonObject;
  readonly path: string;
  readonly server: Pick<InventoryRecord, "serverName" | "unplaced">;
}

/**
 * The actions of those servers that changed since `since` (milliseconds), each with its steps (Nova API 2.58 and
 * above, `GET /servers/{id}/os-instance-actions`). Throws `source-unavailable` or `source-malformed`.
 */
export async function readServerActions(
  session: CloudSession,
  servers: readonly JsonObject[],
  since: number,
  headers: Readonly<Record<string, string>>,
): Promise<readonly ServerAction[]> {
  const changed = servers.filter((server) => {
    const updated = Date.parse(text(server, "updated") ?? "");
    return Number.isNaN(updated) || updated >= since;
  });
  const found: ServerAction[] = [];
  for (let at = 0; at < changed.length; at += sideBySide) {
    const batch = changed.slice(at, at + sideBySide);
    const answers = await Promise.all(batch.map((server) => readActionsOf(session, server, since, headers)));
    found.push(...answers.flat());
  }
  return found;
}

async function readActionsOf(
  session: CloudSession,
  server: JsonObject,
  since: number,
  headers: Readonly<Record<string, string>>,
): Promise<readonly ServerAction[]> {
  const id = text(server, "id");
  if (id === undefined) return [];
  const base = `/servers/${encodeURIComponent(id)}/os-instance-actions`;
  const list = await readObject(
    session,
    `${base}?changes-since=${new Date(since).toISOString().slice(0, 19)}Z`,
    headers,
  );
  const serverName = text(server, "name");
  // A server whose build was given up has no host; one that is shelved has left it.
  const unplaced =
    text(server, "OS-EXT-SRV-ATTR:host") === undefined && text(server, "status") !== "SHELVED_OFFLOADED";
  const actions: ServerAction[] = [];
  for (const summary of objects(list?.["instanceActions"]).slice(0, actionsMax)) {
    const request = text(summary, "request_id");
    const updated = Date.parse(withZone(text(summary, "updated_at") ?? text(summary, "start_time") ?? ""));
    if (request === undefined || updated < since) continue;
    const path = `${base}/${encodeURIComponent(request)}`;
    const whole = asObject((await readObject(session, path, headers))?.["instanceAction"]);
    const action = { ...summary, ...whole, instance_uuid: id };
    actions.push({
      action,
      path,
      server: {
        ...(serverName === undefined ? {} : { serverName }),
        ...(unplaced ? { unplaced } : {}),
      },
    });
  }
  return actions;
}

/** The answer's object, or undefined where the server has been purged or the action is not for us. */
async function readObject(
  session: CloudSession,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<JsonObject | undefined> {
  const answer = await session.get("compute", path, { headers });
  if (answer.status === 404 || answer.status === 403) return undefined;
  if (answer.status === 200) return decodeBody(answer, `compute ${path}`);
  throw new IsochronError(
    answer.status >= 500 || answer.status === 429 ? "source-unavailable" : "source-malformed",
    `compute ${path} answered ${answer.status}.`,
    "Check Nova's log; the next pass tries again.",
  );
}

function withZone(time: string): string {
  return /(Z|[+-]\d\d:?\d\d)$/.test(time) ? time : `${time}Z`;
}
