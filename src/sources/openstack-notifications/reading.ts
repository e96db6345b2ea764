import type { EntityKind, EntityRef, Related } from "../../model/entity.ts";
import type {
  Actor,
  Category,
  EventKind,
  FieldChange,
  OperationKey,
  Phase,
  Severity,
  StatedOwner,
  Visibility,
} from "../../model/event.ts";
import type { Instant } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Relation, TopologyFact } from "../../model/topology.ts";
import type { OsloMessage } from "./envelope.ts";

/** A fact before its time is filled in: a message's facts hold at the message's own moment where they give no other. */
export type FactDraft = Omit<TopologyFact, "at"> & { readonly at?: Instant };

/** What one service's reader makes of a message; the common parts are added by `openstack-notifications.ts`. */
export interface Reading {
  readonly type: string;
  readonly kind: EventKind;
  readonly category: Category;
  readonly phase?: Phase;
  readonly severity?: Severity;
  readonly visibility?: Visibility;
  readonly subject: EntityRef;
  readonly subjectName?: string;
  readonly related?: readonly Related[];
  readonly stated?: StatedOwner;
  readonly platform?: boolean;
  /** Names the occurrence where its service reports it twice, under two names. */
  readonly twinOf?: string;
  /** Which of the two reports this is; where absent, Nova's format tells. */
  readonly twinSide?: string;
  readonly actor?: Actor;
  readonly operation?: OperationKey;
  readonly summary: string;
  readonly changes?: readonly FieldChange[];
  readonly facts?: readonly FactDraft[];
  readonly details?: JsonObject;
  /** Fields of the payload that are secrets in this type, and words of everyday in others. */
  readonly conceal?: readonly string[];
  /** The service that has deleted the subject with this very occurrence, by its type in the catalog. */
  readonly removedFrom?: string;
}

/** Reads the messages of one service; undefined for types that it does not know. */
export type Reader = (message: OsloMessage) => Reading | undefined;

export function ref(kind: EntityKind, id: string): EntityRef {
  return { kind, id };
}

export function fact(from: EntityRef, relation: Relation, to: EntityRef, holds = true): FactDraft {
  return { from, relation, to, holds };
}

export function related(
  role: string,
  kind: EntityKind,
  id: string | undefined,
  name?: string,
): readonly Related[] {
  if (id === undefined) return [];
  return [{ role, ref: { kind, id }, ...(name === undefined ? {} : { name }) }];
}

/** What a stated owner proves of the subject. */
export function ownedFacts(subject: EntityRef, stated: StatedOwner | undefined): readonly FactDraft[] {
  return stated === undefined ? [] : [fact(subject, "owned_by", stated.owner)];
}

/** The name of the subject, for people and for records that have nothing but it. */
export function namedFacts(subject: EntityRef, name: string | undefined): readonly FactDraft[] {
  return name === undefined ? [] : [fact(subject, "named", ref("name", name))];
}

const phaseOf: Readonly<Record<string, Phase>> = {
  start: "start",
  end: "end",
  error: "error",
  progress: "progress",
};

/** Splits `volume.create.end` into its stem `volume.create` and phase `end`. */
export function splitPhase(eventType: string): { readonly stem: string; readonly phase?: Phase } {
  const dot = eventType.lastIndexOf(".");
  const phase = phaseOf[eventType.slice(dot + 1)];
  return phase === undefined || dot < 0 ? { stem: eventType } : { stem: eventType.slice(0, dot), phase };
}

/** The priority that the sender chose, as a severity. */
export function severityOf(message: OsloMessage, phase?: Phase): Severity {
  if (message.priority === "CRITICAL") return "critical";
  if (message.priority === "ERROR" || phase === "error") return "error";
  return message.priority.startsWith("WARN") ? "warning" : "info";
}

/**
 * A step's kind: an error is a symptom, a finished step a change; a start is only activity, because
 * nothing has changed yet.
 */
export function kindOf(severity: Severity, phase: Phase | undefined): EventKind {
  if (severity === "error" || severity === "critical") return "symptom";
  return phase === "start" || phase === "progress" ? "activity" : "change";
}

/** `live_migration_post` → `live migration post`, for summaries. */
export function words(name: string): string {
  return name.replaceAll(/[._]+/g, " ").trim();
}

const phaseWords: Readonly<Record<Phase, string>> = {
  start: "started",
  progress: "in progress",
  end: "finished",
  error: "failed",
};

/** One sentence: what happened to which thing, e.g. `Server web-1: resize finished`. */
export function summarise(thing: string, name: string | undefined, action: string, phase?: Phase): string {
  const subject = name === undefined ? thing : `${thing} ${name}`;
  const said = phase === undefined ? words(action) : `${words(action)} ${phaseWords[phase]}`;
  return `${subject[0]!.toUpperCase()}${subject.slice(1)}: ${said}`;
}
