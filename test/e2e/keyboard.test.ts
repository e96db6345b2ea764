import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { canBrowse, DemoBrowser } from "./demo-browser.ts";

describe.runIf(canBrowse())("the timeline by keyboard", () => {
  let browser: DemoBrowser;

  beforeAll(async () => {
    browser = await DemoBrowser.open();
    await browser.signIn();
  });

  afterAll(() => browser.close());

  beforeEach(async () => {
    await browser.page.goto("/t");
    await browser.ready();
  });

  function parameter(name: string): string | null {
    return new URL(browser.page.url()).searchParams.get(name);
  }

  async function until(check: () => boolean): Promise<void> {
    await expect.poll(check).toBe(true);
  }

  function span(): number {
    return Date.parse(parameter("to") ?? "") - Date.parse(parameter("from") ?? "");
  }

  it("zooms and pans, and the address follows", async () => {
    const { page } = browser;
    await until(() => span() === 330_000);
    const from = parameter("from");
    await page.keyboard.press("w");
    await until(() => span() === 198_000);
    await page.keyboard.press("s");
    await until(() => span() === 330_000);
    await page.keyboard.press("d");
    await until(() => parameter("from") !== from);
    await page.keyboard.press("a");
    await expect.poll(() => parameter("from")).toBe(from);
  });

  it("moves one cursor through the lanes and the table", async () => {
    const { page } = browser;
    await page.keyboard.press(".");
    await page.locator("tr[aria-current]").waitFor();
    expect(await page.locator("tr[aria-current]").innerText()).toMatch(/critical/);
    await until(() => parameter("sel") !== null);
    const first = parameter("sel");
    await page.keyboard.press("ArrowRight");
    await until(() => parameter("sel") !== first);
    await page.keyboard.press("ArrowLeft");
    await until(() => parameter("sel") === first);
    await page.keyboard.press("ArrowDown");
    await until(() => parameter("sel") !== first);
    await page.keyboard.press("Escape");
    await until(() => parameter("sel") === null);
  });

  it("moves row by row inside the table, and the canvas follows", async () => {
    const { page } = browser;
    await page.locator(".table-scroll").focus();
    await page.keyboard.press("ArrowDown");
    await page.locator("tr[aria-current]").waitFor();
    await until(() => parameter("sel") !== null);
    const first = parameter("sel");
    await page.keyboard.press("ArrowDown");
    await until(() => parameter("sel") !== first);
    expect(
      await page.evaluate(() => document.activeElement?.closest("tr")?.getAttribute("aria-current")),
    ).toBe("true");
  });

  it("sets the window's edges at the cursor", async () => {
    const { page } = browser;
    await page.keyboard.press(".");
    await page.locator("tr[aria-current]").waitFor();
    const [from, to] = [parameter("from"), parameter("to")];
    await page.keyboard.press("[");
    await until(() => parameter("from") !== from);
    expect(parameter("to")).toBe(to);
  });

  it("leaves text fields alone, and can be switched off", async () => {
    const { page } = browser;
    await page.keyboard.press("/");
    await page.keyboard.type("web");
    await until(() => parameter("q") === "web");
    expect(parameter("sel")).toBeNull();
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.getByLabel("Single-key shortcuts").uncheck();
    await page.keyboard.press("Escape");
    const before = page.url();
    await page.keyboard.press("w");
    await page.keyboard.press(".");
    expect(page.url()).toBe(before);
    await page.getByRole("button", { name: "Help ?" }).click();
    await page.getByLabel("Single-key shortcuts").check();
  });

  it("goes to the other pages and back", async () => {
    const { page } = browser;
    await page.keyboard.press("g");
    await page.keyboard.press("s");
    await page.getByRole("heading", { name: "Sources" }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("q");
    await page.getByRole("heading", { name: "Quarantine" }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("t");
    await page.locator(".timeline").waitFor();
    expect(new URL(page.url()).pathname).toBe("/t");
  });

  it("takes typed times in any zone, and prints no time without one", async () => {
    const { page } = browser;
    await page.getByLabel("Zone").selectOption("Asia/Colombo");
    await page.locator(".window-button").click();
    await page.getByLabel("From", { exact: true }).fill("08:31 UTC+05:30");
    await page.getByLabel("To", { exact: true }).fill("03:04 UTC");
    await page.getByRole("button", { name: "Show this window" }).click();
    await until(
      () => parameter("from") === "2026-11-21T03:01:00Z" && parameter("to") === "2026-11-21T03:04:00Z",
    );
    await browser.ready();
    const times = await page.locator("tbody .col-time").allInnerTexts();
    expect(times.length).toBeGreaterThan(3);
    for (const time of times.filter((text) => text.trim() !== "")) expect(time).toMatch(/UTC\+05:30$/);
  });

  it("opens a copied link at the same view, with its times frozen", async () => {
    const { page } = browser;
    await page.goto("/t?from=-200000h&to=now&tz=Europe/Paris&group=host&kind=change,symptom&fold=0");
    await browser.ready();
    expect(parameter("from")).toBe("-200000h");
    await page.keyboard.press("y");
    await page.getByText("Copied, times frozen").waitFor();
    const link = new URL(await page.evaluate(() => navigator.clipboard.readText()));
    expect(link.searchParams.get("from")).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(link.searchParams.get("group")).toBe("host");
    const rows = await page.locator(".table-sums").innerText();
    await page.goto(link.href);
    await browser.ready();
    await expect.poll(() => page.locator(".table-sums").innerText()).toBe(rows);
    expect(page.url()).toBe(link.href);
  });
});
