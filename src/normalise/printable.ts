/** A NUL made visible: PostgreSQL can store no other. */
const visibleNul = "\u2400";

/** Shown where text was cut. */
export const cutMark = "…";

/** Well-formed UTF-16 without NUL: what every store and every JSON reader takes. Otherwise unchanged. Idempotent. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll("\0", visibleNul);
}

/**
 * One line that shows all that is in it: line breaks and tabs become spaces, other control characters their
 * pictures, and the marks that reorder or hide text (bidirectional controls, zero-width spaces) their code points, so
 * that a name cannot pretend to be another. At most `charsMax` long. Idempotent.
 */
export function printable(text: string, charsMax: number): string {
  const visible = storable(text)
    .replaceAll(/[\t\n\v\f\r\u2028\u2029]+/g, " ")
    .replaceAll(/\p{Cc}/gu, controlPicture)
    .replaceAll(/[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, codePoint)
    .trim();
  return cut(visible, charsMax);
}

/** At most `charsMax` UTF-16 units, never half a character, marked where it was cut. Idempotent. */
export function cut(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  return text.slice(0, charsMax - 1).replace(/[\ud800-\udbff]$/, "") + cutMark;
}

function controlPicture(sign: string): string {
  const code = sign.charCodeAt(0);
  if (code === 0x7f) return "\u2421";
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : codePoint(sign);
}

function codePoint(sign: string): string {
  return `⟨U+${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
}
