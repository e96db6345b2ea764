import { createHash } from "node:crypto";
import { IsochronError } from "../errors.ts";
import type { EntityRef, Related } from "../model/entity.ts";
import { categories, eventKinds, phases, severities, visibilities } from "../model/event.ts";
import type {
  Actor,
  EventDraft,
  FieldChange,
  Observation,
  OperationKey,
  StatedOwner,
  Twin,
} from "../model/event.ts";
import { regularizeEventType } from "../model/event-type.ts";
import { duration, instant, isInRange } from "../model/instant.ts";
import type { Duration, Instant } from "../model/instant.ts";
import { relations } from "../model/topology.ts";
import type { TopologyFact } from "../model/topology.ts";
import { fitDetails, fitJson } from "./detail.ts";
import * as limits from "./limits.ts";
import { printable, storable } from "./printable.ts";

/**
 * Makes what a source reports storable: every string well-formed and without NUL, every list and text within
 * `limits.ts`, times within the calendar. Ids keep their value or are refused, and what cannot be kept of a key is hashed; what is only read by people is cut at marked places,
 * never refused. Pure and idempotent. Throws `record-invalid` where an id, a key, a time or a word of the model is
 * missing or impossible, because a guess there would name something else.
 */
export function clean(observation: Observation, receivedAt: Instant): Observation {
  if (
    observation.events.length > limits.recordEventsMax ||
    observation.facts.length > limits.recordFactsMax
  ) {
    throw new IsochronError(
      "record-invalid",
      `The record holds more than ${limits.recordEventsMax} events or ${limits.recordFactsMax} facts.`,
      "Send it in smaller records.",
    );
  }
  return {
    events: observation.events.map((draft) => cleanDraft(draft, receivedAt)),
    facts: observation.facts.map(cleanFact),
  };
}

function cleanDraft(draft: EventDraft, receivedAt: Instant): EventDraft {
  const type = regularizeEventType(draft.type);
  const sourceIds = [...new Set(draft.sourceIds.map(cleanKey))];
  if (sourceIds.length === 0) throw invalid("The event has no id of its source", "Report at least one.");
  const occurredAt = cleanInstant(draft.occurredAt);
  const subjectName = cleanName(draft.subjectName);
  const actor = draft.actor && cleanActor(draft.actor);
  const operation = draft.operation && cleanOperation(draft.operation);
  const related = cleanRelated(draft.related);
  const changesCut = (draft.changes?.length ?? 0) - limits.changesMax;
  return {
    key: cleanKey(draft.key),
    sourceIds: sourceIds.slice(0, limits.sourceIdsMax),
    occurredAt,
    precision: cleanPrecision(draft.precision),
    type,
    kind: oneOf(eventKinds, draft.kind, "kind"),
    category: oneOf(categories, draft.category, "category"),
    ...(draft.phase !== undefined && { phase: oneOf(phases, draft.phase, "phase") }),
    severity: oneOf(severities, draft.severity, "severity"),
    visibility: oneOf(visibilities, draft.visibility, "visibility"),
    subject: cleanRef(draft.subject),
    ...(subjectName !== undefined && { subjectName }),
    related: related.slice(0, limits.relatedMax),
    ...(actor !== undefined && { actor }),
    ...(operation !== undefined && { operation }),
    ...(draft.stated !== undefined && { stated: cleanStated(draft.stated) }),
    ...(draft.platform !== undefined && { platform: draft.platform === true }),
    ...(draft.twin !== undefined && { twin: cleanTwin(draft.twin) }),
    summary: printable(draft.summary, limits.summaryCharsMax) || type,
    details: fitDetails(draft.details, {
      ...(related.length > limits.relatedMax && { related_cut: related.length - limits.relatedMax }),
      ...(changesCut > 0 && { changes_cut: changesCut }),
      ...(occurredAt > receivedAt + limits.futureMsMax && { time_suspect: true }),
    }),
    ...(draft.changes !== undefined && { changes: cleanChanges(draft.changes) }),
  };
}

function cleanFact(fact: TopologyFact): TopologyFact {
  if (!Object.hasOwn(relations, fact.relation)) {
    throw invalid("The fact's relation is not one of the model's", "Use one that it lists.");
  }
  return {
    from: cleanRef(fact.from),
    relation: fact.relation,
    to: cleanRef(fact.to),
    at: cleanInstant(fact.at),
    holds: fact.holds === true,
  };
}

function cleanRef(ref: EntityRef): EntityRef {
  if (!/^[a-z][a-z0-9_]{0,63}$/.test(ref.kind)) {
    throw invalid(
      `The entity kind ${quote(ref.kind)} is not a lower-case word`,
      "Use one such as server or host.",
    );
  }
  return { kind: ref.kind, id: cleanId(ref.id, ref.kind) };
}

