/**
 * Cursor kind *snapshot diff*: a listing is read whole and compared with the one before. What it lacks is taken for
 * deleted only when a second complete listing lacks it too; what vanishes all at once is suspected and stays, since a
 * credential with a narrower scope is answered with 200 and fewer rows. A drop is believed when the smaller listing has
 * stood for a whole day, so that what was really deleted does not hold up a connection for ever.
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

/** A drop that is not believed yet: when a listing showed it first, and in how many listings it has stood since. */
export interface Drop {
  readonly sinceMs: number;
  readonly listings: number;
}

/** Looks that agree for so long, and so many of them, are believed. */
export const believed = { afterMs: 86_400_000, listingsMin: 5 } as const;

export interface WeighedMissing extends Missing {
  /** To be remembered as missing as long as the drop is suspected. */
  readonly doubted: readonly string[];
  readonly drop: Drop | null;
}

/**
 * As `diffListing`, but a drop that stands is believed in the end: `before` is what the listing before this one gave as
 * `drop`. It begins anew when something of what it lacked is listed again, or when a further crowd vanishes.
 */
export function weighListing(
  missed: ReadonlyMap<string, number>,
  isListed: (key: string) => boolean,
  limit: DropLimit,
  { before, nowMs }: { readonly before: Drop | null; readonly nowMs: number },
): WeighedMissing {
  const plain = diffListing(missed, isListed, limit);
  const missing = [...missed.keys()].filter((key) => !isListed(key));
  if (plain.suspected === 0) {
    // What was doubted until now was missing from listings that proved nothing.
    const fresh = before === null ? plain : { ...plain, once: missing, gone: [] };
    return { ...fresh, doubted: [], drop: null };
  }
  const doubted = [...missed].filter(([, misses]) => misses > 0).map(([key]) => key);
  const isSteady = before !== null && !doubted.some(isListed);
  const rest = missed.size - doubted.length;
  if (!isSteady || isSuddenDrop(rest, missed.size - missing.length, limit)) {
    return { ...plain, doubted: missing, drop: { sinceMs: nowMs, listings: 1 } };
  }
  if (nowMs - before.sinceMs < believed.afterMs || before.listings + 1 < believed.listingsMin) {
    return { ...plain, doubted: missing, drop: { ...before, listings: before.listings + 1 } };
  }
  const once = missing.filter((key) => missed.get(key) === 0);
  return { once, gone: doubted, suspected: 0, doubted: [], drop: null };
}

/** Whether a listing lacks suspiciously many of those that were known. */
export function isSuddenDrop(known: number, found: number, limit: DropLimit = usualDrop): boolean {
  const missing = known - found;
  if (found === 0 && known >= limit.emptiedMin) return true;
  return missing >= limit.rowsMin && missing > known * limit.share;
}
