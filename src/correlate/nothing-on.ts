import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Correlatable } from "./correlatable.ts";
import type { Lens } from "./lens.ts";

/** Kinds worth naming when nothing happened on them. */
const checkedKinds = new Set([
  "host",
  "volume",
  "network",
  "image",
  "backend",
  "port",
  "router",
  "service",
  "server",
]);

/** Weaker ways lead to what nobody would have looked at. */
const strengthMin = 0.2;
const listedMax = 20;

/** What the symptoms stand on, of which no event speaks. */
export function findNothingOn<E extends Correlatable>(
  events: readonly E[],
  lenses: readonly Lens<E>[],
): readonly EntityRef[] {
  const busy = new Set(
    events.flatMap((event) => [
      entityKey(event.subject),
      ...event.related.map((item) => entityKey(item.ref)),
    ]),
  );
  const near = new Map<string, EntityRef>();
  for (const { starts, paths } of lenses) {
    for (const ref of starts) near.set(entityKey(ref), ref);
    for (const path of paths.values()) {
      if (path.strength < strengthMin) continue;
      for (const ref of path.hops.flatMap((hop) => [hop.from, hop.to])) near.set(entityKey(ref), ref);
    }
  }
  return [...near.entries()]
    .filter(([key, ref]) => checkedKinds.has(ref.kind) && !busy.has(key))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, listedMax)
    .map(([, ref]) => ref);
}
