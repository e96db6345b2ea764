/** ln n! for the n seen so far; grown on demand, so that a table of tens of thousands is made once. */
const logFactorials: number[] = [0];

function logFactorial(n: number): number {
  for (let next = logFactorials.length; next <= n; next += 1)
    logFactorials.push(logFactorials[next - 1]! + Math.log(next));
  return logFactorials[n]!;
}

/** A term this much smaller than their sum changes nothing that is printed. */
const negligible = 1e-16;

/**
 * How often chance alone would put so many, or so few, of the events that have a value on the inside: Fisher's exact
 * test, the nearer tail twice. `inside` of `insideAll` events have it, and `outside` of `outsideAll`. It is exact for
 * any counts, also for one of ten against three of a thousand, where a normal approximation promises too much.
 */
export function exactProbability(
  inside: number,
  insideAll: number,
  outside: number,
  outsideAll: number,
): number {
  const having = inside + outside;
  const all = insideAll + outsideAll;
  const lowest = Math.max(0, having - outsideAll);
  const highest = Math.min(having, insideAll);
  if (lowest === highest) return 1;
  const isMore = inside * all > having * insideAll;
  let term = Math.exp(choose(insideAll, inside) + choose(outsideAll, having - inside) - choose(all, having));
  let tail = 0;
  const last = isMore ? highest : lowest;
  for (let count = inside; ; count += isMore ? 1 : -1) {
    tail += term;
    if (count === last || term < tail * negligible) break;
    // The ratio of neighbours, so that no term but the first needs a factorial.
    term *= isMore
      ? ((insideAll - count) * (having - count)) / ((count + 1) * (outsideAll - having + count + 1))
      : (count * (outsideAll - having + count)) / ((insideAll - count + 1) * (having - count + 1));
  }
  return Math.min(1, 2 * tail);
}

function choose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}
