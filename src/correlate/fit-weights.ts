/** One candidate of one symptom that people judged, with the addends that they were shown. */
export interface Labelled {
  readonly symptom: string;
  /** 1 for confirmed, 0 for ruled out. */
  readonly label: 0 | 1;
  readonly addends: readonly { readonly name: string; readonly value: number }[];
}

/** How well probabilities tell confirmed from ruled-out, on symptoms that were not fitted to. */
export interface Fitness {
  /** Mean of −ln of the probability given to what was true; smaller is better. */
  readonly logLoss: number;
  /** The chance that a confirmed one stands above a ruled-out one. */
  readonly auc: number;
  /** Mean gap between promised and true shares over ten bins: the expected calibration error. */
  readonly calibrationError: number;
}

export interface FittedWeights {
  readonly pairs: number;
  readonly symptoms: number;
  readonly confirmed: number;
  /** By how much each addend would be multiplied; 1 is as shipped. With its standard error. */
  readonly factors: readonly { readonly name: string; readonly factor: number; readonly error: number }[];
  readonly penalty: number;
  readonly folds: number;
  readonly shipped: Fitness;
  readonly fitted: Fitness;
}

/** Too few labels, or all of one kind, would fit what one incident happened to be. */
export const labelsMin = 20;

const penalties = [0.1, 1, 10, 100] as const;
const foldsMost = 5;

/**
 * Fits by how much each kind of addend should count to what people confirmed and ruled out: logistic regression with an
 * L2 penalty that draws each factor to 1, as it is shipped, and not to 0. The penalty is chosen, and both weights are
 * judged, by cross-validation over whole symptoms. Undefined where there are too few labels, or all are of one kind.
 */
export function fitWeights(labelled: readonly Labelled[]): FittedWeights | undefined {
  const symptoms = [...new Set(labelled.map(({ symptom }) => symptom))].toSorted();
  const confirmed = labelled.filter(({ label }) => label === 1).length;
  const folds = Math.min(foldsMost, symptoms.length);
  if (labelled.length < labelsMin || confirmed === 0 || confirmed === labelled.length || folds < 2)
    return undefined;
  const names = [...new Set(labelled.flatMap(({ addends }) => addends.map(({ name }) => name)))].toSorted();
  const rows = labelled.map((item) => toRow(item, names));
  const foldOf = rows.map((_, index) => symptoms.indexOf(labelled[index]!.symptom) % folds);
  const judged = penalties.map((penalty) => ({
    penalty,
    fitness: crossValidate(rows, foldOf, folds, penalty),
  }));
  const best = judged.toSorted((a, b) => a.fitness.logLoss - b.fitness.logLoss)[0]!;
  const model = fit(rows, best.penalty);
  return {
    pairs: labelled.length,
    symptoms: symptoms.length,
    confirmed,
    factors: names.map((name, index) => ({
      name,
      factor: model.weights[index + 1]!,
      error: Math.sqrt(Math.max(0, model.variances[index + 1]!)),
    })),
    penalty: best.penalty,
    folds,
    // The same folds, with a penalty that lets only the intercept move.
    shipped: crossValidate(rows, foldOf, folds, 1e9),
    fitted: best.fitness,
  };
}

interface Row {
  /** An intercept's 1, then the sum of each kind of addend. */
  readonly values: readonly number[];
  readonly label: 0 | 1;
}

function toRow({ label, addends }: Labelled, names: readonly string[]): Row {
  const sums = names.map((name) =>
    addends.reduce((sum, addend) => (addend.name === name ? sum + addend.value : sum), 0),
  );
  return { values: [1, ...sums], label };
}

function crossValidate(
  rows: readonly Row[],
  foldOf: readonly number[],
  folds: number,
  penalty: number,
): Fitness {
  const told: { readonly probability: number; readonly label: 0 | 1 }[] = [];
  for (let fold = 0; fold < folds; fold++) {
    const { weights } = fit(
      rows.filter((_, index) => foldOf[index] !== fold),
      penalty,
    );
    for (const [index, row] of rows.entries())
      if (foldOf[index] === fold)
        told.push({ probability: probabilityOf(row.values, weights), label: row.label });
  }
  return judge(told);
}

interface Model {
  readonly weights: readonly number[];
  readonly variances: readonly number[];
}

const stepsMost = 100;

