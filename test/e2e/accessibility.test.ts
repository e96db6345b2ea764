import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { canBrowse, DemoBrowser, type Theme } from "./demo-browser.ts";
import { alertType, postAlert } from "./waiting-alerts.ts";

const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

const incident = "/t?from=2026-11-21T03:00:30Z&to=2026-11-21T03:06:00Z&tz=UTC";

describe.runIf(canBrowse()).each<Theme>(["light", "dark"])("accessibility in the %s theme", (theme) => {
  let browser: DemoBrowser;
  let axe: string;
  let eventId: string;

  beforeAll(async () => {
    axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    browser = await DemoBrowser.open({ theme });
  });

  afterAll(() => browser.close());

  /** Violations of the page as it is, one line each. */
  async function violations(page: Page = browser.page): Promise<string[]> {
    // Evaluated by the debugger, so the page's own policy against foreign scripts stays as it is.
    await page.evaluate(axe);
    return page.evaluate(async (wanted) => {
      interface Found {
        violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[];
      }
      const { axe: engine } = globalThis as unknown as { axe: { run(options: unknown): Promise<Found> } };
      const found = await engine.run({ runOnly: { type: "tag", values: wanted } });
      return found.violations.flatMap((violation) =>
        violation.nodes.map(
          (node) => `${violation.id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ""}`,
        ),
      );
    }, tags);
  }

  it("holds on the sign-in page", async () => {
    await browser.page.goto("/");
    await browser.page.getByRole("button", { name: "Open the demo as provider" }).waitFor();
    expect(await violations()).toEqual([]);
    await browser.signIn();
    const session = await (await browser.page.request.get("/api/v1/session")).json();
    eventId = session.scenes[0].event;
  });

  it("holds on the timeline", async () => {
    await browser.page.goto(incident);
    await browser.ready();
    expect(await violations()).toEqual([]);
  });

  it("holds with what else and the chain of ownership open", async () => {
    const { page } = browser;
    await page.goto(`${incident}&sel=${eventId}&else=${eventId}`);
    await page.locator(".candidates > li").first().waitFor();
    await page.getByRole("button", { name: "why this tenant?" }).click();
    await page.locator(".hops > li").first().waitFor();
    await page.getByRole("button", { name: "details on how number 1 ranks" }).click();
    await page.getByRole("button", { name: "Raw details" }).click();
    expect(await violations()).toEqual([]);
  });

  it("holds with the help sheet and with the window's form open", async () => {
    const { page } = browser;
    await page.goto(incident);
    await browser.ready();
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    expect(await violations()).toEqual([]);
    await page.keyboard.press("Escape");
    await page.locator(".window-button").click();
    await page.getByLabel("From", { exact: true }).fill("nonsense");
    expect(await violations()).toEqual([]);
  });

  it("holds on an empty window", async () => {
    await browser.page.goto(`${incident}&q=no-such-text-anywhere`);
    await browser.page.getByText("No events match.").waitFor();
    expect(await violations()).toEqual([]);
  });

  it("holds on the sources, the quarantine and a resource", async () => {
    for (const path of ["/sources", "/quarantine", "/r/host/compute-02?at=2026-11-21T03:02:00Z"]) {
      await browser.page.goto(path);
      await browser.page.locator("table, .connections, .groups").first().waitFor();
      expect(await violations(), path).toEqual([]);
    }
  });

  it("holds on the pages of alerts, incidents, operations and questions, wide and narrow", async () => {
    const { page } = browser;
    const opened = await page.request.post("/api/v1/incidents", {
      headers: { "X-Isochron-CSRF": "1" },
      data: { title: `Servers do not answer (${theme})`, events: [eventId] },
    });
    const night = "from=2026-11-21T00:00:00Z&to=2026-11-21T12:00:00Z";
    const { operations } = await (await page.request.get(`/api/v1/operations?${night}`)).json();
    const paths = [
      "/alerts",
      "/incidents",
      `/incidents/${(await opened.json()).incident.id}`,
      "/incidents/inc_none",
      `/operations?${night}`,
      `/operations/${operations[0].id}`,
      "/operations/op_none",
      "/compare",
      "/compare?from=2026-11-21T03:02:00Z&to=2026-11-21T03:06:00Z&baseline_from=2026-11-21T02:50:00Z&baseline_to=2026-11-21T03:02:00Z",
      "/blast",
      `/blast?event=${eventId}`,
      "/notifications",
    ];
    for (const path of paths) {
      await page.goto(path);
      await page.locator("main h1").waitFor();
      await page.locator("main [aria-busy=true]").first().waitFor({ state: "detached" });
      await page.evaluate(() => {
        for (const details of document.querySelectorAll("main details")) details.setAttribute("open", "");
      });
      expect(await violations(), path).toEqual([]);
      await page.setViewportSize({ width: 390, height: 844 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(390);
      await page.setViewportSize({ width: 1440, height: 960 });
    }
    // The addresses of nothing are answered 404, which the browser itself logs.
    browser.complaints.splice(0);
  }, 150_000);

  it("holds while a rule is written, tried and confirmed, wide and narrow", async () => {
    const { page } = browser;
    await postAlert(page, "CableUnplugged", `A cable is unplugged (${theme})`);
    await page.goto("/quarantine");
    await page.getByRole("link", { name: alertType("CableUnplugged") }).click();
    await page.getByRole("button", { name: "Try it" }).click();
    await page.getByText("Say whose they are.").waitFor();
    expect(await violations(), "problems").toEqual([]);
    await page.getByRole("button", { name: /^Tenant/ }).click();
    await page.getByRole("treeitem", { name: "contoso" }).first().waitFor();
    expect(await violations(), "tree").toEqual([]);
    await page.getByRole("treeitem", { name: "contoso" }).first().click();
    await page.getByLabel("Why").fill("Theirs.");
    await page.getByRole("button", { name: "Try it" }).click();
    await page.locator(".dry-run").waitFor();
    expect(await violations(), "dry run").toEqual([]);
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await violations(), "narrow").toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await page.getByRole("button", { name: "Apply…" }).click();
    await page.getByRole("dialog").waitFor();
    expect(await violations(), "confirm").toEqual([]);
    await page.getByRole("button", { name: "Not yet" }).click();
    await page.setViewportSize({ width: 1440, height: 960 });
  });

  it("holds on the rulings and while a notice is edited, wide and narrow", async () => {
    const { page } = browser;
    await page.goto("/quarantine/rulings");
    await page.locator(".ruling, .lead").first().waitFor();
    expect(await violations(), "rulings").toEqual([]);
    await page.goto("/notices");
    await page.getByRole("button", { name: /^Edit/ }).first().click();
    await page.locator(".preview .sample").first().waitFor();
    expect(await violations(), "notices").toEqual([]);
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await violations(), "narrow").toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await page.setViewportSize({ width: 1440, height: 960 });
  });

  it("holds for a tenant, and on a narrow screen", async () => {
    const { page } = browser;
    await page.goto(incident);
    await browser.ready();
    await page.getByLabel("See as").selectOption({ label: "contoso / prod" });
    await page.getByText("You see what").waitFor();
    await browser.ready();
    expect(await violations()).toEqual([]);
    await page.setViewportSize({ width: 390, height: 844 });
    await browser.ready();
    expect(await violations()).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });

  it("holds where sources are troubled: their page, a window with holes, a storm", async () => {
    const troubled = await DemoBrowser.open({ theme, world: "troubled" });
    try {
      await troubled.signIn();
      const { page } = troubled;
      await page.goto("/sources");
      for (const summary of await page.locator(".connection summary").all()) await summary.click();
      expect(await violations(page), "sources").toEqual([]);
      const at = (minute: number) => new Date(inject("troubledAt") + minute * 60_000).toISOString();
      await page.goto(`/t?from=${at(0)}&to=${at(40)}&tz=UTC`);
      await troubled.ready();
      await page.getByRole("button", { name: "what is missing?" }).click();
      expect(await violations(page), "holes").toEqual([]);
      await page
        .locator("tr", { has: page.locator(".fold-count") })
        .first()
        .click();
      await page.getByRole("button", { name: /^Show all/ }).click();
      await page.getByRole("button", { name: "Show 100 more" }).waitFor();
      expect(await violations(page), "storm").toEqual([]);
      await page.setViewportSize({ width: 390, height: 844 });
      await page.goto("/sources");
      await page.locator(".connections").waitFor();
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
      expect(troubled.complaints).toEqual([]);
    } finally {
      await troubled.close();
    }
  });

  it("needs nothing that the content security policy refuses", () => {
    expect(browser.complaints).toEqual([]);
  });
});
