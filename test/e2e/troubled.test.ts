import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { canBrowse, DemoBrowser } from "./demo-browser.ts";
import { stormAlerts } from "./troubled-world.ts";

const minuteMs = 60_000;

/** The timeline from one minute of the troubled hour to another. */
function windowOf(from: number, to: number): string {
  const at = (minute: number) => new Date(inject("troubledAt") + minute * minuteMs).toISOString();
  return `/t?from=${at(from)}&to=${at(to)}&tz=UTC`;
}

const number = (text: string): number => Number(/[\d,]+/.exec(text)?.[0].replaceAll(",", ""));

describe.runIf(canBrowse())("troubled sources in the browser", () => {
  let browser: DemoBrowser;

  beforeAll(async () => {
    browser = await DemoBrowser.open({ world: "troubled" });
    await browser.signIn();
  });

  afterAll(() => browser.close());

  async function seeAs(label: string): Promise<void> {
    await browser.page.getByLabel("See as").selectOption({ label });
    await browser.page.getByText("You see what").waitFor();
  }

  async function seeAll(): Promise<void> {
    await browser.page.getByRole("button", { name: /Back to the provider/ }).click();
    await browser.page.getByRole("link", { name: "Sources" }).waitFor();
  }

  it("lists the worst source first, with what it breaks, what to do, and where it was blind", async () => {
    const { page } = browser;
    await page.goto("/sources");
    await page.locator(".connections").waitFor();
    const states = await page.locator(".connection .state").allInnerTexts();
    expect(states).toEqual(["failing", "silent", "degraded", "degraded", "idle", "idle"]);
    const nova = page.locator(".connection", { hasText: "nova@region-1" });
    const words = await nova.innerText();
    expect(words).toContain("place-lost The queue had vanished");
    expect(words).toMatch(/Means:.*what lay between is not known/);
    expect(words).toContain("isochron reconcile nova@region-1");
    await nova.getByRole("link", { name: /03:10–03:25 UTC|04:10–04:25/ }).click();
    await browser.ready();
    expect(await page.locator(".coverage").innerText()).toMatch(/nova@region-1: may be incomplete/);
  });

  it("unfolds a source's contract by keyboard", async () => {
    const { page } = browser;
    await page.goto("/sources");
    const card = page.locator(".connection", { hasText: "prometheus@region-1" });
    await card.locator("summary").focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => card.innerText()).toMatch(/Blind to[\s\S]*silence/);
  });

  it("says in words where the window may be incomplete, of which sources, and why", async () => {
    const { page } = browser;
    await page.goto(windowOf(0, 40));
    await browser.ready();
    const note = page.getByRole("note").filter({ hasText: "May be incomplete" });
    await expect.poll(() => note.innerText()).toMatch(/03:10–03:25 UTC, 2 sources/);
    expect(await page.locator(".coverage .hole").count()).toBe(2);
    expect(await page.locator(".coverage").getAttribute("aria-label")).toMatch(
      /workflows@region-1: events may be missing from 03:18:00 to 03:21:00 UTC: records became readable late/,
    );
    await page.getByRole("button", { name: "what is missing?" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("The queue had vanished.").waitFor();
  });

  it("tells having been blind from nothing having happened", async () => {
    const { page } = browser;
    await page.goto(windowOf(-112, -93));
    await expect.poll(() => page.locator(".empty").innerText()).toMatch(/We were blind: 01:10–01:25 UTC/);
    await page.goto(windowOf(-80, -60));
    await expect.poll(() => page.locator(".empty").innerText()).toMatch(/Nothing happened/);
  });

  it("tells a tenant when something may be missing, and nothing of the source", async () => {
    const { page } = browser;
    await page.goto(windowOf(0, 40));
    await browser.ready();
    await seeAs("contoso / prod");
    await browser.ready();
    const note = page.getByRole("note").filter({ hasText: "May be incomplete" });
    expect(await note.innerText()).toMatch(/03:10–03:25 UTC$/);
    await page.getByRole("button", { name: "what is missing?" }).click();
    await page.getByText("Something may be missing from 03:10:00 to 03:25:00 UTC.").waitFor();
    expect(await page.locator("main").innerText()).not.toMatch(/nova@|workflows@|queue|vanished/);
    await seeAll();
  });

  /** The storm's count as the inspector tells it, after it was chosen in the table. */
  async function openStorm(): Promise<number> {
    const { page } = browser;
    await page
      .locator("tr", { has: page.locator(".fold-count") })
      .first()
      .click();
    await page.getByRole("heading", { name: "A storm, folded into one event" }).waitFor();
    return number(await page.locator(".storm-count strong").innerText());
  }

  it("shows a storm as one row with its count, and unfolds it page by page", async () => {
    const { page } = browser;
    await page.goto(windowOf(0, 40));
    await browser.ready();
    const folds = (await page.locator(".fold-count").allInnerTexts()).map(number);
    const single = await page.locator(".summary-total").last().innerText();
    expect(folds.reduce((sum, count) => sum + count, 0)).toBe(number(single.replace(/^.*stand/, "")));
    expect(number(single.replace(/^.*stand/, ""))).toBeGreaterThan(stormAlerts - 50);
    const count = await openStorm();
    expect(await page.locator(".members li").count()).toBe(5);
    await page.getByRole("button", { name: /^Show all/ }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator(".members li").count()).toBe(100);
    await page.getByRole("button", { name: "Show 100 more" }).click();
    await expect.poll(() => page.locator(".members li").count()).toBe(200);
    expect(await page.locator(".storm-more").innerText()).toContain(`200 of ${count.toLocaleString("en")}`);
  });

  it("gives a tenant of a storm its own members only", async () => {
    const { page } = browser;
    await page.goto(windowOf(0, 40));
    await browser.ready();
    await seeAs("northwind / payroll");
    await browser.ready();
    const count = await openStorm();
    expect(count).toBeLessThan(stormAlerts / 3);
    await page.getByRole("button", { name: /^Show all/ }).click();
    await expect.poll(() => page.locator(".members li").count()).toBe(100);
    expect(await page.locator(".members").innerText()).not.toMatch(/web-(0|1|2|4)\b/);
    await seeAll();
  });

  it("complains of nothing, not even to the console", () => {
    expect(browser.complaints).toEqual([]);
  });
});
