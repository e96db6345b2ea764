/** A candidate, and which symptoms it explains, each by its id. */
export interface Explanation {
  readonly id: string;
  /** The higher, the likelier by itself. */
  readonly score: number;
  readonly explains: ReadonlySet<string>;
}

export interface Cause {
  readonly id: string;
  /** Of the symptoms that no cause before it explains. */
  readonly explains: readonly string[];
}

export interface CauseCover {
  /** Few, in the order in which they were chosen. */
  readonly causes: readonly Cause[];
  /** Symptoms that nothing found explains. */
  readonly unexplained: readonly string[];
}

/** Beyond so many, a list of causes explains nothing to anybody. */
const causesMax = 10;

/**
 * Chooses few causes for many symptoms: each time the one that explains most of what is still unexplained for its price,
 * which is lower the likelier it is by itself. Greedy, so within ln n of the best. Pure; ties go to the smaller id.
 */
export function coverSymptoms(symptoms: readonly string[], candidates: readonly Explanation[]): CauseCover {
  const left = new Set(symptoms);
  const causes: Cause[] = [];
  const open = candidates.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  while (left.size > 0 && causes.length < causesMax) {
    let best:
      { readonly id: string; readonly worth: number; readonly explains: readonly string[] } | undefined;
    for (const { id, score, explains } of open) {
      const fresh = [...left].filter((symptom) => explains.has(symptom));
      const worth = fresh.length / priceOf(score);
      if (fresh.length > 0 && worth > (best?.worth ?? 0)) best = { id, worth, explains: fresh };
    }
    if (best === undefined) break;
    causes.push({ id: best.id, explains: best.explains });
    for (const symptom of best.explains) left.delete(symptom);
  }
  return { causes, unexplained: [...left] };
}

/** From 1, for what is surely a cause, upwards. */
function priceOf(score: number): number {
  return 1 + Math.exp(-Math.max(-20, Math.min(20, score)));
}
