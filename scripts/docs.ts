/** Writes the tables of `docs/configuration.md` and of the pages in `docs/sources/` anew from the code: `npm run docs`. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { connectionSettings, settings } from "../src/config-settings.ts";
import { identityProviderSettings } from "../src/config-identity.ts";
import { retentionSettings } from "../src/config-retention.ts";
import { customerSettings } from "../src/config-tenancy.ts";
import { sources } from "../src/sources/registry.ts";
import type { SourceContract } from "../src/sources/source.ts";

/** The pages with generated parts. */
export const generatedPages = ["configuration.md", ...sources.map(({ name }) => `sources/${name}.md`)];

function table(rows: readonly (readonly string[])[]): string {
  const [head, ...body] = rows;
  if (head === undefined) return "";
  const lines = [head, head.map(() => "---"), ...body];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** A length of time in its largest whole unit. */
function lengthWords(ms: number): string {
  const units = [
    ["day", 86_400_000],
    ["hour", 3_600_000],
    ["minute", 60_000],
    ["second", 1000],
  ] as const;
  const [unit, unitMs] = units.find(([, size]) => ms >= size && ms % size === 0) ?? ["millisecond", 1];
  const count = ms / unitMs;
  return ms === 0 ? "none" : `${count} ${unit}${count === 1 ? "" : "s"}`;
}

function contractRows(contract: SourceContract): readonly (readonly string[])[] {
  return [
    ["Identity", contract.identity],
    ["Version", contract.version],
    ["Once told", contract.revisions === "never" ? "never changes" : "may be told again with other words"],
    ["Order", contract.ordering],
    ["Readable after at most", lengthWords(contract.commitDelayMax)],
    ["Clock off by at most", lengthWords(contract.clockErrorMax)],
    [
      "Kept by the source for",
      contract.retention === undefined ? "not known" : lengthWords(contract.retention),
    ],
    ["Delivery", contract.delivery],
    ["Cannot tell", contract.blindSpots],
  ];
}

/** The page with each generated table in its place, between `<!-- NAME -->` and `<!-- /NAME -->`. */
export function withTables(page: string, name = "configuration.md"): string {
  const source = sources.find((one) => name === `sources/${one.name}.md`);
  const tables = {
    settings: table([
      ["In the file", "In the environment", "Flag", "Without it", "Meaning"],
      ...settings.map(({ name, env, flag, fallback, meaning }) => [
        `\`${name}\``,
        env === undefined ? "" : `\`${env}\``,
        flag === undefined ? "" : `\`${flag}\``,
        fallback,
        meaning,
      ]),
    ]),
    connections: table([
      ["Setting", "Without it", "Meaning"],
      ...connectionSettings.map(({ name, fallback, meaning }) => [`\`${name}\``, fallback, meaning]),
    ]),
    customers: table([
      ["Setting", "Without it", "Meaning"],
      ...customerSettings.map(({ name, fallback, meaning }) => [`\`${name}\``, fallback, meaning]),
    ]),
    retention: table([
      ["Setting", "Without it", "Meaning"],
      ...retentionSettings.map(({ name, fallback, meaning }) => [`\`${name}\``, fallback, meaning]),
    ]),
    identity_providers: table([
      ["Setting", "Without it", "Meaning"],
      ...identityProviderSettings.map(({ name, fallback, meaning }) => [`\`${name}\``, fallback, meaning]),
    ]),
    ...(source === undefined
      ? {}
      : { contract: table([["Promise", "Of this source"], ...contractRows(source.contract)]) }),
  };
  return Object.entries(tables).reduce(
    (text, [name, rows]) =>
      text.replace(
        new RegExp(`<!-- ${name} -->[\\s\\S]*?<!-- /${name} -->`),
        () => `<!-- ${name} -->\n\n${rows}\n\n<!-- /${name} -->`,
      ),
    page,
  );
}

if (import.meta.main) {
  for (const page of generatedPages) {
    const path = fileURLToPath(new URL(`../docs/${page}`, import.meta.url));
    writeFileSync(path, withTables(readFileSync(path, "utf8"), page));
  }
}
