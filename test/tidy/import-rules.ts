import type { Finding, ImportOf, TreeFile } from "./source-tree.ts";
import { importsOf, isProgram, isTest } from "./source-tree.ts";

/** Which of our own files each part of the program may import, beside the files of its own folder. */
const directions: readonly (readonly [part: RegExp, may: RegExp | undefined])[] = [
  [/^src\/model\//, undefined],
  [/^src\/sources\//, /^src\/(model\/|errors\.ts$)/],
  [/^src\/normalise\//, /^src\/(model\/|errors\.ts$)/],
  [/^src\/resolve\//, /^src\/(model\/|errors\.ts$)/],
  [/^src\/correlate\//, /^src\/(model\/|errors\.ts$)/],
  [/^src\/store\/postgres\//, /^src\/(model\/|errors\.ts$|store\/[^/]+\.ts$)/],
  [/^src\/store\/[^/]+\.ts$/, /^src\/(model\/|errors\.ts$)/],
  [
    /^src\/pipeline\//,
    /^src\/(model\/|errors\.ts$|sources\/source\.ts$|normalise\/|resolve\/resolver\.ts$|store\/[^/]+\.ts$|correlate\/)/,
  ],
  [/^src\/present\/api\//, /^src\/(model\/|errors\.ts$|store\/[^/]+\.ts$|correlate\/)/],
  [/^src\/present\/identity\//, /^src\/(model\/|errors\.ts$)/],
  [/^src\/present\/web\//, /^src\/(model\/|present\/api\/([a-z]+-)*contract\.ts$)/],
  [/^src\/present\/cli\//, /^src\/(model\/|errors\.ts$|present\/api\/([a-z]+-)*contract\.ts$)/],
  [/^src\/(errors|package-folders)\.ts$/, undefined],
  // Whoever writes where others read knows which words to conceal.
  [/^src\/log\.ts$/, /^src\/(model\/|config-secret\.ts$)/],
  [/^src\/concealed-reports\.ts$/, /^src\/(config-secret\.ts$|store\/[^/]+\.ts$)/],
  [/^src\/server-secret\.ts$/, /^src\/config(-secret)?\.ts$/],
  [
    /^src\/audit-keeping\.ts$/,
    /^src\/(model\/|errors\.ts$|config(-audit|-secret)?\.ts$|log\.ts$|store\/[^/]+\.ts$|pipeline\/audit-timeline\.ts$)/,
  ],
  [
    /^src\/retention-keeping\.ts$/,
    /^src\/(model\/|config(-secret)?\.ts$|log\.ts$|server-secret\.ts$|store\/[^/]+\.ts$|pipeline\/(retention|erasure-desk)\.ts$)/,
  ],
  [
    /^src\/notification-keeping\.ts$/,
    /^src\/(model\/|errors\.ts$|config(-secret|-tenancy)?\.ts$|log\.ts$|server-secret\.ts$|store\/[^/]+\.ts$|pipeline\/(address-guard\.ts$|notify\/)|present\/api\/)/,
  ],
  [
    /^src\/operation-keeping\.ts$/,
    /^src\/(log\.ts$|store\/[^/]+\.ts$|pipeline\/(ingest|operation-ends)\.ts$)/,
  ],
  [/^src\/process-protection\.ts$/, /^src\/(config\.ts$|configured-connections\.ts$|pipeline\/protection\/)/],
  [
    /^src\/correlation-answers\.ts$/,
    /^src\/(model\/|sources\/registry\.ts$|store\/[^/]+\.ts$|pipeline\/|present\/api\/api-parts\.ts$)/,
  ],
  [
    /^src\/configured-connections\.ts$/,
    /^src\/(model\/|errors\.ts$|config\.ts$|sources\/(source|registry)\.ts$|pipeline\/)/,
  ],
  [/^src\/config(-[a-z]+)*\.ts$/, /^src\/(model\/|errors\.ts$|config(-[a-z]+)*\.ts$)/],
  [/^src\/demo\.ts$/, /^src\/(model\/|errors\.ts$|main\.ts$|store\/[^/]+\.ts$|present\/api\/api-parts\.ts$)/],
  [/^src\/cli\.ts$/, /^src\/(?!store\/)/],
  [/^src\/main\.ts$/, /^src\//],
];

/** Libraries that are used in one place only, so that they can be replaced there. */
const homes: readonly (readonly [library: RegExp, home: RegExp])[] = [
  // Our own store, and (read-only) the databases that sources read from.
  [/^pg$/, /^src\/(store\/postgres\/|pipeline\/sql-client\.ts$)/],
  [/^pg-/, /^src\/store\/postgres\//],
  [/^mysql2(\/|$)/, /^src\/pipeline\/sql-client\.ts$/],
  [/^@?fastify/, /^src\/present\/api\//],
  [/^(preact|@preact\/)/, /^src\/present\/web\//],
  [/^(commander|cli-progress|cli-table3)$/, /^src\/present\/cli\//],
  [/^amqplib$/, /^src\/sources\//],
  [/^openid-client$/, /^src\/present\/identity\//],
  [/^pino/, /^src\/log\.ts$/],
];

/** Stages know the model, never each other; `pipeline/` joins them and `main.ts` builds them. */
export function checkDirection(file: TreeFile): readonly Finding[] {
  if (!isProgram(file.path)) return [];
  const part = directions.find(([own]) => own.test(file.path));
  if (part === undefined) return [`${file.path}: stands in no part of the program that has an import rule`];
  const [own, may] = part;
  return importsOf(file).flatMap((item) => {
    const { to } = item;
    if (to === undefined) return checkLibrary(item);
    if (!to.startsWith("src/")) {
      return /\.(css|json)$/.test(to) ? [] : [`${file.path}: imports ${to}, which is no part of the program`];
    }
    if (/\.test\.tsx?$/.test(to)) return [`${file.path}: imports the test ${to}`];
    if (own.test(to) || may?.test(to) === true) return checkTypes(file, item);
    return [`${file.path}: must not import ${to}`];
  });
}

/** The pages take types from the contract only, so that the server's validation stays out of the bundle. */
function checkTypes(file: TreeFile, { to, typeOnly }: ImportOf): readonly Finding[] {
  const crossing = file.path.startsWith("src/present/web/") && to?.startsWith("src/present/api/") === true;
  return crossing && !typeOnly ? [`${file.path}: may import types only from ${to}`] : [];
}

function checkLibrary({ from, specifier }: ImportOf): readonly Finding[] {
  if (from.startsWith("src/model/")) return [`${from}: the model imports nothing, not even ${specifier}`];
  if (/^(vitest|fast-check)(\/|$)/.test(specifier)) return [`${from}: ${specifier} is for tests`];
  const home = homes.find(([library]) => library.test(specifier))?.[1];
  return home === undefined || home.test(from)
    ? []
    : [`${from}: ${specifier} has its home in ${home.source}`];
}

/** The store and its SQL stay behind the store's contracts, which `main.ts` alone fills in. */
export function checkStoreIsBehindContracts(file: TreeFile): readonly Finding[] {
  if (isTest(file.path) || file.path === "src/main.ts" || file.path.startsWith("src/store/postgres/"))
    return [];
  return importsOf(file)
    .filter(({ to }) => to?.startsWith("src/store/postgres/") === true)
    .map(({ to }) => `${file.path}: only src/main.ts builds ${to}`);
}

/** Files that import each other in a circle, types included; each circle is told once. */
export function findCycles(files: readonly TreeFile[]): readonly Finding[] {
  const edges = new Map(files.map((file) => [file.path, importsOf(file).flatMap(({ to }) => to ?? [])]));
  const settled = new Set<string>();
  const cycles: Finding[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    const start = way.indexOf(path);
    if (start >= 0) {
      cycles.push(`${path}: imports itself in a circle: ${[...way.slice(start), path].join(" → ")}`);
      return;
    }
    if (settled.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...way, path]);
    settled.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return cycles;
}

/** Files that only pass on what others export hide who depends on whom, and make most circles. */
export function checkBarrel(file: TreeFile): readonly Finding[] {
  if (/(^|\/)index\.tsx?$/.test(file.path)) return [`${file.path}: is a barrel`];
  const statements = file.text
    .replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, "")
    .split(";")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
  const passesOn = /^export\s+(type\s+)?(\*|\{[^}]*\})(\s+as\s+\w+)?\s*from\s/;
  return statements.length > 0 && statements.every((statement) => passesOn.test(statement))
    ? [`${file.path}: only passes on what other files export`]
    : [];
}
