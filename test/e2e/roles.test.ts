import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canBrowse, DemoBrowser } from "./demo-browser.ts";

const incident = "/t?from=2026-11-21T03:00:30Z&to=2026-11-21T03:06:00Z&tz=UTC";
const providerPages = ["/sources", "/quarantine", "/quarantine/rulings", "/notices"];
/** What everybody has a page of: the provider of all, a tenant of its own. */
const everybodys = ["Timeline", "Alerts", "Incidents", "Operations", "Compare"];
const controls = /^(Edit|Choose|Withdraw|Rule otherwise|Try it|Decide|Assign it|Lift|Revoke)/;

type Role = "operator" | "auditor" | "admin" | "tenant reader" | "tenant admin";

describe.runIf(canBrowse())("what each role is shown", () => {
  let browser: DemoBrowser;
  let axe: string;

  beforeAll(async () => {
    axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    browser = await DemoBrowser.open();
  });

  afterAll(() => browser.close());

  /** The demo's one click signs an administrator in, who makes a token for the role. */
  async function become(role: Role): Promise<void> {
    await browser.page.context().clearCookies();
    await browser.signIn();
    await browser.page.evaluate(async (wanted) => {
      const send = async (path: string, body: object) => {
        const headers = { "content-type": "application/json", "X-Isochron-CSRF": "1" };
        const answer = await fetch(`/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
        return (await answer.json()) as { token: string };
      };
      const session = await (await fetch("/api/v1/session")).json();
      const tenant = session.tenants.find(
        (each: { project_name?: string; domain_name?: string }) =>
          each.project_name === "prod" && each.domain_name === "contoso",
      );
      const { control_plane, project_id } = tenant;
      const [whose, own] = wanted.split(" ");
      const scope =
        own === undefined ? { scope: "provider" } : { scope: "project", control_plane, project_id };
      const { token } = await send("/tokens", { name: wanted, ...scope, role: own ?? whose });
      await send("/session", { token });
    }, role);
    await browser.page.goto(incident);
    await browser.ready();
  }

  async function pagesShown(page: Page): Promise<string[]> {
    return page.getByRole("navigation", { name: "Pages" }).getByRole("link").allInnerTexts();
  }

  /** The names of the links in the account's menu. */
  async function accountPages(page: Page): Promise<string[]> {
    const account = page.getByRole("group", { name: "Your account" });
    await account.getByRole("button", { name: /^Account/ }).click();
    await account.getByRole("button", { name: "Sign out" }).waitFor();
    const names = await account.getByRole("link").allInnerTexts();
    await page.keyboard.press("Escape");
    await account.getByRole("button", { name: "Sign out" }).waitFor({ state: "detached" });
    expect(await page.evaluate(() => document.activeElement?.textContent)).toMatch(/^Account/);
    return names;
  }

  async function isUnknown(page: Page, path: string): Promise<boolean> {
    await page.goto(path);
    await page.getByRole("heading", { level: 1 }).first().waitFor();
    return (await page.getByRole("heading", { level: 1 }).innerText()) === "Not found";
  }

  async function violations(page: Page): Promise<string[]> {
    await page.evaluate(axe);
    return page.evaluate(async () => {
      interface Found {
        violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[];
      }
      const { axe: engine } = globalThis as unknown as { axe: { run(): Promise<Found> } };
      const found = await engine.run();
      return found.violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary ?? ""}`),
      );
    });
  }

  it("an auditor looks at everything and is offered no decision", async () => {
    const { page } = browser;
    await become("auditor");
    expect(await pagesShown(page)).toEqual([...everybodys, "Sources", "Quarantine", "Notices", "Audit"]);
    expect(await page.getByRole("button", { name: "Break glass" }).count()).toBe(0);
    expect(await accountPages(page)).toEqual(["Notifications"]);
    await page.goto("/quarantine");
    await page.locator(".groups a").first().click();
    await page.getByRole("heading", { name: "Waiting, the newest first" }).waitFor();
    await page.locator(".event-lines li").first().waitFor();
    for (const path of [undefined, "/notices", "/quarantine/rulings"]) {
      if (path !== undefined) {
        await page.goto(path);
        await page.locator(".card, .lead").first().waitFor();
      }
      expect(await page.locator("main").getByRole("button", { name: controls }).count(), path).toBe(0);
      expect(await page.locator("main").getByRole("link", { name: controls }).count(), path).toBe(0);
      expect(await violations(page), path).toEqual([]);
    }
    for (const path of ["/tokens", "/retention", "/export"])
      expect(await isUnknown(page, path), path).toBe(true);
  });

  it("an operator decides, and has neither the audit nor what is administered", async () => {
    const { page } = browser;
    await become("operator");
    expect(await pagesShown(page)).toEqual([...everybodys, "Sources", "Quarantine", "Notices"]);
    expect(await page.getByRole("button", { name: "Break glass" }).count()).toBe(1);
    expect(await accountPages(page)).toEqual(["Notifications"]);
    await page.goto("/notices");
    await page.getByRole("button", { name: /^Edit/ }).first().waitFor();
    for (const path of ["/audit", "/tokens", "/retention"])
      expect(await isUnknown(page, path), path).toBe(true);
  });

  it("a tenant's reader has the pages of its own things alone, also among the keys", async () => {
    const { page } = browser;
    await become("tenant reader");
    expect(await pagesShown(page)).toEqual(everybodys);
    expect(await accountPages(page)).toEqual([]);
    await page.keyboard.press("?");
    expect(await page.getByRole("dialog").innerText()).not.toMatch(/quarantine|sources|notices|audit/);
    await page.keyboard.press("Escape");
    for (const path of [...providerPages, "/audit", "/tokens", "/retention", "/export", "/notifications"]) {
      expect(await isUnknown(page, path), path).toBe(true);
    }
  });

  it("a tenant's administrator makes a token, sees it once, revokes it, and takes the events along", async () => {
    const { page } = browser;
    await become("tenant admin");
    expect(await accountPages(page)).toEqual(["Notifications", "API tokens", "Take the events along"]);
    await page.goto("/tokens");
    await page.getByLabel("Name", { exact: true }).fill("for one test");
    await page.getByRole("button", { name: "Make the token" }).click();
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    const shown = await page.getByLabel("The token for one test").inputValue();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(shown);
    expect(shown).toMatch(/^iso_/);
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await violations(page), "tokens").toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await page.setViewportSize({ width: 1440, height: 960 });
    await page.getByRole("button", { name: "I have it" }).click();
    await page.getByRole("button", { name: "Revoke… for one test" }).click();
    await page.getByRole("button", { name: "End it and its sessions now for one test" }).click();
    await page.getByRole("button", { name: "Revoke… for one test" }).waitFor({ state: "detached" });
    expect(await page.content()).not.toContain(shown);
    await page.goto("/export");
    await page.getByRole("heading", { name: "Take the events along" }).waitFor();
    expect(await violations(page), "export").toEqual([]);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Download lines of JSON" }).click(),
    ]);
    const lines = (await readFile(await download.path(), "utf8")).trim().split("\n");
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({
      manifest: { counts: { events: expect.any(Number) } },
    });
  });

  it("a provider's administrator places and lifts a hold, and counts what an erasure would take", async () => {
    const { page } = browser;
    await become("admin");
    expect(await accountPages(page)).toEqual([
      "Notifications",
      "API tokens",
      "Retention, holds and erasures",
    ]);
    await page.goto("/retention");
    await page.getByText("Place a hold").click();
    await page.getByText("What would an erasure take?").click();
    await page.getByRole("button", { name: /^On/ }).click();
    await page.getByLabel("Find a tenant by name or id").fill("fabrikam");
    await page.getByRole("treeitem", { name: "fabrikam" }).first().click();
    await page.getByLabel("Why").fill("case 12/2026");
    await page.getByRole("button", { name: "Place it" }).click();
    await page
      .getByRole("button", { name: /^Lift…/ })
      .first()
      .waitFor();
    expect(await violations(page)).toEqual([]);
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await page.setViewportSize({ width: 1440, height: 960 });
    await page.getByLabel("or a person’s user id").fill("nobody-of-this-name");
    await page.getByRole("button", { name: "Count", exact: true }).click();
    await page.getByText("Nothing was changed.").waitFor();
    await page
      .getByRole("button", { name: /^Lift…/ })
      .first()
      .click();
    await page.getByLabel("Why").first().fill("the case is closed");
    await page.getByRole("button", { name: "Lift", exact: true }).click();
    await page.getByText("None stands.").waitFor();
    expect(browser.complaints).toEqual([]);
  });
});
