import type { NoticeSituation } from "../model/notice.ts";
import { nameCharsMax, summaryCharsMax } from "./limits.ts";
import { cut, printable } from "./printable.ts";

/** The longest text of a template, in UTF-16 units. */
export const templateCharsMax = 500;

/** All that a text can have filled in. None of it can be a name of the provider's. */
export const placeholders = {
  resources:
    "The tenant's own resources by its own names for them, else by id, such as `your server web-1` or `2 of your servers (db-1, 7a01…)`.",
  count: "How many of the tenant's own resources: `2`.",
  part: "The tenant's own word for the part of the platform, the same each time: `part-3f9a2c71`.",
  when: "When it happened, in UTC: `2026-11-21 01:15 UTC`.",
  what: "What it was, in a word: trouble, recovery, maintenance, work.",
} as const;
export type Placeholder = keyof typeof placeholders;
export type TemplateValues = Readonly<Record<Placeholder, string>>;

/** The texts that come with the program. */
export const shippedTexts: Readonly<Record<NoticeSituation, string>> = {
  "host-failure": "Platform trouble on {part} affected {resources}",
  recovery: "Platform recovery on {part}, where {resources} stood",
  "maintenance-begins": "Maintenance of {part} began, where {resources} stood",
  "maintenance-ends": "Maintenance of {part} ended, where {resources} stood",
  "storage-trouble": "Storage trouble on {part} affected {resources}",
  "live-migration": "Live migration from {part} concerned {resources}",
  default: "Platform {what} on {part} affected {resources}",
};

export type TemplateProblemCode =
  "empty" | "too-long" | "forbidden-characters" | "unknown-placeholder" | "unpaired-brace";

/** Why a text cannot be used, in a sentence for whoever wrote it. */
export interface TemplateProblem {
  readonly code: TemplateProblemCode;
  readonly says: string;
}

const placeholderPattern = /\{([^{}]*)\}/g;
/** Controls, line ends, marks that reorder or hide text, halves of characters, and what no font has a sign for. */
const forbidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u;

/** Everything that is wrong with a text, at once; empty for one that can be used. */
export function findTemplateProblems(text: string): readonly TemplateProblem[] {
  const problems: TemplateProblem[] = [];
  const add = (code: TemplateProblemCode, says: string) => problems.push({ code, says });
  if (text.trim() === "") add("empty", "The text is empty.");
  if (text.length > templateCharsMax) {
    add("too-long", `The text has ${text.length} characters; ${templateCharsMax} are the most.`);
  }
  if (forbidden.test(text)) {
    add("forbidden-characters", "The text holds line breaks, control characters or marks that reorder text.");
  }
  const known = Object.keys(placeholders);
  for (const [, name = ""] of text.matchAll(placeholderPattern)) {
    if (known.includes(name)) continue;
    const shown = printable(name, 40);
    add(
      "unknown-placeholder",
      `{${shown}} is no placeholder; there are ${known.map((one) => `{${one}}`).join(", ")}.`,
    );
  }
  if (/[{}]/.test(text.replaceAll(placeholderPattern, ""))) {
    add("unpaired-brace", "A brace has no counterpart; braces stand around placeholders only.");
  }
  return problems;
}

/** Fills the text in. What is filled in is never looked at again, so that no name can be a placeholder itself. */
export function renderTemplate(text: string, values: TemplateValues): string {
  const filled = text.replaceAll(placeholderPattern, (whole, name: string) =>
    Object.hasOwn(placeholders, name) ? printable(values[name as Placeholder], nameCharsMax) : whole,
  );
  return cut(filled, summaryCharsMax);
}
