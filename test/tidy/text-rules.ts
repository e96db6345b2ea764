import { posix } from "node:path";
import type { Finding, TreeFile } from "./source-tree.ts";
import { isCode } from "./source-tree.ts";

/** Files are named in kebab-case for the noun that they export; nothing is put where everything is put. */
export function checkPath(file: TreeFile): readonly Finding[] {
  const segments = file.path.split("/");
  const vague = segments.find((segment) => /^(utils?|helpers?|common|misc|shared|stuff)(\.|$)/.test(segment));
  if (vague !== undefined) return [`${file.path}: ${vague} names no thing`];
  if (!/\.(ts|tsx|css|sql|md)$/.test(file.path) || segments.length === 1) return [];
  const odd = segments.find((segment) => !/^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*$/.test(segment));
  return odd === undefined || odd === "README.md" ? [] : [`${file.path}: ${odd} is not kebab-case`];
}

const foreignText: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/(?<![\w.~/:}-])\/(work|root|home|tmp)\/\w[\w./-]*/, "is a path of one machine"],
  [/\.\.\/shared\b/, "lies outside the checkout"],
  [
    /registry\.npmjs\.org|registry\.yarnpkg\.com|npmmirror\.com|npm\.pkg\.github\.com|[\w-]+\.jfrog\.io|pypi\.org|localhost:487[3]/,
    "is the host of a package registry",
  ],
];

/** A clean clone on any machine has all that its text speaks of. */
export function checkForeignText(file: TreeFile): readonly Finding[] {
  return matchLines(file, foreignText);
}

const workplace: readonly (readonly [pattern: RegExp, what: string])[] = [
  [
    /\b(sub-?agents?|AI (agent|assistant)s?|coding agents?|language models?|LLMs?|chat ?bots?)\b/i,
    "speaks of the workplace",
  ],
  [/\b(this|my|our|next|previous|last|earlier) (working )?session\b/i, "speaks of the workplace"],
  [/\b(the|this|my|your) (prompt|brief)\b|\bprompt(ed|ing)? (by|the model)\b/i, "speaks of the workplace"],
  [/\b(TODO|FIXME|XXX)\b/, "is a note to oneself"],
];

/** Documents speak of the product, not of how its text came about. */
export function checkDocument(file: TreeFile): readonly Finding[] {
  return file.path.endsWith(".md") ? matchLines(file, workplace) : [];
}

function matchLines(
  file: TreeFile,
  patterns: readonly (readonly [pattern: RegExp, what: string])[],
): readonly Finding[] {
  return file.text.split("\n").flatMap((line, index) =>
    patterns.flatMap(([pattern, what]) => {
      const found = pattern.exec(line);
      return found === null ? [] : [`${file.path}:${index + 1}: "${found[0].trim()}" ${what}`];
    }),
  );
}

/** Links between documents lead somewhere; `exists` is asked with paths from the root. */
export function checkLinks(file: TreeFile, exists: (path: string) => boolean): readonly Finding[] {
  if (!file.path.endsWith(".md")) return [];
  return [...file.text.matchAll(/\]\(([^)\s#]+)(?:#[^)\s]*)?\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => !exists(posix.join(posix.dirname(file.path), target)))
    .map((target) => `${file.path}: links to ${target}, which is not there`);
}

const recordParts = ["## Context", "## Decision", "## Consequences"];

/** Decision records are numbered without gaps and have the same four parts. */
export function checkDecisionRecords(files: readonly TreeFile[]): readonly Finding[] {
  const records = files
    .filter(({ path }) => path.startsWith("docs/adr/"))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return records.flatMap(({ path, text }, index) => {
    const number = String(index + 1).padStart(4, "0");
    const missing = recordParts.filter((part) => !text.includes(`\n${part}\n`));
    return [
      ...(path.startsWith(`docs/adr/${number}-`) ? [] : [`${path}: should be number ${number}`]),
      ...(/\nStatus: (proposed|accepted|superseded by \[?\d{4})/.test(text)
        ? []
        : [`${path}: has no status`]),
      ...missing.map((part) => `${path}: has no "${part}"`),
    ];
  });
}

/** Our store's statements, those that a mapping of foreign tables makes, and those that begin their transactions. */
const sqlHomes = /^src\/(store\/postgres\/|sources\/sql[/.]|pipeline\/sql-client(\.test)?\.ts$)/;

/** SQL stays where it has its home: words that only a statement has, in code elsewhere. */
export function checkSqlHome(file: TreeFile): readonly Finding[] {
  if (!isCode(file.path) || !file.path.startsWith("src/") || sqlHomes.test(file.path)) return [];
  const statement =
    /[`"'](SELECT\s[^`"']+\sFROM\s|INSERT INTO\s|DELETE FROM\s|UPDATE\s\w+\sSET\s|CREATE TABLE\s)/;
  return matchLines(file, [[statement, "is SQL outside of its homes"]]);
}
