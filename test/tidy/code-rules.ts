import type { Finding, SyntaxNode, TreeFile } from "./source-tree.ts";
import { importsOf, isProgram, lineAt, nodesOf } from "./source-tree.ts";

export const fileLinesMax = 400;
export const functionLinesMax = 70;

export function checkFileLength(file: TreeFile): readonly Finding[] {
  const lines = file.text.split("\n").length - (file.text.endsWith("\n") ? 1 : 0);
  return lines <= fileLinesMax ? [] : [`${file.path}: has ${lines} lines, of at most ${fileLinesMax}`];
}

/** A `describe` groups tests and is no function of its own; everything else counts. */
export function checkFunctionLengths(file: TreeFile): readonly Finding[] {
  const groups = new Set(callsOf(file, /^describe$/).flatMap(({ args }) => args));
  const findings: Finding[] = [];
  for (const node of nodesOf(file)) {
    if (!/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) continue;
    const first = lineAt(file, node.start);
    const lines = lineAt(file, node.end) - first + 1;
    if (lines <= functionLinesMax || groups.has(node)) continue;
    findings.push(`${file.path}:${first}: a function of ${lines} lines, of at most ${functionLinesMax}`);
  }
  return findings;
}

/** The environment is read once, where every setting is checked. */
export function checkEnvironment(file: TreeFile): readonly Finding[] {
  if (!isProgram(file.path) || /^src\/config(-[a-z]+)*\.ts$/.test(file.path)) return [];
  const findings: Finding[] = importsOf(file)
    .filter(({ specifier }) => /^(node:)?process$/.test(specifier))
    .map(() => `${file.path}: only src/config*.ts read the environment`);
  for (const node of nodesOf(file)) {
    if (node.type !== "MemberExpression" || nameOf(node["object"]) !== "process") continue;
    if (nameOf(node["property"]) !== "env") continue;
    findings.push(`${file.path}:${lineAt(file, node.start)}: only src/config*.ts read the environment`);
  }
  return findings;
}

/** Interfaces are nouns; names that say only "implementation" or "helps" say nothing. */
export function checkTypeNames(file: TreeFile): readonly Finding[] {
  const findings: Finding[] = [];
  for (const node of nodesOf(file)) {
    if (!/^(TSInterfaceDeclaration|TSTypeAliasDeclaration|ClassDeclaration)$/.test(node.type)) continue;
    const name = nameOf(node["id"]) ?? "";
    if (!/^I[A-Z][a-z]|^Default[A-Z]|(Impl|Manager|Helper|Helpers)$/.test(name)) continue;
    findings.push(`${file.path}:${lineAt(file, node.start)}: ${name} is named for no noun of the product`);
  }
  return findings;
}

/** Names of products that begin a sentence with a capital letter. */
const properNouns =
  /^(Alertmanager|Cinder|Glance|Heat|Isochron|Keystone|Kubernetes|Markdown|Neutron|Node|Nova|OpenStack|PostgreSQL|Prometheus|RabbitMQ|Unicode|Unix)('s|’s)?$/;

/** A test's name is a sentence that tells what is promised. */
export function checkTestNames(file: TreeFile): readonly Finding[] {
  return callsOf(file, /^(test|it)$/).flatMap(({ node, args }) => {
    const name = textOf(args[0], file);
    if (name === undefined) return [];
    const [first = "", ...rest] = name.trim().split(/\s+/);
    const starts =
      /^[^A-Z]/.test(first) || /^[A-Z]+[^a-z]|^[A-Z].*[A-Z0-9_/-]/.test(first) || properNouns.test(first);
    const where = `${file.path}:${lineAt(file, node.start)}`;
    if (rest.length === 0) return [`${where}: "${name}" is no sentence`];
    if (!starts) return [`${where}: "${name}" begins with a capital letter`];
    return /^(should|tests?)$/.test(first) ? [`${where}: "${name}" does not say what is promised`] : [];
  });
}

/** Every test runs, always. */
export function checkNoTestLeftOut(file: TreeFile): readonly Finding[] {
  const findings: Finding[] = [];
  for (const node of nodesOf(file)) {
    const where = () => `${file.path}:${lineAt(file, node.start)}`;
    if (node.type === "MemberExpression" && /^(test|it|describe|suite)$/.test(rootName(node) ?? "")) {
      const word = nameOf(node["property"]) ?? "";
      if (/^(only|skip|todo)$/.test(word)) findings.push(`${where()}: .${word} leaves tests out`);
    }
    if (
      node.type === "CallExpression" &&
      /^(xit|xtest|xdescribe|fit|fdescribe)$/.test(nameOf(node["callee"]) ?? "")
    ) {
      findings.push(`${where()}: ${nameOf(node["callee"])} leaves tests out`);
    }
  }
  return findings;
}

/** A test waits for what it needs, never for time to pass. */
export function checkNoSleep(file: TreeFile): readonly Finding[] {
  return callsOf(file, /^(setTimeout|sleep|pause|delay)$/)
    .filter(({ args }) => args.some((arg) => typeof arg["value"] === "number" && arg["value"] > 0))
    .map(({ node }) => `${file.path}:${lineAt(file, node.start)}: sleeps`);
}

interface Call {
  readonly node: SyntaxNode;
  readonly args: readonly SyntaxNode[];
}

/** Calls of a function by name, also `test.each(table)(…)` and `it.concurrent(…)`. */
function callsOf(file: TreeFile, name: RegExp): readonly Call[] {
  const calls: Call[] = [];
  for (const node of nodesOf(file)) {
    if (node.type !== "CallExpression" || !name.test(rootName(node["callee"]) ?? "")) continue;
    calls.push({ node, args: node["arguments"] as readonly SyntaxNode[] });
  }
  return calls;
}

function nameOf(node: unknown): string | undefined {
  const { type, name, value } = (node ?? {}) as { type?: string; name?: unknown; value?: unknown };
  if (type === "Identifier" && typeof name === "string") return name;
  return type === "Literal" && typeof value === "string" ? value : undefined;
}

/** The first name of a chain: `test` of `test.each(table)`. */
function rootName(node: unknown): string | undefined {
  const { type, object, callee } = (node ?? {}) as { type?: string; object?: unknown; callee?: unknown };
  if (type === "MemberExpression") return rootName(object);
  return type === "CallExpression" ? rootName(callee) : nameOf(node);
}

/** The text of a string or template; undefined for anything else. */
function textOf(node: SyntaxNode | undefined, file: TreeFile): string | undefined {
  if (node?.type === "Literal" && typeof node["value"] === "string") return node["value"];
  return node?.type === "TemplateLiteral" ? file.text.slice(node.start + 1, node.end - 1) : undefined;
}
