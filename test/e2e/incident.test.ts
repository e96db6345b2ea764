import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { canBrowse, DemoBrowser } from "./demo-browser.ts";

describe.runIf(canBrowse())("the demo's incident in the browser", () => {
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

  async function selectFirstUnreachableServer(): Promise<void> {
    const inspector = browser.page.getByRole("complementary", { name: "Inspector" });
    await inspector
      .getByRole("button", { name: /A server does not answer/ })
      .first()
      .click();
    await inspector.getByRole("heading", { name: "A server does not answer" }).waitFor();
  }

  it("opens at the interesting minute and accounts for every event twice", async () => {
    const sums = await browser.page.locator(".table-sums p").allInnerTexts();
    const totals = sums.map((sum) => sum.split(" = ")[1]);
    expect(totals).toHaveLength(2);
    expect(totals[0]).toBe(totals[1]);
    for (const sum of sums) {
      const [parts = "", total = ""] = sum.split(" = ");
      const added = [...parts.matchAll(/[\d,]+/g)].reduce(
        (all, [text]) => all + Number(text.replaceAll(",", "")),
        0,
      );
      expect(added).toBe(Number(total.replaceAll(",", "")));
    }
  });

  it("ranks the cause among the first three on one key, with its reason", async () => {
    const { page } = browser;
    await selectFirstUnreachableServer();
    await page.keyboard.press("e");
    const candidates = page.locator(".candidates > li");
    await candidates.first().waitFor();
    const firstThree = (await candidates.allInnerTexts()).slice(0, 3);
    const cause = firstThree.find((text) => /aggregate/i.test(text));
    expect(cause).toMatch(/same host compute-02/);
    expect(await page.locator(".what-else").innerText()).not.toMatch(/caused/i);
  });

  it("keeps the list while its candidates are visited, and says how each ranks", async () => {
    const { page } = browser;
    await selectFirstUnreachableServer();
    await page.keyboard.press("e");
    await page.locator(".candidates > li").first().waitFor();
    await page.getByRole("button", { name: "details on how number 1 ranks" }).click();
    expect(await page.locator(".addends").innerText()).toMatch(/score/);
    await page.locator(".candidate-title").nth(1).click();
    await page.locator(".anchor").waitFor();
    expect(await page.locator(".candidates > li").count()).toBeGreaterThan(2);
  });

  it("tells why an event belongs to its tenant, hop by hop", async () => {
    const { page } = browser;
    await selectFirstUnreachableServer();
    await page.getByRole("button", { name: "why this tenant?" }).click();
    const chain = page.locator(".hops .hop");
    await chain.first().waitFor();
    expect(await chain.count()).toBeGreaterThanOrEqual(2);
    expect(await chain.first().innerText()).toMatch(/exact|derived|assumed/);
  });

  it("draws the chain from thing to thing, marks the owner, and keeps the one who acted apart", async () => {
    const { page } = browser;
    await selectFirstUnreachableServer();
    await page.getByRole("button", { name: "why this tenant?" }).click();
    await page.locator(".node.owns").waitFor();
    expect(await page.locator(".node.owns").innerText()).toMatch(/^project prod\s*owner$/);
    const hop = page.locator(".hops .hop").first();
    expect(await hop.innerText()).toMatch(
      /belongs to[\s\S]*exact[\s\S]*owner-interval\/\d[\s\S]*valid .* UTC → still[\s\S]*record/,
    );
    const answer = await page.request.get(
      "/api/v1/events?attribution=owned&type=compute.instance.*&limit=50",
    );
    const done: { id: string; actor?: { project_id?: string }; attribution: { project_id: string | null } } =
      (await answer.json()).events.find(
        (event: typeof done) =>
          event.actor?.project_id !== undefined && event.actor.project_id !== event.attribution.project_id,
      );
    await page.goto(`/e/${done.id}`);
    await page.getByRole("button", { name: "why this tenant?" }).click();
    await expect.poll(() => page.locator(".done-by").innerText()).toMatch(/^Done by .*Not the owner/);
    const owner = await page.locator(".node.owns").innerText();
    expect(await page.locator(".done-by").innerText()).not.toContain(owner);
  });

  it("shows a tenant its own events only, with a way back", async () => {
    const { page } = browser;
    const total = () => page.locator(".summary-total strong").innerText();
    const all = Number((await total()).replaceAll(",", ""));
    await page.getByLabel("See as").selectOption({ label: "contoso / prod" });
    await page.getByText("You see what").waitFor();
    await browser.ready();
    expect(Number((await total()).replaceAll(",", ""))).toBeLessThan(all);
    expect(await page.getByRole("link", { name: "Quarantine" }).count()).toBe(0);
    expect(await page.locator("body").innerText()).not.toMatch(/fabrikam|northwind|compute-02/);
    await page.getByRole("button", { name: /Back to the provider/ }).click();
    await page.getByRole("link", { name: "Quarantine" }).waitFor();
  });

  it("complains of nothing, not even to the console", () => {
    expect(browser.complaints).toEqual([]);
  });
});
