import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, inject, it } from "vitest";
import { canBrowse, DemoBrowser, type BrowserOptions } from "./demo-browser.ts";

const folder = fileURLToPath(new URL("../../docs/images/", import.meta.url));
const incident = "/t?from=2026-11-21T03:00:30Z&to=2026-11-21T03:06:00Z&tz=UTC";
const outage = "/t?from=2024-08-02T07:45:00Z&to=2024-08-02T11:30:00Z&tz=Europe/Paris";

/** Written only when asked for, so that a test run leaves the checkout as it was. */
const wanted = process.env["ISOCHRON_SCREENSHOTS"] === "1";

interface Shot extends BrowserOptions {
  readonly name: string;
  readonly show: (browser: DemoBrowser) => Promise<void>;
}

const shots: readonly Shot[] = [
  { name: "timeline-light", show: (browser) => visit(browser, incident) },
  { name: "timeline-dark", theme: "dark", show: (browser) => visit(browser, outage) },
  {
    name: "timeline-narrow",
    theme: "dark",
    width: 390,
    height: 844,
    show: (browser) => visit(browser, incident),
  },
  {
    name: "what-else",
    height: 1080,
    show: async (browser) => {
      const session = await (await browser.page.request.get("/api/v1/session")).json();
      const id = String(session.scenes[0].event);
      await visit(browser, `${incident}&sel=${id}&else=${id}`);
      await browser.page.locator(".candidates > li").first().waitFor();
    },
  },
  {
    name: "tenant",
    show: async (browser) => {
      await visit(browser, incident);
      await browser.page.getByLabel("See as").selectOption({ label: "contoso / prod" });
      await browser.page.getByText("You see what").waitFor();
      await browser.ready();
    },
  },
  { name: "quarantine", height: 1000, show: showDryRun },
  { name: "quarantine-narrow", theme: "dark", width: 390, height: 1500, show: showDryRun },
  {
    name: "why",
    theme: "dark",
    show: async (browser) => {
      const session = await (await browser.page.request.get("/api/v1/session")).json();
      await visit(browser, `${incident}&sel=${session.scenes[0].event}`);
      await browser.page.getByRole("button", { name: "why this tenant?" }).click();
      await browser.page.locator(".node.owns").waitFor();
    },
  },
  { name: "sign-in", height: 640, show: showSignIn },
  { name: "audit", height: 560, show: showAudit },
  { name: "sources", world: "troubled", height: 1080, show: showSources },
  { name: "sources-narrow", world: "troubled", theme: "dark", width: 390, height: 1400, show: showSources },
  { name: "storm", world: "troubled", height: 1080, show: showStorm },
  { name: "holes-dark", world: "troubled", theme: "dark", show: showHoles },
];

/** The night of the troubled world, with its storm and its holes. */
function night(): string {
  const at = (minute: number) => new Date(inject("troubledAt") + minute * 60_000).toISOString();
  return `/t?from=${at(0)}&to=${at(40)}&tz=UTC`;
}

/** A group of waiting events with a rule about it that was tried. */
async function showDryRun({ page }: DemoBrowser): Promise<void> {
  await page.goto("/quarantine");
  await page.locator(".groups a", { hasText: "audit.http.response" }).click();
  await page
    .getByRole("button", { name: /^Choose/ })
    .first()
    .click();
  await page.getByLabel("Why").fill("The customer’s own automation, by ticket T-8812");
  await page.getByRole("button", { name: "Try it" }).click();
  await page.locator(".dry-run").waitFor();
}

/** The sign-in page of a cloud with a Keystone and an OpenID Provider, which the demo has not. */
async function showSignIn({ page }: DemoBrowser): Promise<void> {
  await page.context().clearCookies();
  const providers = [
    { name: "keystone", kind: "keystone", title: "OpenStack", user_domain: "Default" },
    { name: "company", kind: "oidc", title: "Company account" },
  ];
  await page.route("**/api/v1/session/providers", (route) => route.fulfill({ json: { providers } }));
  await page.route("**/api/v1/health", (route) =>
    route.fulfill({ json: { status: "ok", version: "0.0.0", demo: false } }),
  );
  await page.goto("/");
  await page.getByLabel("User name").waitFor();
}

async function showAudit({ page }: DemoBrowser): Promise<void> {
  await page.goto("/tokens");
  await page.getByLabel("Name", { exact: true }).fill("night shift");
  await page.getByRole("button", { name: "Make the token" }).click();
  await page.getByRole("button", { name: "I have it" }).click();
  await page.getByLabel("See as").selectOption({ label: "contoso / prod" });
  await page.getByText("You see what").waitFor();
  await page.getByRole("button", { name: "Back to the provider’s view" }).click();
  await page.goto("/retention");
  await page.getByText("Place a hold").click();
  await page.getByRole("button", { name: /^On/ }).click();
  await page.getByLabel("Find a tenant by name or id").fill("fabrikam");
  await page.getByRole("treeitem", { name: "fabrikam" }).first().click();
  await page.getByLabel("Why").fill("case 12/2026");
  await page.getByRole("button", { name: "Place it" }).click();
  await page.getByRole("button", { name: /^Lift…/ }).click();
  await page.getByLabel("Why").first().fill("the case is closed");
  await page.getByRole("button", { name: "Lift", exact: true }).click();
  await page.getByText("None stands.").waitFor();
  await page.getByRole("link", { name: "Audit" }).click();
  await page.locator("tbody tr", { hasText: "token" }).getByText("Details").first().click();
}

async function showSources(browser: DemoBrowser): Promise<void> {
  await browser.page.goto("/sources");
  await browser.page.locator(".connections").waitFor();
}

async function showHoles(browser: DemoBrowser): Promise<void> {
  await visit(browser, night());
  await browser.page.getByRole("button", { name: "what is missing?" }).click();
}

async function showStorm(browser: DemoBrowser): Promise<void> {
  await visit(browser, night());
  await browser.page
    .locator("tr", { has: browser.page.locator(".fold-count") })
    .first()
    .click();
  await browser.page.getByRole("heading", { name: "A storm, folded into one event" }).waitFor();
}

async function visit(browser: DemoBrowser, path: string): Promise<void> {
  await browser.page.goto(path);
  await browser.ready();
}

describe.runIf(canBrowse() && wanted)("screenshots for the documents", () => {
  it.each(shots)("show $name", async (shot) => {
    const browser = await DemoBrowser.open(shot);
    try {
      await browser.signIn();
      await shot.show(browser);
      await browser.page.evaluate(async () => void (await document.fonts.ready));
      const path = `${folder}${shot.name}.png`;
      await browser.page.screenshot({ path });
      expect((await stat(path)).size).toBeGreaterThan(10_000);
    } finally {
      await browser.close();
    }
  });
});
