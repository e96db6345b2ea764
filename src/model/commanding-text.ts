/**
 * What a reader's program would obey instead of showing it: control characters, line separators, marks that reorder
 * text (UAX 9), and marks without width that make two names look alike. Joiners stay, because scripts and emoji need
 * them. As the inside of a character class, with the flag `u`.
 */
export const commandingClass =
  "\\p{Cc}\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}";

const inJson = new RegExp(`(?![\\n\\r\\t])[${commandingClass}]`, "gu");

/** JSON text that means the same, in which nothing is left for a terminal or a spreadsheet to obey. */
export function escapeInJson(json: string): string {
  return json.replace(inJson, (character) => {
    let escaped = "";
    for (let index = 0; index < character.length; index += 1)
      escaped += `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`;
    return escaped;
  });
}
