import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { generatedPages, withTables } from "../scripts/docs.ts";
import type { Command } from "commander";
import { settings } from "./config-settings.ts";
import { errorTable } from "./errors.ts";
import type { Host } from "./present/cli/application.ts";
import { createProgram } from "./present/cli/program.ts";
import { Run } from "./present/cli/run.ts";

function readPage(name: string): string {
  return readFileSync(new URL(`../docs/${name}`, import.meta.url), "utf8");
}

/** Prettier aligns tables, which changes spaces and the length of rules only. */
function squeeze(text: string): string {
  return text.replace(/ +/g, " ").replace(/-{3,}/g, "---");
}

test.each(generatedPages)(
  "the tables of docs/%s are those of the code (`npm run docs` writes them)",
  (name) => {
    const page = readPage(name);
    expect(squeeze(page)).toBe(squeeze(withTables(page, name)));
    expect(page).toMatch(/<!-- (settings|contract) -->/);
  },
);

test("docs/sources say of every harvest of recorded answers which source reads them, as the command demands", () => {
  const folder = new URL("../docs/sources/", import.meta.url);
  const commands = readdirSync(folder).flatMap((name) => {
    const told = readFileSync(new URL(name, folder), "utf8").match(
      /`isochron harvest [^`]*--recorded[^`]*`/g,
    );
    return told ?? [];
  });
  expect(commands).not.toEqual([]);
  expect(commands.filter((command) => !command.includes(" --source "))).toEqual([]);
});

describe("docs/configuration.md", () => {
  const page = readPage("configuration.md");

  test("every setting is in it, with its meaning", () => {
    for (const { name, meaning } of settings) {
      expect(page).toContain(`\`${name}\``);
      expect(page).toContain(meaning);
    }
  });

  test("it names a flag for just those settings that some command takes one for", () => {
    const host = { version: "0", sources: ["a"] } as unknown as Host;
    const flagsOf = (command: Command): readonly (string | undefined)[] => [
      ...command.options.map(({ long }) => long),
      ...command.commands.flatMap(flagsOf),
    ];
    const taken = new Set(flagsOf(createProgram(new Run(host))));
    for (const { name, flag = `--${name.replaceAll("_", "-")}` } of settings) {
      expect(page.includes(`| \`${flag}\` `), flag).toBe(taken.has(flag));
    }
  });
});

describe("docs/errors.md", () => {
  const rows = readPage("errors.md")
    .split("\n")
    .filter((line) => line.startsWith("| <a id="))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

  test("it has exactly the codes of the code, in the same order, each with an anchor of its own", () => {
    expect(rows.map(([code]) => code)).toEqual(
      Object.keys(errorTable).map((code) => `<a id="${code}"></a>\`${code}\``),
    );
  });

  test("kind, status and meaning are those of the code", () => {
    expect(
      rows.map(([, kind, status, meaning]) => ({ kind, status: Number(status), title: meaning })),
    ).toEqual(Object.values(errorTable).map(({ kind, status, title }) => ({ kind, status, title })));
  });

  test("every code says what to do", () => {
    for (const row of rows) expect(row[4]).toMatch(/^[A-Z].{8,}\.$/);
  });
});
