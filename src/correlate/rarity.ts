import type { UsualRate } from "./what-else-input.ts";

/** What happens about once an hour is no news in any hour, however near it lies. */
const spanMinMs = 3_600_000;

/** Surprise beyond this many decades says nothing more. */
const surpriseMax = 3;

/**
 * How surprising it is to see a type at all in a span of `gapMs`, as −log10 of the Poisson tail, from 0 (usual) to 3.
 * The same hours of the week decide where they are known, so that what runs every night surprises nobody at night.
 */
export function surpriseOf(rate: UsualRate | undefined, gapMs: number): number {
  const expected = usualPerMs(rate) * Math.max(spanMinMs, gapMs);
  const chance = 1 - Math.exp(-Math.max(1e-9, expected));
  return Math.min(surpriseMax, Math.max(0, -Math.log10(Math.max(1e-9, chance))));
}

function usualPerMs(rate: UsualRate | undefined): number {
  if (rate === undefined) return 0;
  const { perMs, sameHoursPerMs } = rate;
  if (sameHoursPerMs === undefined || sameHoursPerMs >= perMs) return sameHoursPerMs ?? perMs;
  // Few weeks of one hour prove little that is rarer than usual, so that both are heard.
  return Math.sqrt(perMs * Math.max(sameHoursPerMs, perMs / 100));
}
