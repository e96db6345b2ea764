import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** One set of data that "what else changed" is judged on, with its baselines in the same run. */
export interface Part {
  readonly name: string;
  /** The files by which its folder is known, for people. */
  readonly needs: string;
  /** Whether the folder holds this part's data; it may lie a level or two below. Gives where. */
  find(dir: string): string | undefined;
  run(dir: string): Promise<PartResult>;
}

export interface PartResult {
  readonly name: string;
  /** What was asked, in a few words: `125 incidents, 20 candidates each`. */
  readonly asked: string;
  /** Ours last, so that it stands under what it must beat. */
  readonly methods: readonly MethodResult[];
  /** Further lines for people. */
  readonly notes: readonly string[];
}

export interface MethodResult {
  readonly method: string;
  /** For each question: the rank of the true cause from 1, or null where it was not among the answers. */
  readonly ranks: readonly { readonly question: string; readonly rank: number | null }[];
  /** What chance gives on average, where the questions have different numbers of answers. */
  readonly expected?: Shares;
}

/** Shares of questions whose true cause was first, or among the first three, and the mean of 1/rank. */
export interface Shares {
  readonly top1: number;
  readonly top3: number;
  readonly mrr: number;
}

export function sharesOf({ ranks, expected }: MethodResult): Shares {
  if (expected !== undefined) return expected;
  const share = (most: number) =>
    ranks.filter(({ rank }) => rank !== null && rank <= most).length / ranks.length;
  const inverse = ranks.reduce((sum, { rank }) => sum + (rank === null ? 0 : 1 / rank), 0);
  return { top1: share(1), top3: share(3), mrr: inverse / ranks.length };
}

/** DIR and the folders down to two levels below it, DIR first and the others by name. */
export function foldersAround(dir: string, levels = 2): readonly string[] {
  if (levels === 0) return [dir];
  const children = readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(dir, entry.name))
    .toSorted();
  return [dir, ...children.flatMap((child) => foldersAround(child, levels - 1))];
}

/** The file of this name in the folder, packed or not. */
export function fileIn(folder: string, name: string): string | undefined {
  return [`${name}.gz`, name].map((file) => join(folder, file)).find((path) => existsSync(path));
}
