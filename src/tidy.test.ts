import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  checkEnvironment,
  checkFileLength,
  checkFunctionLengths,
  checkNoSleep,
  checkNoTestLeftOut,
  checkTestNames,
  checkTypeNames,
} from "../test/tidy/code-rules.ts";
import {
  checkBarrel,
  checkDirection,
  checkStoreIsBehindContracts,
  findCycles,
} from "../test/tidy/import-rules.ts";
import type { Manifest } from "../test/tidy/package-rules.ts";
import { findUndeclaredPackages, findUnusedPackages } from "../test/tidy/package-rules.ts";
import type { Finding, TreeFile } from "../test/tidy/source-tree.ts";
import { isCode, readTree, root } from "../test/tidy/source-tree.ts";
import {
  checkDecisionRecords,
  checkDocument,
  checkForeignText,
  checkLinks,
  checkPath,
  checkSqlHome,
} from "../test/tidy/text-rules.ts";

/** The rules of this tree. Each is shown below to fail on a small bad example. No file is exempt. */

const tree = readTree();
const code = tree.filter(({ path }) => isCode(path));
const tests = code.filter(({ path }) => /\.test\.tsx?$/.test(path));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;

function programsOf(name: string): readonly string[] {
  const path = join(root, "node_modules", name, "package.json");
  if (!existsSync(path)) return [];
  const { bin } = JSON.parse(readFileSync(path, "utf8")) as { bin?: string | Record<string, string> };
  return typeof bin === "string" ? [name] : Object.keys(bin ?? {});
}

/** A file that exists only in this test. */
function file(path: string, text: string): TreeFile {
  return { path, text };
}

function each(files: readonly TreeFile[], check: (file: TreeFile) => readonly Finding[]): readonly Finding[] {
  return files.flatMap((item) => check(item));
}

describe("in this tree", () => {
  test("stages know the model and never each other", () => {
    expect(each(code, checkDirection)).toEqual([]);
  });

  test("only main.ts builds the store", () => {
    expect(each(code, checkStoreIsBehindContracts)).toEqual([]);
    expect(each(code, checkSqlHome)).toEqual([]);
  });

  test("no files import each other in a circle", () => {
    expect(findCycles(code)).toEqual([]);
  });

  test("there are no barrels", () => {
    expect(each(code, checkBarrel)).toEqual([]);
  });

  test("files and functions are short", () => {
    expect(each(code, checkFileLength)).toEqual([]);
    expect(each(code, checkFunctionLengths)).toEqual([]);
  });

  test("files and types are named for what they are", () => {
    expect(each(tree, checkPath)).toEqual([]);
    expect(each(code, checkTypeNames)).toEqual([]);
  });

  test("only the configuration reads the environment", () => {
    expect(each(code, checkEnvironment)).toEqual([]);
  });

  test("every test is a sentence, runs, and never sleeps", () => {
    expect(each(tests, checkTestNames)).toEqual([]);
    expect(each(tests, checkNoTestLeftOut)).toEqual([]);
    expect(each(tests, checkNoSleep)).toEqual([]);
  });

  test("text speaks of nothing that only one machine or workplace has", () => {
    expect(each(tree, checkForeignText)).toEqual([]);
    expect(each(tree, checkDocument)).toEqual([]);
  });

  test("links between documents lead somewhere and decisions are numbered", () => {
    expect(each(tree, (item) => checkLinks(item, (path) => existsSync(join(root, path))))).toEqual([]);
    expect(checkDecisionRecords(tree)).toEqual([]);
  });

  test("dependencies are those that are used", () => {
    expect(findUnusedPackages(manifest, tree, programsOf)).toEqual([]);
    expect(findUndeclaredPackages(manifest, code)).toEqual([]);
  });

  test("oxlint holds to the same lengths and to no circles", () => {
    const withoutComments = readFileSync(join(root, ".oxlintrc.json"), "utf8").replaceAll(
      /^\s*\/\/.*$/gm,
      "",
    );
    const { rules } = JSON.parse(withoutComments) as { rules: Record<string, unknown> };
    expect(rules["max-lines"]).toMatchObject(["error", { max: 400 }]);
    expect(rules["max-lines-per-function"]).toMatchObject(["error", { max: 70 }]);
    expect(rules["import/no-cycle"]).toBe("error");
  });
});