/** Newton's method; the penalty makes the problem strictly convex, so that it ends in the one best point. */
function fit(rows: readonly Row[], penalty: number): Model {
  const size = rows[0]?.values.length ?? 1;
  // The intercept is free but for a trace, without which a fold of one label alone had no best point.
  const priors = Array.from({ length: size }, (_, index) => (index === 0 ? 0 : 1));
  const pull = Array.from({ length: size }, (_, index) => (index === 0 ? 1e-3 : penalty));
  let weights: readonly number[] = priors;
  let inverse: readonly (readonly number[])[] = [];
  for (let step = 0; step < stepsMost; step++) {
    const { gradient, curvature } = slopeAt(rows, weights, priors, pull);
    inverse = invert(curvature);
    const move = inverse.map((line) => line.reduce((sum, value, index) => sum + value * gradient[index]!, 0));
    const scale = shorten(rows, weights, move, priors, pull);
    weights = weights.map((weight, index) => weight - scale * move[index]!);
    if (Math.max(...move.map(Math.abs)) * scale < 1e-9) break;
  }
  return { weights, variances: inverse.map((line, index) => line[index]!) };
}

function slopeAt(
  rows: readonly Row[],
  weights: readonly number[],
  priors: readonly number[],
  pull: readonly number[],
): { readonly gradient: readonly number[]; readonly curvature: number[][] } {
  const gradient = weights.map((weight, index) => pull[index]! * (weight - priors[index]!));
  const curvature = weights.map((_, row) => weights.map((__, column) => (row === column ? pull[row]! : 0)));
  for (const { values, label } of rows) {
    const probability = probabilityOf(values, weights);
    const spread = probability * (1 - probability);
    for (const [row, value] of values.entries()) {
      gradient[row] = gradient[row]! + (probability - label) * value;
      for (const [column, other] of values.entries())
        curvature[row]![column] = curvature[row]![column]! + spread * value * other;
    }
  }
  return { gradient, curvature };
}

/** How much of a step to take so that it does not overshoot. */
function shorten(
  rows: readonly Row[],
  weights: readonly number[],
  move: readonly number[],
  priors: readonly number[],
  pull: readonly number[],
): number {
  const cost = (at: readonly number[]) =>
    rows.reduce((sum, { values, label }) => sum + surprise(probabilityOf(values, at), label), 0) +
    at.reduce((sum, weight, index) => sum + (pull[index]! * (weight - priors[index]!) ** 2) / 2, 0);
  const here = cost(weights);
  for (let scale = 1; scale > 1e-4; scale /= 2)
    if (cost(weights.map((weight, index) => weight - scale * move[index]!)) <= here) return scale;
  return 0;
}

function probabilityOf(values: readonly number[], weights: readonly number[]): number {
  const logit = values.reduce((sum, value, index) => sum + value * weights[index]!, 0);
  return 1 / (1 + Math.exp(-logit));
}

function surprise(probability: number, label: 0 | 1): number {
  return -Math.log(Math.max(1e-12, label === 1 ? probability : 1 - probability));
}

/** Gauss and Jordan, with the largest pivot of each column; the matrix is positive definite. */
function invert(matrix: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const size = matrix.length;
  const wide = matrix.map((line, row) => [...line, ...line.map((_, column) => (row === column ? 1 : 0))]);
  for (let column = 0; column < size; column++) {
    const pivot = Array.from({ length: size - column }, (_, index) => column + index).reduce((best, row) =>
      Math.abs(wide[row]![column]!) > Math.abs(wide[best]![column]!) ? row : best,
    );
    [wide[column], wide[pivot]] = [wide[pivot]!, wide[column]!];
    const divisor = wide[column]![column]!;
    wide[column] = wide[column]!.map((value) => value / divisor);
    for (let row = 0; row < size; row++) {
      const factor = wide[row]![column]!;
      if (row === column || factor === 0) continue;
      wide[row] = wide[row]!.map((value, index) => value - factor * wide[column]![index]!);
    }
  }
  return wide.map((line) => line.slice(size));
}

function judge(told: readonly { readonly probability: number; readonly label: 0 | 1 }[]): Fitness {
  const logLoss =
    told.reduce((sum, { probability, label }) => sum + surprise(probability, label), 0) / told.length;
  const good = told.filter(({ label }) => label === 1);
  const bad = told.filter(({ label }) => label === 0);
  const won = good.reduce(
    (sum, one) =>
      sum +
      bad.reduce(
        (own, other) =>
          own + (one.probability > other.probability ? 1 : one.probability === other.probability ? 0.5 : 0),
        0,
      ),
    0,
  );
  const bins = Map.groupBy(told, ({ probability }) => Math.min(9, Math.floor(probability * 10)));
  const calibrationError = [...bins.values()].reduce((sum, bin) => {
    const promised = bin.reduce((total, { probability }) => total + probability, 0);
    const kept = bin.reduce((total, { label }) => total + label, 0);
    return sum + Math.abs(promised - kept) / told.length;
  }, 0);
  return { logLoss, auc: won / (good.length * bad.length), calibrationError };
}
