/**
 * Cursor kind *snapshot diff*: a listing is read whole and compared with the one before. What it lacks is taken for
 * deleted only when a second complete listing lacks it too; what vanishes all at once is suspected and stays, since a
 * credential with a narrower scope is answered with 200 and fewer rows.
 */
export interface DropLimit {
  /** So many have to be missing before it can be suspicious. */
  readonly rowsMin: number;
  /** And more than this share of all that was known. */
  readonly share: number;
  /** From so many on, it is suspicious that none is left. */
  readonly emptiedMin: number;
}

/** Fits tables and inventories, whose rows go one by one. */
export const usualDrop: DropLimit = { rowsMin: 10, share: 0.5, emptiedMin: Number.POSITIVE_INFINITY };

/** Fits what a working service always has some of, such as its own processes. */
export const neverEmpty: DropLimit = { ...usualDrop, emptiedMin: 2 };

/** Fits what comes and goes in crowds, such as alerts, where another sign tells that the listing is whole. */
export const noDrop: DropLimit = {
  rowsMin: Number.POSITIVE_INFINITY,
  share: 1,
  emptiedMin: Number.POSITIVE_INFINITY,
};

export interface Missing {
  /** Missing for the first time: to be remembered with one miss. */
  readonly once: readonly string[];
  /** Missing again: gone. */
  readonly gone: readonly string[];
  /** So many are missing at once that nothing is believed; `once` and `gone` are empty then. */
  readonly suspected: number;
}

/** `missed` gives for each known key in how many complete listings in a row it was missing before this one. */
export function diffListing(
  missed: ReadonlyMap<string, number>,
  isListed: (key: string) => boolean,
  limit: DropLimit = usualDrop,
): Missing {
  const missing = [...missed].filter(([key]) => !isListed(key));
  if (isSuddenDrop(missed.size, missed.size - missing.length, limit)) {
    return { once: [], gone: [], suspected: missing.length };
  }
  const keysOf = (isAgain: boolean) =>
    missing.filter(([, misses]) => misses > 0 === isAgain).map(([key]) => key);
  return { once: keysOf(false), gone: keysOf(true), suspected: 0 };
}

/** Whether a listing lacks suspiciously many of those that were known. */
export function isSuddenDrop(known: number, found: number, limit: DropLimit = usualDrop): boolean {
  const missing = known - found;
  if (found === 0 && known >= limit.emptiedMin) return true;
  return missing >= limit.rowsMin && missing > known * limit.share;
}
