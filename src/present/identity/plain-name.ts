const charsMax = 200;

/** A name for people, without what would break a line or turn the reading direction of a log or a page. */
export function plainName(name: string): string {
  return name.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, "").slice(0, charsMax);
}
