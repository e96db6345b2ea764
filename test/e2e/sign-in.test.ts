import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { createLog } from "../../src/log.ts";
import { openIsochron } from "../../src/main.ts";
import { FakeKeystone } from "../identity/fake-keystone.ts";
import { clientId, clientSecret, OpenIdProvider } from "../identity/open-id-provider.ts";
import { canBrowse, DemoBrowser } from "./demo-browser.ts";

const password = "correct horse";

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** An Isochron that knows a Keystone and an OpenID Provider, which is another site to a browser. */
async function serve(folder: string) {
  const cloud = await FakeKeystone.start();
  cloud.assign(cloud.addUser("ann", "default", password), "member", {
    project: cloud.addProject("shop", "default"),
  });
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const redirectUri = `${url}/api/v1/session/oidc/company/callback`;
  const company = await OpenIdProvider.start({ redirectUri });
  company.people.set("bob", { preferred_username: "Bob", groups: ["ops"] });
  await writeFile(join(folder, "keystone"), "service-password");
  await writeFile(join(folder, "oidc"), clientSecret);
  const keystone = {
    name: "keystone",
    kind: "keystone",
    title: "OpenStack",
    auth_url: cloud.url,
    user_domain: "Default",
    service: { user: "isochron", user_domain: "Default", password: `file:${join(folder, "keystone")}` },
  };
  const oidc = {
    name: "company",
    kind: "oidc",
    title: "Company account",
    issuer: company.issuer,
    client_id: clientId,
    client_secret: `file:${join(folder, "oidc")}`,
    public_url: url,
    grants: [{ claim: "groups", value: "ops", provider: "operator" }],
  };
  const file = join(folder, "isochron.yaml");
  await writeFile(
    file,
    JSON.stringify({ data: join(folder, "store"), identity_providers: [keystone, oidc] }),
  );
  const config = loadConfig({ flags: { config: file }, env: {} });
  const isochron = await openIsochron(config, createLog({ level: "silent", format: "json", colour: false }), {
    version: "e2e",
  });
  const api = await isochron.api({});
  await api.listen({ host: "127.0.0.1", port });
  const stop = async () => {
    await api.close();
    await isochron.close();
    await company.stop();
    await cloud.stop();
  };
  return { url, stop };
}

describe.runIf(canBrowse())("signing in through a Keystone and an OpenID Provider in the browser", () => {
  let folder: string;
  let served: Awaited<ReturnType<typeof serve>>;
  let browser: DemoBrowser;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "isochron-sign-in-"));
    served = await serve(folder);
    browser = await DemoBrowser.open();
  });

  afterAll(async () => {
    await browser.close();
    await served.stop();
    await rm(folder, { recursive: true, force: true });
  });

  afterEach(() => browser.page.context().clearCookies());

  it("takes a user's name, domain and password by keyboard alone, and tells a refusal without losing the place", async () => {
    const { page } = browser;
    await page.goto(`${served.url}/t?tz=UTC`);
    await page.getByLabel("User name").fill("ann");
    expect(await page.getByLabel("Domain").inputValue()).toBe("Default");
    await page.getByLabel("Password").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("does not vouch").waitFor();
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute("name")))
      .toBe("password");
    await page.keyboard.type(password);
    await page.keyboard.press("Enter");
    await expect.poll(() => page.title()).toContain("Timeline");
    expect(new URL(page.url()).pathname).toBe("/t");
  });

  it("goes to the other site and comes back signed in, to the view that was asked for", async () => {
    const { page } = browser;
    await page.goto(`${served.url}/sources`);
    await page.getByRole("link", { name: "Sign in with Company account" }).click();
    await page.locator("input[name=login]").fill("bob");
    await page.locator("input[name=password]").fill("x");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.waitForURL(`${served.url}/sources`);
    await expect.poll(() => page.title()).toContain("Sources");
    const cookies = await page.context().cookies(served.url);
    expect(cookies.map(({ name, sameSite }) => [name, sameSite])).toContainEqual([
      "isochron_session",
      "Strict",
    ]);
  });

  it("says once that a sign-in elsewhere was given up", async () => {
    const { page } = browser;
    await page.goto(`${served.url}/?sign-in=refused`);
    await page.getByRole("alert").getByText("was not completed").waitFor();
    expect(new URL(page.url()).search).toBe("");
    await page.reload();
    await page.getByLabel("User name").waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
  });
});
