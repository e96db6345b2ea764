import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "vite";

/** One file of the tree, by its path from the root with `/` between folders. */
export interface TreeFile {
  readonly path: string;
  readonly text: string;
}

/** What a rule says of a file that breaks it: `path: what is wrong`. */
export type Finding = string;

/** One import, export-from, dynamic import or import type of a file. */
export interface ImportOf {
  readonly from: string;
  /** As it is written: `./x.ts`, `zod`, `node:fs`. */
  readonly specifier: string;
  /** The path from the root that a relative specifier means; undefined for packages. */
  readonly to?: string;
  readonly typeOnly: boolean;
}

/** A node of the syntax tree (ESTree with TypeScript); only what the rules look at is named. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** Where people's own text lies; recordings, builds and what npm brought are left out. */
const places = ["src", "test", "bench", "scripts", "bin", "docs", "deploy", ".ci"];
const textFile =
  /\.(ts|tsx|css|sql|md|json|jsonc|ya?ml|html|js|sh|txt|svg|toml)$|^bin\/|^\.ci\/|(^|\/)(LICENSE|Dockerfile)$/;

/** Every text file of the checkout that is written by hand. */
export function readTree(): readonly TreeFile[] {
  const inRoot = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "package-lock.json")
    .map((entry) => join(root, entry.name));
  const inPlaces = places
    .map((place) => join(root, place))
    .filter((place) => existsSync(place))
    .flatMap((place) => readdirSync(place, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const demo = readdirSync(join(root, "demo"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(root, "demo", name));
  return [...inRoot, ...inPlaces, ...demo]
    .map((path) => relative(root, path).split(sep).join("/"))
    .filter((path) => textFile.test(path) || (!path.includes("/") && !path.endsWith(".tgz")))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

export function isCode(path: string): boolean {
  return /\.(ts|tsx)$/.test(path);
}

/** True for what is no part of the program: tests, benches and scripts, which build things as `main.ts` does. */
export function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path) || /^(test|bench|scripts)\//.test(path);
}

/** True for code that is part of the program. */
export function isProgram(path: string): boolean {
  return isCode(path) && path.startsWith("src/") && !isTest(path);
}

const parsed = new WeakMap<TreeFile, ReturnType<typeof parseSync>>();

function parse(file: TreeFile): ReturnType<typeof parseSync> {
  const known = parsed.get(file) ?? parseSync(file.path, file.text);
  if (known.errors.length > 0) throw new SyntaxError(`${file.path}: ${known.errors[0]!.message}`);
  parsed.set(file, known);
  return known;
}

/** Each node of a file's syntax tree, parents first. */
export function* nodesOf(file: TreeFile): Generator<SyntaxNode> {
  const waiting: unknown[] = [parse(file).program];
  for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) {
    if (item === null || typeof item !== "object") continue;
    if (Array.isArray(item)) {
      waiting.push(...item.toReversed());
      continue;
    }
    if (typeof (item as { type?: unknown }).type === "string") yield item as SyntaxNode;
    waiting.push(...Object.values(item).toReversed());
  }
}

/** Everything that a file imports, types included. */
export function importsOf(file: TreeFile): readonly ImportOf[] {
  const found: ImportOf[] = [];
  const add = (specifier: unknown, typeOnly: boolean) => {
    if (typeof specifier !== "string") return;
    const to = specifier.startsWith(".") ? resolvePath(file.path, specifier) : undefined;
    found.push({ from: file.path, specifier, typeOnly, ...(to === undefined ? {} : { to }) });
  };
  for (const node of nodesOf(file)) {
    if (/^(Import|ExportAll|ExportNamed)Declaration$/.test(node.type)) {
      const kind = node["importKind"] ?? node["exportKind"];
      add((node["source"] as { value?: unknown } | null)?.value, kind === "type");
    }
    if (node.type === "ImportExpression") add((node["source"] as { value?: unknown }).value, false);
    if (node.type === "TSImportType") add((node["source"] as { value?: unknown } | undefined)?.value, true);
  }
  return found;
}

function resolvePath(from: string, specifier: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** The one-based line of a place in the text. */
export function lineAt(file: TreeFile, offset: number): number {
  return file.text.slice(0, offset).split("\n").length;
}
