import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { canBrowse } from "./demo-browser.ts";

const webRoot = fileURLToPath(new URL("../../dist/web/", import.meta.url));
const kilobyte = 1024;

/** What the first page costs over the wire: the files that its document names, by their ending. */
async function firstLoad(ending: "js" | "css"): Promise<number> {
  const document = await readFile(`${webRoot}index.html`, "utf8");
  const paths = [...document.matchAll(/(?:src|href)="\/([^"]+)"/g)].map(([, path]) => path ?? "");
  const files = paths.filter((path) => path.endsWith(`.${ending}`) && path.startsWith("assets/"));
  expect(files).not.toEqual([]);
  const sizes = await Promise.all(
    files.map(async (path) => gzipSync(await readFile(webRoot + path), { level: 9 }).length),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

describe.runIf(canBrowse())("the weight of the built pages, compressed", () => {
  it("stays below 70 KB of script before the timeline is there", async () => {
    expect(await firstLoad("js")).toBeLessThan(70 * kilobyte);
  });

  it("stays below 12 KB of style", async () => {
    expect(await firstLoad("css")).toBeLessThan(12 * kilobyte);
  });
});
