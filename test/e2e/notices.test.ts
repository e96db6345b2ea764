import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canBrowse, DemoBrowser } from "./demo-browser.ts";

describe.runIf(canBrowse())("the texts of notices in the browser", () => {
  let browser: DemoBrowser;

  beforeAll(async () => {
    browser = await DemoBrowser.open();
    await browser.signIn();
    await browser.page.goto("/notices");
    await browser.page.locator(".notice-template").first().waitFor();
  });

  afterAll(() => browser.close());

  const card = () => browser.page.getByRole("listitem", { name: "Storage trouble" });

  async function edit(text: string): Promise<void> {
    await card().getByRole("button", { name: /^Edit/ }).focus();
    await browser.page.keyboard.press("Enter");
    await expect.poll(() => browser.page.evaluate(() => document.activeElement?.tagName)).toBe("TEXTAREA");
    await card().getByLabel("Text").fill(text);
  }

  it("shows what tenants will read while the text is typed", async () => {
    await edit("Trouble with storage:");
    await card().getByRole("button", { name: "{resources}" }).click();
    await expect.poll(() => card().locator(".preview").innerText()).toMatch(/Trouble with storage:.*your/);
    expect(await card().locator(".preview .sample").count()).toBeGreaterThan(1);
    await card().getByRole("button", { name: "Cancel" }).click();
    expect(await card().locator(".sample").innerText()).not.toMatch(/Trouble with storage:/);
  });

  it("says what is wrong with a text and keeps it from being saved", async () => {
    await edit("Host {host} failed");
    await card().getByLabel("Why").fill("Nobody should read this.");
    await expect.poll(() => card().locator(".preview").innerText()).toMatch(/cannot be used[\s\S]*host/);
    expect(await card().getByRole("button", { name: "Save" }).isDisabled()).toBe(true);
    await card().getByRole("button", { name: "Cancel" }).click();
  });

  it("saves a text with its reason, tells who changed it, and goes back to the shipped one", async () => {
    await edit("Slow storage at {part}: {resources}");
    await card().getByLabel("Why").fill("Plainer words");
    await card().getByRole("button", { name: "Save" }).click();
    await expect.poll(() => card().innerText()).toMatch(/edited[\s\S]*Slow storage at[\s\S]*Plainer words/);
    await expect
      .poll(() => browser.page.evaluate(() => document.activeElement?.textContent))
      .toMatch(/^Edit/);
    await card().getByRole("button", { name: /^Edit/ }).click();
    await card().getByLabel("Why").fill("The shipped one will do");
    await card().getByRole("button", { name: "Back to the shipped text" }).click();
    await expect.poll(() => card().innerText()).toMatch(/Set back to the shipped text/);
    expect(await card().locator(".sample").innerText()).not.toMatch(/Slow storage/);
  });

  it("never writes over what somebody else has saved meanwhile", async () => {
    await edit("Mine: {resources}");
    const other = await DemoBrowser.open();
    try {
      await other.signIn();
      const list = await (await other.page.request.get("/api/v1/notice-templates")).json();
      const { version } = list.templates.find((each: { name: string }) => each.name === "storage-trouble");
      const answer = await other.page.request.put("/api/v1/notice-templates/storage-trouble", {
        headers: { "X-Isochron-CSRF": "1" },
        data: { text: "Theirs: {resources}", expected_version: version, why: "Meanwhile" },
      });
      expect(answer.status()).toBe(200);
    } finally {
      await other.close();
    }
    await card().getByLabel("Why").fill("Mine is better");
    await card().getByRole("button", { name: "Save" }).click();
    await card().getByText("Somebody else has changed this text meanwhile.").waitFor();
    expect(await card().getByLabel("Text").inputValue()).toBe("Mine: {resources}");
    await expect.poll(() => card().innerText()).toMatch(/Theirs: /);
    await card().getByRole("button", { name: "Save" }).click();
    await expect.poll(() => card().innerText()).toMatch(/edited[\s\S]*Mine: /);
  });
});