/** Ids are compared by value, so one that cannot be stored as it is would name something else once it is mended. */
function cleanId(id: string, what: string): string {
  if (typeof id !== "string" || id.trim() === "")
    throw invalid(`The id of the ${what} is empty`, "Name one.");
  if (storable(id) !== id) {
    throw invalid(
      `The id of the ${what} ${quote(id)} holds a NUL or half a character`,
      "Send it as well-formed Unicode.",
    );
  }
  if (id.length <= limits.idCharsMax) return id;
  throw invalid(`The id of the ${what} is longer than ${limits.idCharsMax} characters`, "Send its real id.");
}

/** A key only has to be the same each time and unlike every other, so one that cannot be kept becomes its hash. */
function cleanKey(key: string): string {
  if (typeof key !== "string" || key === "")
    throw invalid("The event's key is empty", "Report what names it.");
  const isStorable = storable(key) === key;
  if (isStorable && key.length <= limits.keyCharsMax) return key;
  // UTF-8 would write every half character alike; UTF-16 keeps them apart, and its mark begins no UTF-8.
  const bytes = isStorable ? Buffer.from(key) : Buffer.from(`\ufeff${key}`, "utf16le");
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function cleanInstant(at: Instant): Instant {
  const ms = Math.floor(at);
  if (isInRange(ms)) return instant(ms);
  throw invalid("The time lies outside the years 1970 to 2199", "Check the clock of the sender.");
}

function cleanPrecision(precision: Duration): Duration {
  if (!(precision >= 0))
    throw invalid("The precision is not a length of time", "Report milliseconds from 0 up.");
  return duration(Math.min(Math.ceil(precision), limits.precisionMsMax));
}

function cleanName(name: string | undefined): string | undefined {
  return name === undefined ? undefined : printable(name, limits.nameCharsMax) || undefined;
}

function cleanRelated(related: readonly Related[]): readonly Related[] {
  const seen = new Set<string>();
  const kept: Related[] = [];
  for (const { role, ref, name } of related) {
    const cleanedRef = cleanRef(ref);
    const cleanedName = cleanName(name);
    const cleaned = { role: printable(role, 64) || "related", ref: cleanedRef };
    const identity = `${cleaned.role} ${cleanedRef.kind}:${cleanedRef.id}`;
    if (seen.has(identity)) continue;
    seen.add(identity);
    kept.push(cleanedName === undefined ? cleaned : { ...cleaned, name: cleanedName });
  }
  return kept;
}

function cleanActor(actor: Actor): Actor | undefined {
  return present<Actor>({
    userId: optionalId(actor.userId, "actor"),
    userName: cleanName(actor.userName),
    projectId: optionalId(actor.projectId, "actor's project"),
    domainId: optionalId(actor.domainId, "actor's domain"),
    address: cleanName(actor.address),
  });
}

function cleanOperation(operation: OperationKey): OperationKey | undefined {
  return present<OperationKey>({
    requestId: optionalId(operation.requestId, "request"),
    globalRequestId: optionalId(operation.globalRequestId, "global request"),
    workflowId: optionalId(operation.workflowId, "workflow"),
  });
}

function optionalId(id: string | undefined, what: string): string | undefined {
  return id === undefined || id.trim() === "" ? undefined : cleanId(id, what);
}

function present<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T | undefined {
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined);
  return kept.length === 0 ? undefined : (Object.fromEntries(kept) as T);
}

function cleanStated(stated: StatedOwner): StatedOwner {
  const kind = oneOf(["project", "domain"] as const, stated.owner.kind, "owner");
  return {
    owner: { kind, id: cleanId(stated.owner.id, kind) },
    path: printable(stated.path, limits.nameCharsMax) || "?",
  };
}

function cleanTwin(twin: Twin): Twin {
  return { group: cleanKey(twin.group), side: cleanKey(twin.side), within: cleanPrecision(twin.within) };
}

function cleanChanges(changes: readonly FieldChange[]): readonly FieldChange[] {
  const whole = changes.slice(0, limits.changesMax).map(({ field, before, after }) => ({
    field: printable(field, limits.nameCharsMax) || "?",
    before: fitJson(before).value,
    after: fitJson(after).value,
  }));
  if (Buffer.byteLength(JSON.stringify(whole)) <= limits.detailsBytesMax) return whole;
  // Each change keeps an equal share, so that one huge value cannot push the others out.
  const share = Math.floor(
    (limits.detailsBytesMax / whole.length - 3 * limits.changedFieldCharsMax - 40) / 2,
  );
  return whole.map(({ field, before, after }) => ({
    field: printable(field, limits.changedFieldCharsMax),
    before: fitJson(before, share).value,
    after: fitJson(after, share).value,
  }));
}

function oneOf<const Word extends string>(words: readonly Word[], word: Word, what: string): Word {
  if (words.includes(word)) return word;
  throw invalid(
    `The ${what} ${quote(word)} is not one of the model's words`,
    `Use one of ${words.join(", ")}.`,
  );
}

function quote(word: unknown): string {
  return JSON.stringify(storable(String(word)).slice(0, 64));
}

function invalid(problem: string, remedy: string): IsochronError {
  return new IsochronError("record-invalid", `${problem}.`, remedy);
}
