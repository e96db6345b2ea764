import type { TableRow } from "../source.ts";
import { holds, textOf } from "./condition.ts";
import type { TableMapping, Transition } from "./mapping.ts";

/** What was said to hold of a row: name, value, version, and 1 where the version is the transition's own stamp. */
export type Token = readonly [name: string, value: string | null, version: string, stamped: 0 | 1];

/** A transition to tell, with the value that held before where one is known. */
export interface Told {
  readonly name: string;
  readonly value: string | null;
  readonly version: string;
  readonly before?: string;
  /** True for what changed between two looks at the row, false for what was there at the first. */
  readonly live: boolean;
}

/** How the row is looked at. */
export interface Sight {
  /** What was told of it before; absent where nothing is remembered. */
  readonly before?: readonly Token[];
  /** True where the row had come to its end when it was read before. */
  readonly returned: boolean;
  /** True while a table is listed for the first time: states without a time are then no news. */
  readonly baseline: boolean;
  /** True where the table is read again beside its main place, which may remember more: see {@link isNamedForEver}. */
  readonly again: boolean;
  /** The source's time of this look, as it writes it. */
  readonly at: string;
  readonly nowMs: number;
}

/**
 * What holds of the row now, and which of it is news. Pure. What held before keeps its version, so that one state of
 * one row has the same key however often it is read.
 */
export function readTransitions(
  mapping: TableMapping,
  row: TableRow,
  sight: Sight,
): { readonly tokens: readonly Token[]; readonly told: readonly Told[] } {
  const tokens: Token[] = [];
  const told: Told[] = [];
  for (const transition of mapping.transitions) {
    const token = tokenOf(transition, row, sight);
    if (token === undefined) continue;
    tokens.push(token);
    const isKept = sight.before?.some((one) => one === token) === true;
    if (isKept || isQuiet(mapping, transition, token, row, sight)) continue;
    const [name, value, version] = token;
    const before = sight.before?.find((one) => one[0] === name && one[1] !== value)?.[1] ?? undefined;
    told.push({
      name,
      value,
      version,
      live: sight.before !== undefined,
      ...(before === undefined ? {} : { before }),
    });
  }
  return { tokens, told };
}

function tokenOf(transition: Transition, row: TableRow, sight: Sight): Token | undefined {
  if (!holds(transition.when, row, sight.nowMs)) return undefined;
  const value = transition.of === undefined ? null : (textOf(row, transition.of) ?? undefined);
  if (value === undefined) return undefined;
  const stamp = transition.stamp === undefined ? undefined : textOf(row, transition.stamp);
  // Where only its own column can date it, an empty column means that it has not happened.
  if (stamp === undefined && transition.stamp !== undefined && transition.at.length === 0) return undefined;
  const held = sight.before?.find((one) => one[0] === transition.name && one[1] === value);
  if (held !== undefined && (stamp === undefined || held[3] === 0 || held[2] === stamp)) return held;
  if (transition.once) return [transition.name, value, "", 0];
  const [fallback] = transition.at.flatMap((column) => textOf(row, column) ?? []);
  return [transition.name, value, stamp ?? fallback ?? sight.at, stamp === undefined ? 0 : 1];
}

function isQuiet(
  mapping: TableMapping,
  transition: Transition,
  token: Token,
  row: TableRow,
  sight: Sight,
): boolean {
  if (sight.again && !isNamedForEver(mapping, transition, token, row, sight)) return true;
  if (transition.returns) return !sight.returned;
  if (sight.before !== undefined) return false;
  if (transition.only_changes) return true;
  const isDated = token[3] === 1 || transition.at.some((column) => textOf(row, column) !== undefined);
  return sight.baseline && !isDated;
}

/**
 * Whether every look at the row gives the transition the same key, whatever is remembered of it. A column that moves
 * with each change names a state by the look that first saw it, and so does the moment of a look.
 */
function isNamedForEver(
  { series, order }: TableMapping,
  transition: Transition,
  token: Token,
  row: TableRow,
  sight: Sight,
): boolean {
  // The first row of a series only tells how things stood before.
  if (series !== undefined) return sight.before !== undefined;
  if (token[3] === 1 || transition.once) return true;
  const column = transition.at.find((name) => textOf(row, name) !== undefined);
  return column !== undefined && !(order.by === "time" && order.columns.includes(column));
}
