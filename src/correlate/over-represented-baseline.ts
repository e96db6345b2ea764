import { instant, type Instant } from "../model/instant.ts";

export interface Stretch {
  readonly from: Instant;
  readonly to: Instant;
}

const dayMs = 24 * 3_600_000;

/** So many earlier days, or stretches of whole days. */
const daysMax = 7;
const longerMax = 4;

/**
 * The same hours before: of the seven days before for what fits into a day, so that a nightly job is compared with
 * itself; of longer stretches the four before, each moved by whole days. The latest first; none overlaps the selection.
 */
export function usualStretches({ from, to }: Stretch): readonly Stretch[] {
  const days = Math.max(1, Math.ceil((to - from) / dayMs));
  return Array.from({ length: days === 1 ? daysMax : longerMax }, (_, index) => {
    const shiftMs = (index + 1) * days * dayMs;
    return { from: instant(from - shiftMs), to: instant(to - shiftMs) };
  }).filter((stretch) => stretch.from >= 0);
}
