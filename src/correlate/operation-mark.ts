import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Category, Phase } from "../model/event.ts";
import type { Instant } from "../model/instant.ts";
import { instant } from "../model/instant.ts";
import type { Correlatable } from "./correlatable.ts";
import { isWitness } from "./operation-template.ts";

/** One event as a sign of an operation: which step it speaks of, and where in the step it stands. */
export interface OperationMark {
  readonly eventId: string;
  readonly at: Instant;
  /** The type without its phase: `compute.instance.create`. */
  readonly stem: string;
  readonly phase: Phase;
  readonly subject: EntityRef;
  readonly subjectName?: string;
  readonly plane: string;
  /** Who told it; a tenant is not told. */
  readonly connection?: string;
  readonly requestId?: string;
  readonly globalRequestId?: string;
  readonly workflowId?: string;
  /** Keys of all that it speaks of, its subject first. */
  readonly things: readonly string[];
  readonly roles: ReadonlyMap<string, EntityRef>;
  readonly says: string;
  /** How many of how many the record itself counts. */
  readonly counted?: { readonly done: number; readonly total: number };
}

/** Events that are no step of anything that takes time: calls, sign-ins, alerts, tickets, figures of use. */
const noOperation: ReadonlySet<Category> = new Set([
  "api",
  "auth",
  "monitoring",
  "ticket",
  "usage",
  "tenancy",
]);

/** Types whose last part tells the phase in a word of its own, or that are steps without a phase. */
const worded: readonly (readonly [RegExp, string, Phase | "told"])[] = [
  [/^image\.create$/, "image.upload", "start"],
  [/^image\.(prepare|upload)$/, "image.upload", "progress"],
  [/^image\.activate$/, "image.upload", "end"],
  [/^image\.active$/, "image.active", "end"],
  [/^image\.(killed|error)$/, "image.upload", "error"],
  [/^compute\.instance\.evacuate$/, "compute.instance.evacuate", "progress"],
  [/^compute\.instance\.rebuild_scheduled$/, "compute.instance.rebuild_scheduled", "progress"],
  [/^(restore|runbook)\.[a-z_]+$/, "$1", "told"],
  [/^migration\.wave\.[a-z_]+$/, "migration.wave", "told"],
  [/^bacula\.([a-z_]+)\.[a-z_]+$/, "bacula.$1", "told"],
  [
    /^backup\.(?!create|restore|delete|exists|integrity_|deleted$)[a-z_]+\.(started|completed|failed)$/,
    "backup",
    "told",
  ],
  [/^compute\.action\.([a-z_]+)$/, "compute.action.$1", "told"],
  [/^compute\.migration\.([a-z_]+)\.[a-z_]+$/, "compute.migration.$1", "told"],
  [/^compute_task\.[a-z_]+\.error$/, "compute_task", "error"],
  [/^volume\.backup\.[a-z_]+$/, "volume.backup", "told"],
  [/^volume\.snapshot\.[a-z_]+$/, "volume.snapshot", "told"],
];

/** Types without a phase that are asked for beside those with one. */
export const phaselessTypes: readonly string[] = [
  "image.create",
  "image.prepare",
  "image.upload",
  "image.activate",
  "compute.instance.evacuate",
  "compute.instance.rebuild_scheduled",
  "volume.exists",
  "snapshot.exists",
  "backup.exists",
];

/** What an event says of an operation; undefined where it is no sign of one. */
export function readMark(event: Correlatable): OperationMark | undefined {
  // What Isochron itself finds about operations is no step of one.
  if (/^(operation|isochron)\./.test(event.type)) return undefined;
  const step = stepOf(event);
  if (step === undefined) return undefined;
  const { operation, subject } = event;
  const counted = countedIn(event);
  return {
    eventId: event.id,
    at: endMoment(event, step),
    ...step,
    subject,
    ...(event.subjectName === undefined ? {} : { subjectName: event.subjectName }),
    plane: event.controlPlane ?? "",
    ...(event.connection === undefined ? {} : { connection: event.connection }),
    ...(operation?.requestId === undefined ? {} : { requestId: operation.requestId }),
    ...(operation?.globalRequestId === undefined ? {} : { globalRequestId: operation.globalRequestId }),
    ...(operation?.workflowId === undefined ? {} : { workflowId: operation.workflowId }),
    things: [...new Set([entityKey(subject), ...event.related.map(({ ref }) => entityKey(ref))])],
    roles: new Map(event.related.map(({ role, ref }) => [role, ref])),
    says: event.summary,
    ...(counted === undefined ? {} : { counted }),
  };
}

function stepOf(event: Correlatable): { readonly stem: string; readonly phase: Phase } | undefined {
  const { type, phase } = event;
  if (type.endsWith(".exists")) return { stem: type, phase: "progress" };
  for (const [pattern, stem, told] of worded) {
    if (!pattern.test(type)) continue;
    const toldPhase = told === "told" ? phase : told;
    return toldPhase === undefined ? undefined : { stem: type.replace(pattern, stem), phase: toldPhase };
  }
  if (phase === undefined || noOperation.has(event.category)) return undefined;
  const suffix = /\.(start|end|error|progress)$/.exec(type)?.[0];
  return suffix === undefined ? undefined : { stem: type.slice(0, -suffix.length), phase };
}

/** An instance action is dated by its beginning also when it is over; its last step tells when that was. */
function endMoment(event: Correlatable, step: { readonly stem: string; readonly phase: Phase }): Instant {
  if (!isWitness(step.stem) || step.phase === "start") return event.occurredAt;
  const steps = event.details["steps"];
  const finished = (Array.isArray(steps) ? steps : [])
    .map((one) =>
      typeof one === "object" && one !== null && "finish_time" in one ? one["finish_time"] : undefined,
    )
    .filter((time) => typeof time === "string")
    .map((time) => Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(time) ? time : `${time}Z`))
    .filter((time) => time >= event.occurredAt);
  return finished.length === 0 ? event.occurredAt : instant(Math.max(...finished));
}

function countedIn({ details }: Correlatable): OperationMark["counted"] {
  const done = details["items_done"] ?? details["items_actioned"];
  const total = details["items_total"] ?? details["items_found"];
  return typeof done === "number" && typeof total === "number" && done >= 0 && total > 0
    ? { done, total }
    : undefined;
}
