/** Sites of trouble; in each history each of them is switched on with a chance of one in four. */
export const sites = [
  "crash",
  "zombie",
  "lost answers",
  "slow calls",
  "source outage",
  "store outage",
  "second worker",
  "clock error",
  "ties",
  "held commits",
  "rollbacks",
  "deletions",
  "poison",
  "recomputed",
  "bursts",
  "flicker",
  "long pauses",
  "backlog",
] as const;
export type Site = (typeof sites)[number];
