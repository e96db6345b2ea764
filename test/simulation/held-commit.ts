import type { ScenarioPlace } from "./scenario.ts";

/** How long something is under way before it shows: where commits are held, some of them nearly as long as is promised. */
export function heldFor(
  { world, active }: Pick<ScenarioPlace, "world" | "active">,
  mostMs: number,
  usualMs: number,
): number {
  const { random } = world;
  const isHeld = active.has("held commits") && random.chance(0.4);
  if (isHeld && random.chance(0.4)) return mostMs - random.between(0, Math.min(1_500, mostMs));
  return random.between(0, isHeld ? mostMs : usualMs);
}
