import type { Attribution } from "../../model/event.ts";
import { entityKey, type Related } from "../../model/entity.ts";
import type { JsonObject } from "../../model/json.ts";
import { compareText } from "./canonical.ts";
import { refreshDerived, setAttribution, type EventRow } from "./event-row.ts";

/** From the answer that settles most to the one that settles least. */
const decidedness: readonly Attribution["status"][] = [
  "owned",
  "shared",
  "provider",
  "ambiguous",
  "unresolved",
];

/**
 * Folds the twin's row into the row that stands: the first report's words and time stay, and the twin adds
 * what they lack: source ids, related entities, actor, operation, stated owner, changes, names. Where both
 * details tell their `source_type`, `twin_types` lists the two. Gives whether the twin's attribution, being
 * the more decided one, has replaced the first's.
 */
export function foldTwin(row: EventRow, twin: EventRow): boolean {
  row.source_ids = [...new Set([...row.source_ids, ...twin.source_ids])].sort();
  row.related = uniteRelated(row.related, twin.related);
  row.actor = fill(row.actor, twin.actor);
  row.operation = fill(row.operation, twin.operation);
  row.stated ??= twin.stated;
  row.changes ??= twin.changes;
  row.subject_name ??= twin.subject_name;
  row.phase ??= twin.phase;
  row.platform ??= twin.platform;
  row.details = withTwinTypes(row.details, twin.details);
  const better = decidedness.indexOf(twin.attribution_status) < decidedness.indexOf(row.attribution_status);
  if (better) setAttribution(row, twin.attribution);
  else refreshDerived(row);
  return better;
}

/** Adds the ids under which the same record came again. */
export function addSourceIds(row: EventRow, ids: readonly string[]): void {
  row.source_ids = [...new Set([...row.source_ids, ...ids])].sort();
  refreshDerived(row);
}

function uniteRelated(first: readonly Related[], second: readonly Related[]): readonly Related[] {
  const spell = ({ role, ref }: Related): string => `${role}\n${entityKey(ref)}`;
  const united = new Map(first.map((related) => [spell(related), related]));
  for (const related of second) {
    const known = united.get(spell(related));
    if (known?.name === undefined) united.set(spell(related), related);
  }
  return [...united.values()].sort((a, b) => compareText(spell(a), spell(b)));
}

function fill<T extends object>(first: T | null, second: T | null): T | null {
  if (first === null || second === null) return first ?? second;
  return { ...second, ...first };
}

function withTwinTypes(first: JsonObject, second: JsonObject): JsonObject {
  const types = [first["source_type"], second["source_type"]].filter((type) => typeof type === "string");
  if (types.length < 2 || types[0] === types[1]) return first;
  return { ...first, twin_types: types.sort() };
}
