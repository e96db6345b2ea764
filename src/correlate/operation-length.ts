import type { OperationTemplate } from "./operation-template.ts";
import { findTemplate } from "./operation-template.ts";

/** How long the operations of a template, or its steps, took so far: how many fell into each bin of lengths. */
export interface LengthHistory {
  /** One that was waited for in vain is counted in {@link endlessBin}. By {@link operationLengthKey} or {@link stepLengthKey}, by bin as {@link lengthBin} numbers them. */
  readonly counts: ReadonlyMap<string, ReadonlyMap<number, number>>;
}

export const noLengths: LengthHistory = { counts: new Map() };

/** Nothing is overdue sooner, however fast it usually is: clocks and deliveries differ by seconds. */
export const overdueFloorMs = 60_000;

/** Beyond this nothing is waited for, whatever the history says. */
export const overdueCeilingMs = 31 * 24 * 3_600_000;

/** The shipped length weighs as much as so many that were seen. */
const shippedWeight = 10;

/** One in a hundred lies beyond the 99th percentile by its nature; only twice as long is remarkable. */
const beyond = 2;

const binsPerDoubling = 4;

/** The bin of those of which no end was seen. */
export const endlessBin = -1;

/** A kind of which fewer than this share tell their end says nothing by not telling it, once so many were seen. */
const endToldShareMin = 0.8;
const endToldOfMin = 5;

export function operationLengthKey(template: string): string {
  return `op/${template}`;
}

export function stepLengthKey(stem: string): string {
  return `step/${stem}`;
}

/** Lengths a fifth apart or less share a bin. */
export function lengthBin(ms: number): number {
  return Math.floor(Math.log2(Math.max(1, ms)) * binsPerDoubling);
}

/** The longest length of a bin, in milliseconds. */
export function binEndMs(bin: number): number {
  return 2 ** ((bin + 1) / binsPerDoubling);
}

/** The 99th percentile of what was seen, in milliseconds, and of how many; undefined for none. */
export function percentile99(
  history: LengthHistory,
  key: string,
): { readonly ms: number; readonly count: number } | undefined {
  const bins = [...(history.counts.get(key) ?? [])]
    .filter(([bin]) => bin !== endlessBin)
    .toSorted(([left], [right]) => left - right);
  const count = bins.reduce((sum, [, more]) => sum + more, 0);
  let below = 0;
  for (const [bin, more] of bins) {
    below += more;
    if (below >= count * 0.99) return { ms: binEndMs(bin), count };
  }
  return undefined;
}

/**
 * How long one is waited for, in milliseconds: twice the 99th percentile of all that were seen of its kind, drawn (on a
 * logarithmic scale) towards the shipped length as long as few were seen, and never less than the floor.
 */
export function waitMs(history: LengthHistory, key: string, shippedMs: number): number {
  const seen = percentile99(history, key);
  if (seen === undefined) return Math.max(overdueFloorMs, shippedMs);
  const learnt = Math.log(Math.max(1, seen.ms * beyond));
  const drawn = (seen.count * learnt + shippedWeight * Math.log(shippedMs)) / (seen.count + shippedWeight);
  return Math.min(overdueCeilingMs, Math.max(overdueFloorMs, Math.exp(drawn)));
}

/** Whether what bears the key usually tells its end: Neutron begins some of its steps aloud and ends them silently. */
export function tellsEnd(history: LengthHistory, key: string): boolean {
  const bins = history.counts.get(key) ?? new Map<number, number>();
  const all = [...bins.values()].reduce((sum, more) => sum + more, 0);
  return all < endToldOfMin || all - (bins.get(endlessBin) ?? 0) >= all * endToldShareMin;
}

/** How long an operation of the template is waited for. */
export function operationWaitMs(history: LengthHistory, { name, usualMs }: OperationTemplate): number {
  return waitMs(history, operationLengthKey(name), usualMs);
}

/** How long one step is waited for; without any history as long as the operation that it is part of. */
export function stepWaitMs(history: LengthHistory, stem: string, within: OperationTemplate): number {
  return waitMs(history, stepLengthKey(stem), findTemplate(within.name)?.usualMs ?? within.usualMs);
}

/** A history of the given lengths, each counted once. */
export function countLengths(
  lengths: Iterable<{ readonly key: string; readonly ms: number | undefined }>,
): LengthHistory {
  const counts = new Map<string, Map<number, number>>();
  for (const { key, ms } of lengths) {
    const bins = counts.get(key) ?? new Map<number, number>();
    counts.set(key, bins);
    const bin = ms === undefined ? endlessBin : lengthBin(ms);
    bins.set(bin, (bins.get(bin) ?? 0) + 1);
  }
  return { counts };
}
