import type { Route } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canBrowse, DemoBrowser } from "./demo-browser.ts";

describe.runIf(canBrowse())("an empty or broken window", () => {
  let browser: DemoBrowser;

  beforeAll(async () => {
    browser = await DemoBrowser.open();
    await browser.signIn();
  });

  afterAll(() => browser.close());

  it("says that nothing matches, and what there is without the filter", async () => {
    const { page } = browser;
    await page.goto("/t?from=2026-11-21T03:00:30Z&to=2026-11-21T03:06:00Z&tz=UTC&q=no-such-text-anywhere");
    await page.getByText("No events match.").waitFor();
    expect(await page.locator(".empty").innerText()).toMatch(/[1-9][\d,]* without the filter/);
    await page.getByRole("button", { name: "Clear search" }).click();
    await browser.ready();
  });

  it("says unknown, not quiet, where no source vouches for the time", async () => {
    const { page } = browser;
    await page.goto("/t?from=2026-12-01T00:00:00Z&to=2026-12-01T01:00:00Z&tz=UTC");
    await expect.poll(() => page.locator(".empty").innerText()).toMatch(/^Unknown/);
    await page.getByRole("button", { name: "Go there" }).click();
    await browser.ready();
  });

  it("keeps the last good picture when the server fails, with code, time and a way to retry", async () => {
    const { page } = browser;
    await page.goto("/t");
    await browser.ready();
    const problem = {
      type: "about:blank",
      title: "The store cannot be reached",
      status: 503,
      code: "store-unavailable",
      detail: "The store cannot be reached.",
      remedy: "Try again in a moment.",
    };
    const fail = (route: Route) =>
      route.fulfill({ status: 503, contentType: "application/problem+json", body: JSON.stringify(problem) });
    await page.route("**/api/v1/events?*", fail);
    await page.route("**/api/v1/histogram?*", fail);
    await page.getByRole("button", { name: "Reload" }).click();
    const notice = page.getByRole("alert");
    await notice.waitFor();
    expect(await notice.innerText()).toMatch(/store-unavailable[\s\S]*since .*UTC/);
    expect(await page.locator("tbody .col-what").count()).toBeGreaterThan(3);
    await page.unrouteAll();
    await notice.getByRole("button", { name: "Retry" }).click();
    await notice.waitFor({ state: "detached" });
  });

  it("gives the same answer for an event that does not exist and one that may not be seen", async () => {
    const { page } = browser;
    await page.goto("/e/evt_00000000000000000000000000");
    await page.getByRole("heading", { name: "No such event" }).waitFor();
    await page.goto("/r/server/no-such-server");
    await page.getByRole("heading", { name: "No such resource" }).waitFor();
    expect(await page.locator("main").innerText()).toMatch(/lies outside what you may see/);
  });

  it("centres the timeline on the event of a permalink", async () => {
    const { page } = browser;
    const session = await (await page.request.get("/api/v1/session")).json();
    await page.goto(`/e/${session.scenes[0].event}`);
    await page.getByRole("heading", { name: "A server does not answer" }).waitFor();
    expect(new URL(page.url()).searchParams.get("sel")).toBe(session.scenes[0].event);
  });
});
