import type { Actor, Category, EventDraft, Observation, Phase } from "../../model/event.ts";
import type { EntityRef, Related } from "../../model/entity.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import { IsochronError } from "../../errors.ts";
import type { Instant } from "../../model/instant.ts";
import type { TopologyFact } from "../../model/topology.ts";
import type { Decoders } from "../source.ts";
import type { InventoryRecord } from "./inventory-record.ts";
import { changedAt, fact, needText, objects, ref, regular, related, stamp, text, words } from "./item.ts";

const actionCategories: Readonly<Record<string, Category>> = {
  create: "provisioning",
  delete: "provisioning",
  restore: "provisioning",
  migrate: "migration",
  live_migration: "migration",
  evacuate: "migration",
  create_image: "image",
  create_backup: "image",
  attach_volume: "storage",
  detach_volume: "storage",
  swap_volume: "storage",
  attach_interface: "network",
  detach_interface: "network",
};

/** Actions that Nova does within the request and records without any step. */
const immediateActions: ReadonlySet<string> = new Set(["resetState", "lock", "unlock"]);

/**
 * Instance actions (Nova API 2.58+): what was asked of a server, and how it went. `user_id` and `project_id` are
 * the asker's, never the server's owner. An action is told once while it runs and once when it is over.
 */
export function readServerAction(record: InventoryRecord, decode: Decoders): Observation {
  const { item, serverName } = record;
  const id = needText(item, "instance_uuid");
  const requestId = needText(item, "request_id");
  const action = needText(item, "action");
  const started = stamp(item, "start_time", decode);
  if (started === undefined) {
    throw new IsochronError("record-invalid", "The action has no start_time.", "Check the API's version.");
  }
  const steps = objects(item["events"]);
  const outcome = outcomeOf(item, action, steps);
  const server: EntityRef = ref("server", id);
  const key = `action:${id}:${requestId}:${action}:${outcome.name}`;
  const actor = actorOf(item);
  const named = regular(action);
  const draft: EventDraft = {
    key,
    sourceIds: [key],
    occurredAt: started.at,
    precision: started.precision,
    type: `compute.action.${named}`,
    kind: outcome.phase === "error" ? "symptom" : outcome.phase === "start" ? "activity" : "change",
    category: actionCategories[named] ?? "lifecycle",
    phase: outcome.phase,
    severity: outcome.phase === "error" ? "error" : "info",
    visibility: "operational",
    subject: server,
    ...(serverName === undefined ? {} : { subjectName: serverName }),
    related: hostsOf(steps),
    ...(actor === undefined ? {} : { actor }),
    operation: { requestId },
    summary: `Server ${serverName ?? id}: ${words(action)} ${outcome.said}`,
    details: {
      seen_by: "polling",
      message: text(item, "message") ?? null,
      updated_at: text(item, "updated_at") ?? null,
      steps: steps.map(tidyStep),
    },
  };
  return { events: [draft], facts: record.unplaced === true ? [] : placementFacts(server, steps, decode) };
}

/**
 * Steps that are done by the host on which the server is when they succeed (`true`), or which it has just left.
 * They date a server's moves to the second, where two looks only tell that it moved in between.
 */
const placingSteps: Readonly<Record<string, boolean>> = {
  compute__do_build_and_run_instance: true,
  compute_rebuild_instance: true,
  compute_finish_resize: true,
  compute_finish_revert_resize: true,
  compute_post_live_migration_at_destination: true,
  compute_unshelve_instance: true,
  compute_start_instance: true,
  compute_reboot_instance: true,
  compute_shelve_offload_instance: false,
  compute_terminate_instance: false,
};

function placementFacts(
  server: EntityRef,
  steps: readonly JsonObject[],
  decode: Decoders,
): readonly TopologyFact[] {
  const placing = steps.filter((step) => {
    const name = text(step, "event");
    return name !== undefined && Object.hasOwn(placingSteps, name) && text(step, "result") === "Success";
  });
  const latest = new Map<string, { readonly step: JsonObject; readonly at: Instant }>();
  for (const step of placing) {
    const name = needText(step, "event");
    const finish = stamp(step, "finish_time", decode);
    const known = latest.get(name);
    // A build that moves on to another host also calls its first try a success; only the last one placed it.
    if (finish !== undefined && (known === undefined || finish.at > known.at))
      latest.set(name, { step, at: finish.at });
  }
  return [...latest].flatMap(([name, { step, at }]) =>
    fact(server, "runs_on", "host", text(step, "host"), at, placingSteps[name]),
  );
}

