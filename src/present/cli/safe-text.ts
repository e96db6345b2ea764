import { commandingClass, escapeInJson } from "../../model/commanding-text.ts";

const commanding = new RegExp(`[${commandingClass}]`, "gu");

/** One line for a terminal, in which foreign text cannot move the cursor, colour or reorder anything. */
export function printable(text: string): string {
  return text.replace(/[\t\r\n]+/g, " ").replace(commanding, escape);
}

/** JSON that means the same, but holds no character that a terminal would obey. */
export function safeJson(value: unknown, indent?: number): string {
  return escapeInJson(JSON.stringify(value, undefined, indent));
}

function escape(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (code > 0xffff) return `\\u{${code.toString(16)}}`;
  return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** A cell of a Markdown table, in which foreign text can make neither cells nor links nor markup. */
export function markdownCell(value: string): string {
  return printable(value)
    .replace(/[\\`*[\]|~]/g, "\\$&")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;");
}
