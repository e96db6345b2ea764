import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canBrowse, DemoBrowser, type Theme } from "./demo-browser.ts";

describe.runIf(canBrowse()).each<Theme>(["light", "dark"])("the audit page in the %s theme", (theme) => {
  let browser: DemoBrowser;
  let axe: string;

  beforeAll(async () => {
    axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    browser = await DemoBrowser.open({ theme });
    await browser.signIn();
    await browser.page.goto("/audit");
    await browser.page.locator("tbody tr").first().waitFor();
  });

  afterAll(() => browser.close());

  async function violations(): Promise<string[]> {
    await browser.page.evaluate(axe);
    return browser.page.evaluate(async () => {
      interface Found {
        violations: { id: string; nodes: { html: string }[] }[];
      }
      const { axe: engine } = globalThis as unknown as { axe: { run(): Promise<Found> } };
      const found = await engine.run();
      return found.violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`),
      );
    });
  }

  it("tells who signed in, finds entries by action and by who, and says where there are none", async () => {
    const { page } = browser;
    await page.getByLabel("Action").selectOption("sign-in");
    await expect.poll(() => page.locator("tbody").innerText()).toMatch(/sign-in/);
    await page.getByRole("textbox", { name: "Who" }).fill("nobody at all");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await expect.poll(() => page.locator("main").innerText()).toContain("No entry is like that");
    expect(browser.complaints).toEqual([]);
  });

  it("can be used by everybody, wide and narrow", async () => {
    const { page } = browser;
    await page.goto("/audit");
    await page.locator("tbody tr").first().waitFor();
    expect(await violations(), "wide").toEqual([]);
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await violations(), "narrow").toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });

  it("is no page for a tenant", async () => {
    const { page } = browser;
    await page.setViewportSize({ width: 1440, height: 960 });
    await page.getByLabel("See as").selectOption({ index: 1 });
    await page.locator(".tenant-banner").waitFor();
    await page.goto("/audit");
    await expect.poll(() => page.locator("main").innerText()).toContain("There is no page at");
  });
});
