import { exactProbability } from "./exact-tail.ts";

/** How many events of the selection and of its baseline have one value of one attribute. */
export interface ValueCount {
  readonly attribute: string;
  readonly value: string;
  readonly inside: number;
  readonly outside: number;
}

export interface ComparisonInput {
  /** Events in the selection, and in the baseline; none stands in both. */
  readonly inside: number;
  readonly outside: number;
  readonly values: readonly ValueCount[];
  /** Of the values that are told, at most this share may be chance, on average: above 0, below 1. */
  readonly falseDiscoveryRate: number;
}

/** A value that stands out. */
export interface OverRepresented extends ValueCount {
  readonly direction: "more" | "less";
  /** ln of the odds inside over the odds outside, with half an event added on each side. */
  readonly logOdds: number;
  /** The log-odds in their standard errors: what the ranking goes by. */
  readonly z: number;
  /** By Fisher's exact test, before and after it was allowed for that so many values were tried. */
  readonly probability: number;
  readonly adjusted: number;
  /** In words, such as "9 of 12 here, 3 of 400 usually". */
  readonly says: string;
}

export interface Comparison {
  /** The most telling first. */
  readonly findings: readonly OverRepresented[];
  /** How many values were tried. */
  readonly tested: number;
}

/** Dirichlet(½, ½) on having a value and not having it: so that "never before" has finite odds, and few events small z. */
const prior = 0.5;

/**
 * Which values stand out in a selection against its baseline. Every value is tried by Fisher's exact test, and of all
 * that were tried those are told that Benjamini and Hochberg's procedure leaves at the rate; they are ranked by |z| of
 * the log-odds. The order of the values changes nothing. Pure.
 */
export function findOverRepresented(input: ComparisonInput): Comparison {
  const { inside: insideAll, outside: outsideAll } = input;
  if (insideAll === 0 || outsideAll === 0) return { findings: [], tested: 0 };
  const tried = input.values.map((one) => {
    const probability = exactProbability(one.inside, insideAll, one.outside, outsideAll);
    return { ...one, ...weigh(one, insideAll, outsideAll), probability };
  });
  const adjusted = adjust(tried.map(({ probability }) => probability));
  const findings = tried
    .map((one, index) => ({ ...one, adjusted: adjusted[index]! }))
    .filter((one) => one.adjusted <= input.falseDiscoveryRate)
    .map((one): OverRepresented => {
      const direction = one.logOdds > 0 ? "more" : "less";
      return { ...one, direction, says: tell(one, insideAll, outsideAll) };
    })
    .toSorted((a, b) => Math.abs(b.z) - Math.abs(a.z) || compare(spell(a), spell(b)));
  return { findings, tested: tried.length };
}

function weigh({ inside, outside }: ValueCount, insideAll: number, outsideAll: number) {
  const cells = [inside, insideAll - inside, outside, outsideAll - outside].map((count) => count + prior);
  const [has, lacks, hadUsually, lackedUsually] = cells as [number, number, number, number];
  const logOdds = Math.log(has / lacks) - Math.log(hadUsually / lackedUsually);
  const variance = cells.reduce((sum, cell) => sum + 1 / cell, 0);
  return { logOdds, z: logOdds / Math.sqrt(variance) };
}

/** Benjamini and Hochberg's adjusted probabilities, in the order given: told at a rate are those at or below it. */
export function adjust(probabilities: readonly number[]): readonly number[] {
  const order = probabilities
    .map((_, index) => index)
    .toSorted((a, b) => probabilities[b]! - probabilities[a]!);
  const adjusted: number[] = Array.from({ length: probabilities.length }, () => 1);
  let least = 1;
  for (const [position, index] of order.entries()) {
    const rank = probabilities.length - position;
    least = Math.min(least, (probabilities[index]! * probabilities.length) / rank);
    adjusted[index] = least;
  }
  return adjusted;
}

function tell({ inside, outside }: ValueCount, insideAll: number, outsideAll: number): string {
  const count = (n: number): string => n.toLocaleString("en");
  const usually =
    outside === 0
      ? `never in ${count(outsideAll)} usually`
      : `${count(outside)} of ${count(outsideAll)} usually`;
  return `${inside === 0 ? "none" : count(inside)} of ${count(insideAll)} here, ${usually}`;
}

function spell({ attribute, value }: ValueCount): string {
  return `${attribute} ${value}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
