import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canBrowse, DemoBrowser } from "./demo-browser.ts";

describe.runIf(canBrowse())("alerts and notifications in the browser", () => {
  let browser: DemoBrowser;
  let receiver: Server;
  const received: string[] = [];

  beforeAll(async () => {
    receiver = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => (body += text));
      request.on("end", () => {
        received.push(body);
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => void receiver.listen(0, "127.0.0.1", resolve));
    browser = await DemoBrowser.open();
    await browser.signIn();
  });

  afterAll(async () => {
    await browser.close();
    receiver.closeAllConnections();
    await new Promise((resolve) => void receiver.close(resolve));
  });

  it("alerts: tells a group apart into what each monitor told", async () => {
    const { page } = browser;
    await page.goto("/alerts");
    const group = page.getByRole("listitem", { name: /^host compute-02/ }).first();
    await group.locator("summary").focus();
    await page.keyboard.press("Enter");
    await group.getByRole("link", { name: "host down" }).waitFor();
    expect(await group.innerText()).toMatch(/openstack-inventory:[\s\S]*alertmanager:/);
    expect(await group.innerText()).not.toMatch(/caused/i);
    await page.getByLabel("State").selectOption("flapping");
    await page.getByText("0 alerts in 0 groups").waitFor();
  });

  it("alerts: plans work with its reason, and cancels it", async () => {
    const { page } = browser;
    const local = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 16);
    await page.goto("/alerts");
    await page.getByText("Plan work").click();
    await page.getByLabel("What is done").fill("New fans");
    await page.getByLabel("On, such as").fill("host/compute-03");
    await page.getByLabel(/^From \(/).fill(local(1));
    await page.getByLabel("To, not part of it").fill(local(2));
    expect(await page.getByRole("button", { name: "Plan it" }).isDisabled()).toBe(true);
    await page.getByLabel("Why").fill("The old ones are loud");
    await page.getByRole("button", { name: "Plan it" }).click();
    const work = page.getByRole("listitem", { name: "New fans" });
    await work.getByText("The old ones are loud").waitFor();
    await work.getByRole("button", { name: "Cancel it" }).click();
    await work.getByText("cancelled").waitFor();
  });

  it("notifications: makes a rule, sends a test, and shows what became of it", async () => {
    const { page } = browser;
    const { port } = receiver.address() as AddressInfo;
    await page.goto("/notifications");
    await page.getByLabel("Name").fill("night shift");
    await page.getByLabel("Address").fill("nonsense");
    expect(await page.getByRole("button", { name: "Make the rule" }).isDisabled()).toBe(true);
    await page.getByLabel("Address").fill(`http://127.0.0.1:${port}/hook`);
    await page.getByLabel("Types").fill("host.*");
    await page.getByRole("button", { name: "Make the rule" }).click();
    await page.getByText("which is shown this once").waitFor();
    const rule = page.getByRole("listitem", { name: /^night shift/ });
    await rule.getByText("It has sent nothing yet.").waitFor();
    await rule.getByRole("button", { name: "Send a test" }).click();
    await rule
      .getByRole("list", { name: "Last messages" })
      .getByText(/test: sent/)
      .waitFor();
    expect(received).toHaveLength(1);
    await rule.getByRole("button", { name: "Disable" }).click();
    await rule.getByRole("button", { name: "Let it run" }).waitFor();
  });

  it("notifications: says why an address is refused", async () => {
    const { page } = browser;
    await page.goto("/notifications");
    await page.getByLabel("Name").fill("inward");
    await page.getByLabel("Address").fill("http://169.254.169.254/");
    await page.getByRole("button", { name: "Make the rule" }).click();
    const refusal = page.getByRole("alert");
    await refusal.waitFor();
    expect(await refusal.innerText()).toMatch(/not asked/);
  });
});
