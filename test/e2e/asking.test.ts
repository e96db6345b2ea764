import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canBrowse, DemoBrowser } from "./demo-browser.ts";

const incident = "/t?from=2026-11-21T03:00:30Z&to=2026-11-21T03:06:00Z&tz=UTC";
const night = "from=2026-11-21T00:00:00Z&to=2026-11-21T12:00:00Z";

describe.runIf(canBrowse())("questions about an event, asked in the browser", () => {
  let browser: DemoBrowser;
  let symptom: string;

  beforeAll(async () => {
    browser = await DemoBrowser.open();
    await browser.signIn();
    const session = await (await browser.page.request.get("/api/v1/session")).json();
    symptom = session.scenes[0].event;
  });

  afterAll(() => browser.close());

  const first = () => browser.page.locator(".candidates > li").first();

  async function askWhatElse(): Promise<void> {
    await browser.page.goto(`${incident}&sel=${symptom}&else=${symptom}`);
    await first().waitFor();
  }

  it("what else: shows the parts of a rank, and keeps what a person holds it for", async () => {
    const { page } = browser;
    await askWhatElse();
    await page.getByRole("button", { name: "details on how number 1 ranks" }).click();
    await first().getByRole("table").waitFor();
    expect(await first().innerText()).toMatch(/sum of the parts/);
    await first().getByRole("button", { name: "Suspected" }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe("INPUT");
    expect(await first().getByRole("button", { name: "Say “suspected”" }).isDisabled()).toBe(true);
    await page.keyboard.type("It was the last thing done there");
    await page.keyboard.press("Enter");
    await expect
      .poll(() => first().innerText())
      .toMatch(/Suspected by demo[\s\S]*It was the last thing done there/);
    expect(await first().getByRole("button", { name: "Suspected" }).getAttribute("aria-pressed")).toBe(
      "true",
    );
  });

  it("what else: shows what was said meanwhile before another word stands, and takes one back", async () => {
    const { page } = browser;
    await askWhatElse();
    await first().getByRole("button", { name: "Confirmed" }).click();
    await first().getByLabel("Why").fill("I have seen it");
    const asked = await page.request.get(`/api/v1/what-else?event=${symptom}`);
    const candidate = (await asked.json()).candidates[0].event.id;
    const answer = await page.request.post("/api/v1/verdicts", {
      headers: { "X-Isochron-CSRF": "1" },
      data: { symptom, candidate, verdict: "ruled-out", why: "It was undone before" },
    });
    expect(answer.status()).toBe(201);
    await first().getByRole("button", { name: "Say “confirmed”" }).click();
    await first().getByText("Somebody else has said something of it meanwhile").waitFor();
    expect(await first().innerText()).toMatch(/Ruled out by[\s\S]*It was undone before/);
    await first().getByRole("button", { name: "Say “confirmed”" }).click();
    await expect.poll(() => first().innerText()).toMatch(/Confirmed by[\s\S]*I have seen it/);
    await first().getByRole("button", { name: "Take back" }).click();
    await first().getByLabel("Why").fill("It was another host");
    await first().getByRole("button", { name: "Take it back" }).click();
    await expect.poll(() => first().innerText()).toMatch(/Taken back by[\s\S]*It was another host/);
    expect(await first().getByRole("button", { name: "Take back" }).count()).toBe(0);
  });

  it("blast: goes from an event to what it reaches, and says where nothing is known", async () => {
    const { page } = browser;
    await page.goto(`${incident}&sel=${symptom}`);
    await page.getByRole("link", { name: "What does it reach?" }).click();
    await page.getByRole("heading", { level: 1, name: /^What the failure of server .* reaches$/ }).waitFor();
    expect(await page.getByRole("table").count()).toBeGreaterThan(0);
    await page.goto("/blast");
    expect(await page.getByRole("button", { name: "Show what it reaches" }).isDisabled()).toBe(true);
    await page.getByLabel("What failed").fill("host/nowhere");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Nothing is known of that" }).waitFor();
  });

  it("compare: sets two spans against each other, and says when a side is empty", async () => {
    const { page } = browser;
    await page.goto("/compare");
    await page.getByLabel("From").fill("2026-11-21 03:06 UTC");
    await page.getByLabel("To", { exact: true }).fill("2026-11-21 03:02 UTC");
    await page.getByText("The end has to come after the beginning.").waitFor();
    await page.getByLabel("From").fill("2020-11-21 03:00 UTC");
    await page.getByLabel("To", { exact: true }).fill("2020-11-21 03:06 UTC");
    await page.getByRole("button", { name: "Compare" }).click();
    await page.getByText("One side has no events, so nothing can be said.").waitFor();
    const spans =
      "from=2026-11-21T03:02:00Z&to=2026-11-21T03:06:00Z&baseline_from=2026-11-21T02:50:00Z&baseline_to=2026-11-21T03:02:00Z";
    await page.goto(`/compare?${spans}`);
    await page.getByRole("heading", { level: 2, name: /values stand out$/ }).waitFor();
    expect(await page.locator("main").innerText()).not.toMatch(/caused/i);
    expect(await page.locator("main tbody tr").count()).toBeGreaterThan(0);
  });

  it("operations: opens one of the list as a waterfall, whose steps lead to their events", async () => {
    const { page } = browser;
    await page.goto(`/operations?${night}`);
    await page.locator("tbody a").first().click();
    const steps = page.getByRole("group", { name: "Steps, scrollable" });
    await steps.waitFor();
    expect(await steps.locator("rect").count()).toBeGreaterThan(1);
    await steps.getByRole("link").first().click();
    await page.locator("#event-title").waitFor();
    await page.goto("/operations?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z");
    await page.getByText("No operation was seen in this span.").waitFor();
    await page.goto("/operations/op_none");
    await page.getByRole("heading", { level: 1, name: "No such operation" }).waitFor();
  });

  it("a tenant asks the same of its own, gives no verdict and is told of no host", async () => {
    const { page } = browser;
    await page.goto(incident);
    await browser.ready();
    await page.getByLabel("See as").selectOption({ label: "contoso / prod" });
    await page.getByText("You see what").waitFor();
    await browser.ready();
    const list = await page.request.get(`/api/v1/events?kind=symptom&limit=50&${night}`);
    const own = (await list.json()).events[0];
    await page.goto(`${incident}&sel=${own.id}&else=${own.id}`);
    await first().waitFor();
    expect(await page.locator(".verdict-choices").count()).toBe(0);
    expect((await page.request.get(`/api/v1/verdicts?symptom=${own.id}`)).status()).toBe(404);
    for (const path of [`/blast?event=${own.id}`, `/operations?${night}`, `/compare?${night}`, "/alerts"]) {
      await page.goto(path);
      await page.locator("main h1").waitFor();
      await page.locator("main [aria-busy=true]").first().waitFor({ state: "detached" });
      expect(await page.locator("body").innerText(), path).not.toMatch(/fabrikam|northwind|compute-0/);
    }
    await page.getByRole("button", { name: /Back to the provider/ }).click();
    await page.getByRole("link", { name: "Quarantine" }).waitFor();
  });
});
