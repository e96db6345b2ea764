import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Correlatable } from "./correlatable.ts";

const infrastructure = new Set(["host", "service", "agent", "backend", "hypervisor", "component", "part"]);

/** Of these everybody has one, so that sharing it relates nothing. */
const everybodys = new Set(["project", "domain", "flavor", "user", "region"]);

/** Whether many depend on it: its trouble is a cause worth naming, where a server's is a fellow symptom. */
export function isShared(ref: EntityRef): boolean {
  return infrastructure.has(ref.kind);
}

/** Whether it tells a tenant of a cause outside: which part of the platform it was stays an alias. */
export function isNotice(event: Correlatable): boolean {
  return event.related.some(({ role, ref }) => role === "place" && ref.kind === "part");
}

/** Whether it is about what many stand on, as the provider sees it or as a tenant is told. */
export function isOfShared(event: Correlatable): boolean {
  return isShared(event.subject) || event.subject.kind === "aggregate" || isNotice(event);
}

/** The things that an event is about and that may relate it to another; the subject first. */
export function thingsOf(event: Pick<Correlatable, "subject" | "related">): readonly EntityRef[] {
  return [event.subject, ...event.related.map((item) => item.ref)].filter((ref) => !everybodys.has(ref.kind));
}

/**
 * Keys of the things whose trouble a symptom is, or that a change acts on. For what many stand on these are the shared
 * things alone: a host's alert that names a server does not open a trouble of that server's own.
 */
export function placesOf(event: Correlatable): readonly string[] {
  const things = isOfShared(event) ? thingsOf(event).filter(isPlace) : [event.subject];
  return [...new Set(things.map(entityKey))];
}

function isPlace(ref: EntityRef): boolean {
  return isShared(ref) || ref.kind === "aggregate";
}
