import type { Instant } from "../../model/instant.ts";
import { instant, isInRange } from "../../model/instant.ts";
import type { RecordOrigin, Reject, ResolvedPage } from "../event-store.ts";
import { canonical } from "./canonical.ts";

/** Why each record cannot be stored, by its source id. */
export type Poison = ReadonlyMap<string, string>;

/** What the database refuses for its content: class 22 (data exception), 54 (a limit), and times that JavaScript refuses. */
export function isDataError(error: unknown): boolean {
  const { code } = error as { code?: string };
  if (code !== undefined) return code.startsWith("22") || code.startsWith("54");
  return error instanceof RangeError;
}

/** Records whose time lies outside of what the partitions are made for. */
export function outOfTime(page: ResolvedPage): Poison {
  const poison = new Map<string, string>();
  const check = (at: Instant, unit: string): void => {
    if (!isInRange(at)) poison.set(unit, "Its time does not lie between 1970 and 2200.");
  };
  for (const { draft } of page.events) check(draft.occurredAt, unitOf(draft.sourceIds));
  for (const fact of page.facts) check(fact.at, fact.sourceId);
  return poison;
}

/**
 * Halves the page until the records stand alone that `attempt` refuses (it gives the error, or undefined
 * when the part could be stored, and undoes it either way). Records are never split.
 */
export async function findPoison(
  page: ResolvedPage,
  cause: unknown,
  attempt: (part: ResolvedPage) => Promise<unknown>,
): Promise<Poison> {
  const poison = new Map<string, string>();
  const search = async (units: readonly string[], error: unknown): Promise<void> => {
    if (units.length === 1) {
      poison.set(units[0] ?? "", `The database refuses it: ${(error as Error).message}.`);
      return;
    }
    const middle = Math.ceil(units.length / 2);
    for (const half of [units.slice(0, middle), units.slice(middle)]) {
      const refusal = half.length === 0 ? undefined : await attempt(restrict(page, new Set(half)));
      if (refusal !== undefined) await search(half, refusal);
    }
  };
  const units = unitsOf(page);
  if (units.length > 0) await search(units, cause);
  return poison;
}

/** The page without the poisoned records, which are among its rejects instead. */
export function setAsideInstead(page: ResolvedPage, poison: Poison): ResolvedPage {
  if (poison.size === 0) return page;
  const kept = restrict(page, new Set(unitsOf(page).filter((unit) => !poison.has(unit))));
  const rejects = [...poison].map(([unit, reason]): Reject => {
    return { ...originOf(page, unit), code: "record-invalid", reason };
  });
  return { ...kept, rejects: [...page.rejects, ...rejects] };
}

/** All that one record told: it is stored or set aside as one. */
function unitOf(sourceIds: readonly string[]): string {
  return sourceIds[0] ?? "";
}

function unitsOf(page: ResolvedPage): readonly string[] {
  return [
    ...new Set([
      ...page.events.map(({ draft }) => unitOf(draft.sourceIds)),
      ...page.facts.map(({ sourceId }) => sourceId),
    ]),
  ];
}

function restrict(page: ResolvedPage, units: ReadonlySet<string>): ResolvedPage {
  return {
    ...page,
    events: page.events.filter(({ draft }) => units.has(unitOf(draft.sourceIds))),
    facts: page.facts.filter(({ sourceId }) => units.has(sourceId)),
  };
}

function originOf(page: ResolvedPage, unit: string): RecordOrigin {
  const origin = page.origins?.get(unit);
  if (origin !== undefined) return origin;
  const drafts = page.events
    .filter(({ draft }) => unitOf(draft.sourceIds) === unit)
    .map(({ draft }) => draft);
  const facts = page.facts.filter(({ sourceId }) => sourceId === unit);
  return {
    position: unit,
    bytes: new TextEncoder().encode(canonical({ drafts, facts })),
    meta: { normalised: true },
    receivedAt: instant(Date.now()),
  };
}
