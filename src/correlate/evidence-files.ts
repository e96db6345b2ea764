import type { Json } from "../model/json.ts";
import type { Correlatable } from "./correlatable.ts";

/** A change that touches more than this is a release, and its files say little of it. */
const filesMax = 400;

/** The source files that a change touched, as its source names them: a list, or lists by what became of them. */
export function changedFiles({ details }: Correlatable): readonly string[] {
  const told = details["files"] ?? details["file"] ?? null;
  return [...new Set(pathsOf(told))].slice(0, filesMax);
}

function pathsOf(value: Json): readonly string[] {
  if (typeof value === "string") return isSource(value) ? [value.replace(/^[./]+/, "")] : [];
  if (value === null || typeof value !== "object") return [];
  return Object.values(value).flatMap((item: Json) => pathsOf(item));
}

function isSource(path: string): boolean {
  return /^[\w./@+-]{3,400}\.[a-z]{1,6}$/i.test(path);
}

/** The top folders of all files that were changed: the code that is the installation's own, in stacks among the libraries'. */
export function packagesOf(events: readonly Correlatable[]): ReadonlySet<string> {
  const packages = new Set<string>();
  for (const event of events) {
    if (event.kind !== "change") continue;
    for (const file of changedFiles(event)) packages.add(packageOf(file));
  }
  return packages;
}

/** `nova` of `nova/compute/api.py`. */
export function packageOf(file: string): string {
  return file.split("/")[0] ?? file;
}
