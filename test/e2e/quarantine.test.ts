import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canBrowse, DemoBrowser } from "./demo-browser.ts";
import { alertType, alertWindow, postAlert } from "./waiting-alerts.ts";

const incident = "/t?from=2026-11-21T03:00:30Z&to=2026-11-21T03:06:00Z&tz=UTC";

describe.runIf(canBrowse())("the quarantine in the browser", () => {
  let browser: DemoBrowser;
  let tenant: DemoBrowser;

  beforeAll(async () => {
    browser = await DemoBrowser.open();
    await browser.signIn();
    await postAlert(browser.page, "TapeRobotJammed", "Tape robot 4 is jammed");
    tenant = await DemoBrowser.open();
    await tenant.signIn();
    await tenant.page.getByLabel("See as").selectOption({ label: "contoso / prod" });
    await tenant.page.getByText("You see what").waitFor();
  });

  afterAll(async () => {
    await browser.close();
    await tenant.close();
  });

  async function openGroup(type: string): Promise<void> {
    const { page } = browser;
    await page.goto("/quarantine");
    await page.getByRole("link", { name: type }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Write a rule" }).waitFor();
  }

  /** Chooses contoso's project prod in the tree, by keys alone. */
  async function chooseByKeys(): Promise<void> {
    const { page } = browser;
    await page.getByRole("button", { name: /^Tenant/ }).focus();
    await page.keyboard.press("Enter");
    await page.getByLabel("Find a tenant by name or id").waitFor();
    await page.keyboard.type("contoso");
    await page.getByRole("treeitem", { name: "prod" }).waitFor();
    await page.keyboard.press("ArrowDown");
    for (let step = 0; step < 6 && !(await current(page)).startsWith("prod"); step++) {
      await page.keyboard.press("ArrowDown");
    }
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Tenant contoso / prod" }).waitFor();
  }

  async function current(page: Page): Promise<string> {
    const id = await page.getByRole("tree").getAttribute("aria-activedescendant");
    return page.locator(`[id="${id}"] .tree-label`).innerText();
  }

  async function tryIt(): Promise<string> {
    const { page } = browser;
    await page.getByRole("button", { name: "Try it" }).focus();
    await page.keyboard.press("Enter");
    const summary = page.locator(".dry-run:not(.dimmed) .dry-run-summary");
    await summary.waitFor();
    return summary.innerText();
  }

  /** What the tenant sees in the alerts' window, in its own words. */
  async function tenantSees(): Promise<number> {
    const answer = await tenant.page.request.get(
      "/api/v1/events?from=2026-11-21T03:06:39Z&to=2026-11-21T03:06:41Z",
    );
    return (await answer.json()).events.length;
  }

  /** Opens the tenant's page on the live stream, with its event selected; gives the event's row. */
  async function followLive() {
    const { page } = tenant;
    await page.goto("/t?from=2026-11-21T03:06:30Z&to=now&tz=UTC&live=1");
    await tenant.ready();
    const row = page.locator("tbody tr", { hasText: "03:06:40" });
    await row.click();
    await page.locator("#inspector article").waitFor();
    return row;
  }

  it("rules a waiting event to a tenant by keyboard, and shows it to that tenant", async () => {
    const { page } = browser;
    expect(await tenantSees()).toBe(0);
    await openGroup(alertType("TapeRobotJammed"));
    await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
    expect(await page.locator(".bench-evidence").innerText()).toMatch(/Tape robot 4 is jammed/);
    await chooseByKeys();
    expect(await tryIt()).toBe("1 leaves: 1 → contoso / prod; 0 become visible to a second tenant");
    const apply = page.getByRole("button", { name: "Apply…" });
    expect(await apply.isDisabled()).toBe(true);
    await page.getByLabel("Why").fill("The customer keeps its tapes in this robot.");
    await apply.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Let 1 event leave the quarantine?" }).waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Apply", exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Applied" }).waitFor();
    await expect.poll(tenantSees).toBe(1);
    await page.getByRole("link", { name: "Back to the quarantine" }).click();
    await page.locator(".groups, .nothing-waits").first().waitFor();
    await page.getByRole("link", { name: alertType("TapeRobotJammed") }).waitFor({ state: "detached" });
  });

  it("says why by naming the ruling, and tells the tenant one plain line", async () => {
    const { page } = browser;
    await page.goto(alertWindow);
    await browser.ready();
    await page.getByRole("cell", { name: "Tape robot 4 is jammed" }).click();
    await page.getByRole("button", { name: "why this tenant?" }).click();
    await expect.poll(() => page.locator(".ownership").innerText()).toMatch(/ruling|ruled/i);
    expect(await page.locator(".earlier li").allInnerTexts()).toHaveLength(2);
    await tenant.page.goto(alertWindow);
    await tenant.ready();
    await tenant.page.locator("tbody tr").first().click();
    await tenant.page.getByRole("button", { name: "why this tenant?" }).click();
    await tenant.page.locator(".because").waitFor();
    expect(await tenant.page.locator(".hops, .earlier, .done-by").count()).toBe(0);
    expect(await tenant.page.locator("main").innerText()).not.toMatch(/ruling|ruled|tape|robot/i);
  });

  it("applies only what was tried: a changed rule is tried again, and so is a changed situation", async () => {
    const { page } = browser;
    await postAlert(page, "ChillerLeaks", "Chiller 1 leaks");
    await openGroup(alertType("ChillerLeaks"));
    await chooseByKeys();
    await page.getByLabel("Why").fill("Theirs by contract.");
    expect(await tryIt()).toMatch(/^1 /);
    const apply = page.getByRole("button", { name: "Apply…" });
    await page.getByLabel("Type", { exact: true }).fill("alert.chiller_*");
    expect(await apply.isDisabled()).toBe(true);
    await page.getByText("Something was changed since: try it again.").waitFor();
    expect(await tryIt()).toMatch(/^1 /);
    await postAlert(page, "ChillerLeaks", "Chiller 2 leaks");
    await apply.click();
    await page.getByRole("dialog").getByRole("button", { name: "Apply", exact: true }).click();
    await page.getByText("The situation has changed since the dry run.").waitFor();
    await expect.poll(() => page.locator(".dry-run-summary").innerText()).toMatch(/^2 /);
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("Apply…");
    expect(await tenantSees()).toBe(1);
  });

  it("says condition by condition what keeps a rule from being tried", async () => {
    const { page } = browser;
    await openGroup(alertType("ChillerLeaks"));
    await page.getByRole("button", { name: "Try it" }).click();
    await page.getByText("Say whose they are.").waitFor();
    await page.getByLabel("Narrow by").selectOption("from");
    await page.getByLabel("Not before", { exact: true }).fill("yesterday");
    await page.getByText("Write a time with its zone").waitFor();
    await page.getByRole("button", { name: "Take away the condition Not before" }).click();
    expect(await page.getByLabel("Not before", { exact: true }).count()).toBe(0);
  });

  it("lists the ruling with who, when and why, and withdraws it again", async () => {
    const { page } = browser;
    await page.goto("/quarantine/rulings");
    const card = page.locator(".ruling", { hasText: alertType("TapeRobotJammed") });
    await expect.poll(() => card.innerText()).toMatch(/contoso \/ prod[\s\S]*in force[\s\S]*holds 1 event/);
    expect(await card.innerText()).toMatch(/keeps its tapes[\s\S]*version 1 by .* UTC/);
    const seen = await followLive();
    await card.getByRole("button", { name: /^Withdraw…/ }).click();
    await card.getByText("1 event will be looked at anew").waitFor();
    await page.keyboard.type("It was another customer’s.");
    await page.keyboard.press("Enter");
    await expect.poll(() => card.innerText()).toMatch(/withdrawn/);
    await card.getByText("2 versions").click();
    expect(await card.locator(".versions li").allInnerTexts()).toHaveLength(2);
    await expect.poll(tenantSees).toBe(0);
    await seen.waitFor({ state: "detached" });
    expect(await tenant.page.locator("#inspector article").count()).toBe(0);
    await page.goto("/quarantine");
    await page.getByRole("link", { name: alertType("TapeRobotJammed") }).waitFor();
  });

  it("marks a single event as the provider’s own from the inspector", async () => {
    const { page } = browser;
    await page.goto(alertWindow);
    await browser.ready();
    await page.getByRole("cell", { name: "Chiller 2 leaks" }).click();
    await page.getByRole("link", { name: "It is the provider’s own…" }).click();
    await page.getByRole("heading", { name: "Whose is this event?" }).waitFor();
    await page.getByLabel("Why").fill("Our own chiller.");
    expect(await tryIt()).toMatch(/provider/);
    await page.getByRole("button", { name: "Apply…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Apply", exact: true }).click();
    await page.getByRole("heading", { name: "Applied" }).waitFor();
    await page.goto(alertWindow);
    await browser.ready();
    await expect
      .poll(async () => {
        await page.getByRole("button", { name: "Reload" }).click();
        return page.locator("tbody tr", { hasText: "Chiller 2 leaks" }).innerText();
      })
      .toMatch(/Provider/);
  });

  it("is to a tenant as unknown as any other page, here and in the API", async () => {
    const { page } = tenant;
    await page.goto(incident);
    await tenant.ready();
    expect(await page.getByRole("link", { name: /Quarantine|Rulings|Notices|Sources/ }).count()).toBe(0);
    const shown = async (path: string) => {
      await page.goto(path);
      await page.getByRole("heading", { name: "Not found" }).waitFor();
      return (await page.locator("main").innerText()).replace(path, "…");
    };
    const unknown = await shown("/no-such-page");
    for (const path of ["/quarantine", "/quarantine/rulings", "/notices", "/sources"]) {
      expect(await shown(path), path).toBe(unknown);
    }
    const answered = async (path: string) => {
      const response = await page.request.get(`/api/v1/${path}`);
      return { status: response.status(), body: await response.json() };
    };
    const missing = await answered("no-such-thing");
    for (const path of ["quarantine", "sources", "rulings", "notice-templates"]) {
      expect(await answered(path), path).toEqual(missing);
    }
  });

  it("complains of nothing, not even to the console", () => {
    // What is refused on purpose above: a decision on an outdated dry run.
    expect(browser.complaints.filter((text) => !text.includes("409"))).toEqual([]);
    expect(tenant.complaints).toEqual([]);
  });
});