interface Outcome {
  readonly name: "running" | "finished" | "failed";
  readonly phase: Phase;
  readonly said: string;
}

const running: Outcome = { name: "running", phase: "start", said: "started" };
const finished: Outcome = { name: "finished", phase: "end", said: "finished" };
const failed: Outcome = { name: "failed", phase: "error", said: "failed" };

function outcomeOf(item: JsonObject, action: string, steps: readonly JsonObject[]): Outcome {
  if (text(item, "message") === "Error" || steps.some((step) => text(step, "result") === "Error"))
    return failed;
  if (steps.length === 0) return immediateActions.has(action) ? finished : running;
  return steps.every((step) => text(step, "finish_time") !== undefined) ? finished : running;
}

/** A step without its traceback, which names the provider's files. */
function tidyStep(step: JsonObject): JsonObject {
  const kept: Record<string, Json> = {};
  for (const field of ["event", "start_time", "finish_time", "result", "host", "details"]) {
    const value = step[field];
    if (value !== undefined && value !== null) kept[field] = value;
  }
  return kept;
}

function hostsOf(steps: readonly JsonObject[]): readonly Related[] {
  const hosts = new Set(steps.flatMap((step) => text(step, "host") ?? []));
  return [...hosts].flatMap((host) => related("host", "host", host));
}

function actorOf(item: JsonObject): Actor | undefined {
  const userId = text(item, "user_id");
  const projectId = text(item, "project_id");
  if (userId === undefined && projectId === undefined) return undefined;
  return {
    ...(userId === undefined ? {} : { userId }),
    ...(projectId === undefined ? {} : { projectId }),
  };
}

const failedMigrations: ReadonlySet<string> = new Set(["error", "failed"]);
const endedMigrations: ReadonlySet<string> = new Set([
  "completed",
  "confirmed",
  "reverted",
  "finished",
  "done",
  "cancelled",
]);

/**
 * Migrations (Nova API 2.59+, the asker's project from 2.80): each status that was seen is an event of its own,
 * since Nova keeps only the newest. `project_id` is the asker's.
 */
export function readMigration(record: InventoryRecord, decode: Decoders): Observation {
  const { item } = record;
  const id = text(item, "uuid") ?? needText(item, "id");
  const server = needText(item, "instance_uuid");
  const status = needText(item, "status");
  const type = text(item, "migration_type") ?? "migration";
  const phase: Phase = failedMigrations.has(status)
    ? "error"
    : endedMigrations.has(status)
      ? "end"
      : "progress";
  const changed = changedAt(item, decode);
  const source = text(item, "source_compute");
  const target = text(item, "dest_compute");
  const key = `migration:${id}:${status}`;
  const actor = actorOf(item);
  const way = `from ${source ?? "?"} to ${target ?? "?"}`;
  const draft: EventDraft = {
    key,
    sourceIds: [key],
    occurredAt: changed.at,
    precision: changed.precision,
    type: `compute.migration.${regular(type)}.${regular(status)}`,
    kind: phase === "error" ? "symptom" : phase === "end" ? "change" : "activity",
    category: "migration",
    phase,
    severity: phase === "error" ? "error" : "info",
    visibility: "operational",
    subject: ref("server", server),
    related: [
      ...related("migration", "migration", id),
      ...related("source_host", "host", source),
      ...related("dest_host", "host", target),
    ],
    ...(actor === undefined ? {} : { actor }),
    summary: `Server ${server}: ${words(type)} ${way} ${words(status)}`,
    details: {
      seen_by: "polling",
      migration_id: item["id"] ?? null,
      created_at: text(item, "created_at") ?? null,
      source_node: text(item, "source_node") ?? null,
      dest_node: text(item, "dest_node") ?? null,
    },
  };
  return { events: [draft], facts: [] };
}
