import type { EventDraft } from "../model/event.ts";
import type { JsonObject } from "../model/json.ts";
import type { NoticeSituation } from "../model/notice.ts";

/** When a notice of each situation is made, in a sentence for whoever edits its text. */
export const situationMeanings: Readonly<Record<NoticeSituation, string>> = {
  "host-failure": "A host, or a service on it, failed or is in trouble.",
  recovery: "A host, a service or a storage backend is well again.",
  "maintenance-begins": "Work on a host begins: it was taken out of service, or a maintenance was opened.",
  "maintenance-ends": "Work on a host has ended: it is in service again.",
  "storage-trouble": "A storage backend failed or is in trouble.",
  "live-migration": "Resources are moved to another place while they run.",
  default: "Anything else of the provider's that affects tenants.",
};

const moved = /live[._-]?migrat/;
const maintenance = /maintenance|evacuat|drain|cordon/;
const beginning = /(^|[._-])(begin|began|start|started|starting|enter|open|opened|cordon|drain|evacuate)/;
const ending = /(^|[._-])(end|ended|finish|finished|leave|exit|close|closed|complete|completed|uncordon)/;

/** Read from the kind, the type, the states and whether a reason tells of a failure: nothing of it can carry a name. */
export function situationOf(draft: EventDraft): NoticeSituation {
  const { type, kind, subject } = draft;
  if (moved.test(type)) return "live-migration";
  if (kind === "recovery") return "recovery";
  if (kind === "symptom") return subject.kind === "backend" ? "storage-trouble" : "host-failure";
  return serviceSituation(draft) ?? maintenanceSituation(draft) ?? "default";
}

/** What a type that ends so says of a service or an agent: it is disabled for work, and forced down because it failed. */
const lastSteps: ReadonlyMap<string | undefined, NoticeSituation> = new Map([
  ["disabled", "maintenance-begins"],
  ["enabled", "maintenance-ends"],
  ["forced_down", "host-failure"],
  ["force_lifted", "recovery"],
]);

/** Nova's own notification has one type for all of them, and tells the states that the service has now. */
function serviceSituation(draft: EventDraft): NoticeSituation | undefined {
  const { type, subject, changes = [] } = draft;
  const told = lastSteps.get(type.split(".").at(-1));
  if (told === "maintenance-begins" && tellsOfFailure(draft)) return "host-failure";
  if (told !== undefined) return told;
  if (subject.kind !== "service" || !type.endsWith(".update")) return undefined;
  const state = changes.find(({ field }) => field === "state")?.after;
  if (typeof state !== "string") return undefined;
  if (state.includes("forced down")) return "host-failure";
  if (state.startsWith("disabled")) return tellsOfFailure(draft) ? "host-failure" : "maintenance-begins";
  return state.startsWith("enabled") ? "maintenance-ends" : undefined;
}

/** Nova begins its reason so where the service disabled itself; high availability and people write that a host failed. */
const failureReason = /^auto:|\bhost (?:has |is )?(?:failed|failure|down|dead)\b/i;

/** The inventory tells the service's fields, a notification has them in its payload. */
function tellsOfFailure({ details }: EventDraft): boolean {
  const { payload } = details;
  const isNotified = typeof payload === "object" && payload !== null && !Array.isArray(payload);
  const told = isNotified ? (payload as JsonObject) : details;
  const reason = told["disabled_reason"];
  return told["forced_down"] === true || (typeof reason === "string" && failureReason.test(reason));
}

function maintenanceSituation({ type, phase }: EventDraft): NoticeSituation | undefined {
  if (!maintenance.test(type)) return undefined;
  if (phase === "end" || ending.test(type)) return "maintenance-ends";
  return phase === "start" || beginning.test(type) ? "maintenance-begins" : undefined;
}