describe("a rule is broken when", () => {
  test.each([
    ["a stage imports another stage", "src/resolve/x.ts", 'import { a } from "../sources/post-mortem.ts";'],
    [
      "a stage imports a type of another stage",
      "src/correlate/x.ts",
      'import type { A } from "../store/store.ts";',
    ],
    ["a source imports the safe decoders", "src/sources/x.ts", 'import { a } from "../normalise/decode.ts";'],
    ["the model imports a library", "src/model/x.ts", 'import { z } from "zod";'],
    ["the model imports the error table", "src/model/x.ts", 'import { a } from "../errors.ts";'],
    ["the pipeline imports a source", "src/pipeline/x.ts", 'import { a } from "../sources/registry.ts";'],
    [
      "the pipeline imports the resolver",
      "src/pipeline/x.ts",
      'import { a } from "../resolve/graph-resolver.ts";',
    ],
    ["the API imports the pipeline", "src/present/api/x.ts", 'import { a } from "../../pipeline/ingest.ts";'],
    ["a page imports the store", "src/present/web/x.tsx", 'import type { A } from "../../store/store.ts";'],
    [
      "a page takes values from the contract",
      "src/present/web/x.ts",
      'import { a } from "../api/contract.ts";',
    ],
    ["the CLI imports the server", "src/present/cli/x.ts", 'const a = await import("../api/server.ts");'],
    [
      "the CLI names a type of the store",
      "src/present/cli/x.ts",
      'type A = import("../../store/store.ts").Store;',
    ],
    ["the driver is used outside the store", "src/pipeline/x.ts", 'import pg from "pg";'],
    ["a source brings a driver of its own", "src/sources/sql/x.ts", 'import mysql from "mysql2/promise";'],
    [
      "the reader of foreign databases copies",
      "src/pipeline/sql-client.ts",
      'import { to } from "pg-copy-streams";',
    ],
    ["the web framework is used outside the API", "src/pipeline/x.ts", 'import f from "fastify";'],
    ["the program imports what tests share", "src/pipeline/x.ts", 'import { a } from "../../test/facts.ts";'],
    ["the program imports a test library", "src/pipeline/x.ts", 'import fc from "fast-check";'],
    ["a contract of the store imports SQL", "src/store/x.ts", 'import { a } from "./postgres/open.ts";'],
    ["a file has no place", "src/new-stage/x.ts", 'import { a } from "../errors.ts";'],
  ])("%s: that is reported", (_what, path, text) => {
    expect(checkDirection(file(path, text))).toHaveLength(1);
  });

  test("the command line builds the store or a page holds SQL", () => {
    const early = file("src/cli.ts", 'import { openStore } from "./store/postgres/open.ts";');
    expect(checkStoreIsBehindContracts(early)).toHaveLength(1);
    expect(
      checkSqlHome(file("src/pipeline/x.ts", `const a = "${["SELECT", "id FROM event"].join(" ")}";`)),
    ).toHaveLength(1);
  });

  test("three files import each other in a circle, if only for types", () => {
    const circle = [
      file("src/model/a.ts", 'import { b } from "./b.ts";'),
      file("src/model/b.ts", 'export { c } from "./c.ts";'),
      file("src/model/c.ts", 'import type { a } from "./a.ts";'),
    ];
    expect(findCycles(circle)).toEqual([
      "src/model/a.ts: imports itself in a circle: src/model/a.ts → src/model/b.ts → src/model/c.ts → src/model/a.ts",
    ]);
    expect(findCycles(circle.slice(1))).toEqual([]);
  });

  test("a file is a barrel by name or by what it does", () => {
    expect(checkBarrel(file("src/model/index.ts", "export const a = 1;"))).toHaveLength(1);
    expect(
      checkBarrel(file("src/model/all.ts", 'export * from "./a.ts";\nexport type { B } from "./b.ts";')),
    ).toHaveLength(1);
    expect(checkBarrel(file("src/model/a.ts", 'export { b } from "./b.ts";\nexport const a = 1;'))).toEqual(
      [],
    );
  });

  test("a file or a function is too long", () => {
    expect(checkFileLength(file("src/a.ts", "\n".repeat(401)))).toHaveLength(1);
    expect(checkFileLength(file("src/a.ts", "\n".repeat(400)))).toEqual([]);
    const lines = (count: number) => `{${"\n".repeat(count - 1)}}`;
    expect(checkFunctionLengths(file("src/a.ts", `function a() ${lines(71)}`))).toHaveLength(1);
    expect(checkFunctionLengths(file("src/a.ts", `const a = { b() ${lines(71)} };`))).toHaveLength(1);
    expect(checkFunctionLengths(file("src/a.test.ts", `test("a b", () => ${lines(71)});`))).toHaveLength(1);
    expect(checkFunctionLengths(file("src/a.ts", `const a = () => ${lines(70)};`))).toEqual([]);
    expect(checkFunctionLengths(file("src/a.test.ts", `describe("a", () => ${lines(300)});`))).toEqual([]);
  });

  test.each([
    "src/utils/time.ts",
    "src/model/helpers.ts",
    "src/common.ts",
    "src/model/EventStore.ts",
    "docs/adr/0001_x.md",
  ])("a file is called %s", (path) => {
    expect(checkPath(file(path, ""))).toHaveLength(1);
  });

  test.each(["interface IStore {}", "class StoreImpl {}", "type EventManager = 1;", "class DefaultClock {}"])(
    "a type is declared as %s",
    (text) => {
      expect(checkTypeNames(file("src/a.ts", text))).toHaveLength(1);
    },
  );

  test("somebody but the configuration reads the environment", () => {
    expect(checkEnvironment(file("src/log.ts", "const a = process.env.HOME;"))).toHaveLength(1);
    expect(checkEnvironment(file("src/log.ts", 'const a = process["env"];'))).toHaveLength(1);
    expect(checkEnvironment(file("src/log.ts", 'import { env } from "node:process";'))).toHaveLength(1);
    expect(checkEnvironment(file("src/config.ts", "const a = process.env.HOME;"))).toEqual([]);
  });

  test.each(['test("replay", f);', 'test("Replays a page", f);', 'it("should replay a page", f);'])(
    "a test is named as in %s",
    (text) => {
      expect(checkTestNames(file("src/a.test.ts", text))).toHaveLength(1);
    },
  );

  test("a test begins with a code, a name or a small letter, and is left alone", () => {
    const names = ["`--json` prints lines", "RFC 3339 is read", "Nova's twins fold", "a page is replayed"];
    const text = names.map((name) => `test(${JSON.stringify(name)}, f);`).join("\n");
    expect(checkTestNames(file("src/a.test.ts", text))).toEqual([]);
  });

  test("a test is left out or sleeps", () => {
    for (const word of ["only", "skip", "todo"]) {
      expect(checkNoTestLeftOut(file("src/a.test.ts", `test.${word}("a b", f);`))).toHaveLength(1);
    }
    expect(checkNoTestLeftOut(file("src/a.test.ts", 'describe.skip.each(rows)("a b", f);'))).toHaveLength(1);
    expect(
      checkNoSleep(file("src/a.test.ts", "await new Promise((done) => setTimeout(done, 50));")),
    ).toHaveLength(1);
    expect(checkNoSleep(file("src/a.test.ts", "await sleep(10);"))).toHaveLength(1);
    expect(checkNoSleep(file("src/a.test.ts", "setTimeout(done, 0);"))).toEqual([]);
  });

  test("text names a path of one machine, a neighbour of the checkout or a registry", () => {
    for (const place of ["work", "root", "home", "tmp"]) {
      expect(checkForeignText(file("docs/a.md", `see /${place}/somebody/file`))).toHaveLength(1);
    }
    expect(checkForeignText(file("docs/a.md", `see ${[".", "shared"].join("./")}/data`))).toHaveLength(1);
    expect(
      checkForeignText(file(".ci/run", `https://${["registry", "npmjs", "org"].join(".")}/x`)),
    ).toHaveLength(1);
    expect(checkForeignText(file("docs/a.md", "https://example.org/home/page and ./work/item"))).toEqual([]);
  });

  test("a document speaks of the workplace", () => {
    for (const text of [
      "written in an earlier session",
      "an AI assistant",
      "as the brief says",
      "TODO: measure",
    ]) {
      expect(checkDocument(file("docs/a.md", text))).toHaveLength(1);
    }
    expect(checkDocument(file("docs/a.md", "A browser session ends; a Neutron agent reports."))).toEqual([]);
  });

  test("a link leads nowhere or a decision record lacks a part", () => {
    const linking = file("docs/a.md", "[b](adr/b.md#part) [c](https://example.org/c)");
    expect(checkLinks(linking, () => false)).toEqual(["docs/a.md: links to adr/b.md, which is not there"]);
    expect(checkLinks(linking, (path) => path === "docs/adr/b.md")).toEqual([]);
    const record = "# T\n\nStatus: accepted\n\n## Context\n\n## Decision\n\n## Consequences\n";
    expect(checkDecisionRecords([file("docs/adr/0001-a.md", record)])).toEqual([]);
    expect(checkDecisionRecords([file("docs/adr/0002-a.md", record)])).toHaveLength(1);
    expect(checkDecisionRecords([file("docs/adr/0001-a.md", "# T\n")])).toHaveLength(4);
  });

  test("a dependency is not used, not declared, or not shipped with what imports it", () => {
    const used = [file("src/a.ts", 'import z from "zod";'), file("src/b.css", '@import "font/x.css";')];
    const packages = { zod: "4", font: "1", pg: "8", tsc: "7", "@types/pg": "8" };
    const scripts = { typecheck: "tsc --noEmit" };
    expect(findUnusedPackages({ dependencies: packages, scripts }, used, (name) => [name])).toEqual([
      "package.json: pg is imported nowhere",
      "package.json: @types/pg is imported nowhere",
    ]);
    expect(findUndeclaredPackages({ dependencies: { zod: "4" } }, used)).toEqual([]);
    expect(findUndeclaredPackages({ devDependencies: { zod: "4" } }, used)).toHaveLength(1);
    expect(findUndeclaredPackages({}, [file("test/a.ts", 'import z from "zod/mini";')])).toHaveLength(1);
  });
});
