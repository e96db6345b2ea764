/** What a terminal would obey, or what would reorder the line: controls, line separators, bidi overrides. */
const commanding = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** One line for a terminal, in which foreign text cannot move the cursor, colour or reorder anything. */
export function printable(text: string): string {
  return text.replace(/[\t\r\n]+/g, " ").replace(commanding, escape);
}

/** JSON that means the same, but holds no character that a terminal would obey. */
export function safeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function escape(char: string): string {
  const code = char.charCodeAt(0);
  return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
}

/** A cell after RFC 4180. A leading `'` keeps spreadsheets from taking foreign text for a formula. */
export function csvCell(value: string): string {
  const guarded = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

/** A cell of a Markdown table, in which foreign text can make neither cells nor links nor markup. */
export function markdownCell(value: string): string {
  return printable(value)
    .replace(/[\\`*[\]|~]/g, "\\$&")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;");
}
