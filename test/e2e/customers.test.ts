import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { canBrowse, DemoBrowser } from "./demo-browser.ts";

const adatum = "Adatum Group";

/** The night of the troubled world, with further parameters of the view. */
function night(more = ""): string {
  const at = (minute: number) => new Date(inject("troubledAt") + minute * 60_000).toISOString();
  return `/t?from=${at(0)}&to=${at(40)}&tz=UTC${more}`;
}

describe.runIf(canBrowse())("customers and the tree of tenants in the browser", () => {
  let browser: DemoBrowser;

  beforeAll(async () => {
    browser = await DemoBrowser.open({ world: "troubled" });
    await browser.signIn();
  });

  afterAll(() => browser.close());

  const laneLabels = async () =>
    (await browser.page.locator(".lane-label strong").allInnerTexts()).toSorted();
  const parameter = (name: string) => new URL(browser.page.url()).searchParams.get(name);
  const total = async () =>
    Number(
      /[\d,]+/
        .exec(await browser.page.locator(".summary-total strong").first().innerText())?.[0]
        .replaceAll(",", ""),
    );

  it("lays the lanes out by customer, domain and project, and keeps the choice in the address", async () => {
    const { page } = browser;
    await page.goto(night());
    await browser.ready();
    await page.getByLabel("Lanes by").selectOption({ label: "Customer" });
    await expect.poll(laneLabels).toEqual([adatum, "No customer"]);
    await expect.poll(() => parameter("group")).toBe("customer");
    await page.reload();
    await browser.ready();
    expect(await laneLabels()).toEqual([adatum, "No customer"]);
    await page.getByLabel("Lanes by").selectOption({ label: "Domain" });
    await expect.poll(laneLabels).toEqual(["contoso", "northwind"]);
    await page.getByLabel("Lanes by").selectOption({ label: "Project" });
    await expect.poll(laneLabels).toEqual(["contoso / prod", "northwind / payroll"]);
  });

  it("filters by a customer, a domain or a project from the tree, by keys alone", async () => {
    const { page } = browser;
    await page.goto(night("&group=tenant"));
    await browser.ready();
    const all = await total();
    const pick = page.getByRole("button", { name: /^Tenant/ });
    await pick.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("treeitem", { name: adatum }).waitFor();
    expect(await page.locator(".tree-label").allInnerTexts()).toEqual([
      adatum,
      "contoso",
      "prod",
      "region-1",
      "west",
      "contoso",
      "prod",
      "northwind",
      "payroll",
    ]);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await expect.poll(() => parameter("customer")).toBe("adatum");
    await expect.poll(laneLabels).toEqual(["contoso"]);
    expect(await total()).toBeLessThan(all);
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.textContent))
      .toMatch(`Tenant ${adatum}`);
    await page.keyboard.press("Enter");
    await page.getByLabel("Find a tenant by name or id").waitFor();
    await page.keyboard.type("payr");
    await page.getByRole("treeitem", { name: "payroll" }).waitFor();
    await page.keyboard.press("Enter");
    await expect.poll(() => parameter("project")).not.toBeNull();
    expect(parameter("customer")).toBeNull();
    await expect.poll(laneLabels).toEqual(["northwind"]);
    await pick.click();
    await page.getByRole("button", { name: "All tenants" }).click();
    await expect.poll(() => parameter("project")).toBeNull();
    await expect.poll(laneLabels).toEqual(["contoso", "northwind"]);
  });

  it("closes the tree on Escape, and lets no key that is typed into it move the timeline", async () => {
    const { page } = browser;
    await page.goto(night());
    await browser.ready();
    await page.getByRole("button", { name: /^Tenant/ }).click();
    await page.getByRole("treeitem").first().waitFor();
    await page.keyboard.press("ArrowDown");
    const before = page.url();
    await page.keyboard.press("w");
    await expect.poll(() => page.getByLabel("Find a tenant by name or id").inputValue()).toBe("w");
    expect(page.url()).toBe(before);
    await page.keyboard.press("Escape");
    await page.getByRole("tree").waitFor({ state: "detached" });
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toMatch(/^Tenant/);
  });

  it("looks through a customer’s eyes", async () => {
    const { page } = browser;
    await page.goto(night());
    await browser.ready();
    await page.getByLabel("See as").selectOption({ label: adatum });
    await page.getByText("You see what").waitFor();
    await browser.ready();
    expect(await page.locator("body").innerText()).not.toMatch(/northwind|payroll/);
    expect(await page.getByLabel("Lanes by").locator("option").allInnerTexts()).not.toContain("Customer");
    await page.getByRole("button", { name: /Back to the provider/ }).click();
    await page.getByRole("link", { name: "Quarantine" }).waitFor();
  });

  it("complains of nothing, not even to the console", () => {
    expect(browser.complaints).toEqual([]);
  });
});
