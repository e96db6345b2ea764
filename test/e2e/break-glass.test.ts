import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canBrowse, DemoBrowser } from "./demo-browser.ts";

const why = "A customer's administrator is locked out.";

describe.runIf(canBrowse())("breaking glass in the browser", () => {
  let browser: DemoBrowser;

  beforeAll(async () => {
    browser = await DemoBrowser.open();
    await browser.signIn();
    await becomeOperator();
  });

  afterAll(() => browser.close());

  /** The demo's one click signs an administrator in, who makes a token for the operator. */
  async function becomeOperator(): Promise<void> {
    await browser.page.evaluate(async () => {
      const send = async (path: string, body: object) => {
        const headers = { "content-type": "application/json", "X-Isochron-CSRF": "1" };
        const answer = await fetch(`/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
        return (await answer.json()) as { token: string };
      };
      const { token } = await send("/tokens", { name: "night shift", scope: "provider" });
      await send("/session", { token });
    });
    await browser.page.goto("/t");
    await browser.ready();
  }

  it("asks for a reason, shows for how long on every page, and ends when it is told to", async () => {
    const { page } = browser;
    await page.getByRole("button", { name: "Break glass" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Show them" }).click();
    await dialog.getByText("Say it in 10 characters or more.").waitFor();
    await dialog.getByLabel("Reason").fill(why);
    await dialog.getByRole("button", { name: "Show them" }).click();
    const banner = page.locator(".glass-banner");
    await banner.waitFor();
    expect(await banner.innerText()).toMatch(/for 60 minutes more[\s\S]*A customer's administrator/);
    expect(await page.getByRole("button", { name: "Break glass" }).count()).toBe(0);
    await page.getByRole("link", { name: "Sources" }).click();
    await page.getByRole("heading", { level: 1 }).first().waitFor();
    expect(await banner.isVisible()).toBe(true);
    await page.reload();
    await banner.waitFor();
    await banner.getByRole("button", { name: "Stop now" }).click();
    await banner.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Break glass" }).waitFor();
    expect(browser.complaints).toEqual([]);
  });
});
