/**
 * Prints the bill of materials of what is installed with Isochron, in CycloneDX 1.5. npm makes it of everything that the
 * lock file names; its own `--omit dev` also leaves out packages that are needed both at run time and for development,
 * so the choice is made here, by the lock file. Exits with 1 where a package has no hash or no licence.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const component = z.looseObject({
  "bom-ref": z.string(),
  name: z.string(),
  version: z.string(),
  hashes: z.array(z.unknown()).default([]),
  licenses: z.array(z.unknown()).default([]),
});
const bill = z.looseObject({
  bomFormat: z.literal("CycloneDX"),
  metadata: z.looseObject({ component: z.looseObject({ name: z.string() }) }),
  components: z.array(component),
  dependencies: z.array(z.looseObject({ ref: z.string(), dependsOn: z.array(z.string()).default([]) })),
});
const lock = z.object({
  packages: z.record(z.string(), z.object({ version: z.string().optional(), dev: z.boolean().optional() })),
});

const root = fileURLToPath(new URL("..", import.meta.url));
const { packages } = lock.parse(JSON.parse(readFileSync(`${root}/package-lock.json`, "utf8")));
const installed = new Set(
  Object.entries(packages)
    .filter(([path, { dev }]) => path !== "" && dev !== true)
    .map(([path, { version }]) => `${path.slice(path.lastIndexOf("node_modules/") + 13)}@${version}`),
);

const npm = spawnSync("npm", ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"], {
  cwd: root,
  encoding: "utf8",
  maxBuffer: 64 * 1024 * 1024,
});
if (npm.error !== undefined) throw npm.error;
const whole = bill.parse(JSON.parse(npm.stdout));
const components = whole.components.filter(({ name, version }) => installed.has(`${name}@${version}`));
const kept = new Set(components.map((one) => one["bom-ref"]));
const isKept = (ref: string): boolean =>
  kept.has(ref) || !whole.components.some((one) => one["bom-ref"] === ref);
const dependencies = whole.dependencies
  .filter(({ ref }) => isKept(ref))
  .map((one) => ({ ...one, dependsOn: one.dependsOn.filter(isKept) }));

const told = new Set(components.map(({ name, version }) => `${name}@${version}`));
const problems = [
  ...[...installed].filter((name) => !told.has(name)).map((name) => `${name} is installed and not told of`),
  ...components.filter(({ hashes }) => hashes.length === 0).map(({ name }) => `${name} has no hash`),
  ...components.filter(({ licenses }) => licenses.length === 0).map(({ name }) => `${name} has no licence`),
];
// npm names the whole after the folder that it was checked out into.
const metadata = { ...whole.metadata, component: { ...whole.metadata.component, name: "isochron" } };
console.log(JSON.stringify({ ...whole, metadata, components, dependencies }, undefined, 2));
console.error(`${told.size} packages`);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
