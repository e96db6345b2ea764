/** Writes the tables of `docs/configuration.md` anew from the code: `npm run docs`. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { connectionSettings, settings } from "../src/config-settings.ts";

const path = fileURLToPath(new URL("../docs/configuration.md", import.meta.url));

function table(rows: readonly (readonly string[])[]): string {
  const [head, ...body] = rows;
  if (head === undefined) return "";
  const lines = [head, head.map(() => "---"), ...body];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** The page with each generated table in its place, between `<!-- NAME -->` and `<!-- /NAME -->`. */
export function withTables(page: string): string {
  const tables = {
    settings: table([
      ["In the file", "In the environment", "Flag", "Without it", "Meaning"],
      ...settings.map(({ name, env, flag, fallback, meaning }) => [
        `\`${name}\``,
        env === undefined ? "" : `\`${env}\``,
        env === undefined ? "" : `\`${flag ?? `--${name.replaceAll("_", "-")}`}\``,
        fallback,
        meaning,
      ]),
    ]),
    connections: table([
      ["Setting", "Without it", "Meaning"],
      ...connectionSettings.map(({ name, fallback, meaning }) => [`\`${name}\``, fallback, meaning]),
    ]),
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

if (import.meta.main) writeFileSync(path, withTables(readFileSync(path, "utf8")));
