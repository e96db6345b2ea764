import { commandingClass } from "../model/commanding-text.ts";

/*
 * Foreign text is never Markdown or HTML here: whatever it holds is shown as it is written. Of an authored text, blank lines
 * part paragraphs and lines that begin with `-` or `*` are points of a list; nothing else means anything.
 */

export type TextBlock =
  | { readonly kind: "paragraph"; readonly lines: readonly string[] }
  | { readonly kind: "list"; readonly items: readonly string[] };

/** An authored text as paragraphs and lists of plain lines. */
export function blocksOf(text: string): readonly TextBlock[] {
  return text
    .replaceAll(/\r\n?|[\u2028\u2029]/g, "\n")
    .split(/\n[^\S\n]*\n+/)
    .flatMap((part) => {
      const lines = part.split("\n").map(oneLine).filter(Boolean);
      const blocks: TextBlock[] = [];
      for (const line of lines) {
        const item = /^[-*•]\s+(.*)/.exec(line)?.[1];
        const last = blocks.at(-1);
        if (item !== undefined) {
          if (last?.kind === "list")
            blocks[blocks.length - 1] = { kind: "list", items: [...last.items, item] };
          else blocks.push({ kind: "list", items: [item] });
        } else if (last?.kind === "paragraph")
          blocks[blocks.length - 1] = { kind: "paragraph", lines: [...last.lines, line] };
        else blocks.push({ kind: "paragraph", lines: [line] });
      }
      return blocks;
    });
}

const commanding = new RegExp(`[${commandingClass}]`, "gu");

/** One line without what a reader's program would obey, lone halves of characters, and needless blanks. */
export function oneLine(text: string): string {
  return text
    .replaceAll(/[\s\u0085]+/g, " ")
    .replaceAll(commanding, "")
    .toWellFormed()
    .replaceAll(/ {2,}/g, " ")
    .trim();
}

/**
 * Text that a Markdown reader (CommonMark, GitHub's tables and links) shows as it stands, in a paragraph, a heading, a point
 * of a list or a cell of a table.
 */
export function escapeMarkdown(text: string): string {
  return oneLine(text)
    .replaceAll(/[\\`*_{}[\]<>#|~!&@$^]/g, String.raw`\$&`)
    .replaceAll(/:(?=\/\/)/g, String.raw`\:`)
    .replaceAll(/(?<=\b(?:www|mailto|xmpp))[.:]/gi, String.raw`\$&`)
    .replace(/^([-+=])/, String.raw`\$1`)
    .replace(/^(\d{1,9})([.)])/, String.raw`$1\$2`);
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text that HTML shows as it stands, in an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return oneLine(text).replaceAll(/[&<>"']/g, (sign) => entities[sign] ?? "");
}

/** A value of YAML's double-quoted kind that is also plain text to whoever takes the front matter for Markdown. */
export function quoteYaml(text: string): string {
  return JSON.stringify(oneLine(text)).replaceAll(
    /[<>&`*_[\]{}|~!#@$^]|:(?=\/\/)|(?<=www)\./gi,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * A moment of RFC 3339 as precisely as it is known, without its zone: `2024-08-02 10:06`, `2024-08-02 10:06:31`, milliseconds
 * where they are known, and `± 90000 ms` behind it where the digits alone would promise another precision.
 */
export function writeMoment(at: string, precisionMs: number): string {
  const text = at.replace("T", " ").replace("Z", "");
  if (precisionMs === 60_000 && at.endsWith(":00.000Z")) return text.slice(0, 16);
  if (precisionMs === 1_000 && at.endsWith(".000Z")) return text.slice(0, 19);
  return precisionMs === 0 ? text : `${text} ± ${precisionMs} ms`;
}
