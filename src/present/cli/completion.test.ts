import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { runCanned } from "../../../test/cli-host.ts";

async function script(shell: string): Promise<string> {
  return (await runCanned(["completion", shell])).stdout;
}

/** What bash offers for a line whose last word is being typed. */
async function complete(...words: string[]): Promise<string[]> {
  const quoted = words.map((word) => `'${word}'`).join(" ");
  const program = `${await script("bash")}
COMP_WORDS=(isochron ${quoted}); COMP_CWORD=${words.length}; _isochron; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const run = spawnSync("bash", ["--norc", "-c", program], { encoding: "utf8" });
  expect(run.stderr).toBe("");
  return run.stdout.split("\n").filter((word) => word !== "");
}

describe("completion for bash", () => {
  test("the script is sound", async () => {
    const run = spawnSync("bash", ["-n"], { input: await script("bash"), encoding: "utf8" });
    expect(run).toMatchObject({ status: 0, stderr: "" });
  });

  test("commands, subcommands, options and values are offered where they fit", async () => {
    expect(await complete("e")).toEqual(["events", "else", "export", "erase"]);
    expect(await complete("token", "")).toEqual(expect.arrayContaining(["create", "list", "revoke"]));
    expect(await complete("token", "create", "--pro")).toEqual(["--provider", "--project"]);
    expect(await complete("events", "--severity", "")).toEqual(["info", "warning", "error", "critical"]);
    expect(await complete("events", "--since", "2h", "-o", "n")).toEqual(["ndjson"]);
    expect(await complete("import", "--source", "post")).toEqual(["post-mortem"]);
    expect(await complete("import", "--data", "")).toEqual([]);
  });
});

describe("completion for zsh and fish", () => {
  test("every command and option is in it", async () => {
    const zsh = await script("zsh");
    const fish = await script("fish");
    expect(zsh).toMatch(/^#compdef isochron\n/);
    expect(zsh).toContain("'--severity:of this severity and above'");
    expect(zsh).toContain("compadd -- 'info' 'warning' 'error' 'critical'");
    expect(fish).toContain(
      "complete -c isochron -n '__fish_seen_subcommand_from events' -l severity -r -f -a 'info warning error critical'",
    );
    for (const command of [
      "serve",
      "demo",
      "import",
      "harvest",
      "events",
      "else",
      "blast",
      "op",
      "compare",
      "show",
      "why",
      "resource",
      "sources",
      "quarantine",
      "rulings",
      "token",
      "migrate",
      "doctor",
    ]) {
      expect(zsh).toContain(`'${command}:`);
      expect(fish).toMatch(new RegExp(`-a ${command} -d '`));
    }
  });

  test("no line breaks out of its quotes", async () => {
    for (const line of (await script("fish")).split("\n")) expect(line.split("'").length % 2).toBe(1);
  });
});
