import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canBrowse, DemoBrowser } from "./demo-browser.ts";

const incident = "/t?from=2026-11-21T03:00:30Z&to=2026-11-21T03:06:00Z&tz=UTC";
const secret = "The aggregate was changed by hand";
const told = "Some of your servers did not answer for three minutes.";

describe.runIf(canBrowse())("an incident's file in the browser", () => {
  let browser: DemoBrowser;
  let path: string;

  beforeAll(async () => {
    browser = await DemoBrowser.open();
    await browser.signIn();
  });

  afterAll(() => browser.close());

  const part = (name: string) => browser.page.getByRole("region", { name });

  it("is opened from an event, which is pinned to it", async () => {
    const { page } = browser;
    const session = await (await page.request.get("/api/v1/session")).json();
    await page.goto(`${incident}&sel=${session.scenes[0].event}`);
    await page.getByRole("button", { name: "Pin to incident…" }).click();
    await page.getByRole("button", { name: "Pin it" }).click();
    await page.waitForURL(/\/incidents\/inc_/);
    path = new URL(page.url()).pathname;
    await page.getByRole("heading", { level: 1, name: "A server does not answer" }).waitFor();
    const pin = part("Pinned events").getByRole("link", { name: "A server does not answer" });
    await pin.waitFor();
    expect(await pin.getAttribute("href")).toBe(`/e/${session.scenes[0].event}`);
  });

  it("takes a note, a decision, a time with its reason, a text, and whom to tell", async () => {
    const { page } = browser;
    const log = part("Log");
    for (const [kind, text] of [
      ["note", secret],
      ["decision", "Evacuate the host"],
    ] as const) {
      await log.getByLabel("As").selectOption(kind);
      await log.getByLabel("Text").fill(text);
      await log.getByRole("button", { name: "Write it down" }).click();
      await log.getByRole("listitem").getByText(text).waitFor();
    }
    const times = part("Times");
    await times.getByText("Measure another thing").click();
    await times.getByLabel("Name").fill("web shop");
    await times.getByRole("button", { name: "Measure it" }).click();
    await times.getByText("Set a time").click();
    await times.getByLabel("Which").selectOption("Noticed");
    await times.getByLabel("At, in UTC").fill("2026-11-21T03:03:10");
    await times.getByLabel("How it is known").fill("A customer called");
    await times.getByRole("button", { name: "Set it" }).click();
    await times.getByText("A customer called").waitFor();
    const texts = part("Texts");
    await texts.getByText("Write a text").click();
    await texts.getByRole("combobox", { name: "For" }).selectOption("tenant");
    await texts.getByLabel("Words").fill(told);
    await texts.getByRole("button", { name: "Keep it" }).click();
    await texts.getByRole("article").getByText(told).waitFor();
    await texts.getByText("Choose who is told").click();
    await texts.getByLabel("contoso / prod").check();
    await texts.getByRole("button", { name: "Keep the choice" }).click();
    await texts.getByText("Told when it is published: contoso / prod").waitFor();
    expect(await page.locator("main").innerText()).not.toMatch(/caused by/i);
  });

  it("says what an audience does not read, and is taken along as a document", async () => {
    const { page } = browser;
    const documents = part("Documents");
    await documents.getByLabel("For").selectOption({ label: "contoso / prod" });
    await documents.getByText(/parts are left out or said otherwise/).click();
    await documents.getByText(secret).first().waitFor();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      documents.getByRole("link", { name: "Markdown" }).click(),
    ]);
    const text = await readFile(await download.path(), "utf8");
    expect(text).toContain(told);
    expect(text).not.toContain(secret);
  });

  it("is published after review and one more question, and is not changed any more", async () => {
    const { page } = browser;
    const steps = part("Before publishing");
    await steps.getByRole("button", { name: "It is reviewed" }).click();
    await steps.getByRole("button", { name: "Publish…" }).click();
    const question = page.getByRole("alertdialog", { name: "Publish it" });
    expect(await question.innerText()).toMatch(/one tenant is told/);
    await question.getByRole("button", { name: "Publish it" }).click();
    await page.getByText(/^Frozen /).waitFor();
    expect(await page.getByRole("button", { name: "Take off…" }).count()).toBe(0);
    expect(await page.getByText("Set a time").count()).toBe(0);
  });

  it("is read by the tenant that was told, in its own words, and by no other", async () => {
    const { page } = browser;
    const lookAs = async (tenant: string) => {
      await page.goto(incident);
      await page.getByLabel("See as").selectOption({ label: tenant });
      await page.getByText("You see what").waitFor();
      await page.goto("/incidents");
      await page.locator("main[aria-busy=false]").waitFor();
    };
    const back = async () => {
      await page.getByRole("button", { name: /Back to the provider/ }).click();
      await page.getByLabel("See as").waitFor();
    };
    await lookAs("contoso / prod");
    expect(await page.getByText("Open an incident").count()).toBe(0);
    await page.locator(".card a").first().click();
    await page.getByText(told).waitFor();
    expect(await page.locator("main").innerText()).not.toContain(secret);
    await back();
    await lookAs("fabrikam / prod");
    await page.getByText("There are none.").waitFor();
    await page.goto(path);
    await page.getByRole("heading", { level: 1, name: "No such incident" }).waitFor();
    await back();
  });
});
