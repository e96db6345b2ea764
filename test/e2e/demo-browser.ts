import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { inject } from "vitest";
import { findChromium } from "./chromium-path.ts";

const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export type Theme = "light" | "dark";

export interface BrowserOptions {
  readonly theme?: Theme;
  readonly width?: number;
  readonly height?: number;
  /** Which server it looks at; the demo unless told otherwise. */
  readonly world?: "demo" | "troubled";
}

/** Whether there is a browser and a demo to test with. */
export function canBrowse(): boolean {
  return inject("demoUrl") !== "";
}

/** A browser of its own, with an empty profile, that keeps what the page complained about. */
export class DemoBrowser {
  readonly page: Page;
  /** Errors and refusals of the content security policy, as the console shows them. */
  readonly complaints: string[] = [];
  readonly #context: BrowserContext;
  readonly #profile: string;

  private constructor(context: BrowserContext, page: Page, profile: string) {
    this.#context = context;
    this.#profile = profile;
    this.page = page;
    page.on("pageerror", (error) => this.complaints.push(error.message));
    page.on("console", (message) => {
      // The first question who is signed in is answered 401, which the browser itself logs.
      if (message.type() === "error" && !message.text().includes("401")) this.complaints.push(message.text());
    });
  }

  static async open(options: BrowserOptions = {}): Promise<DemoBrowser> {
    const { theme = "light", width = 1440, height = 960, world = "demo" } = options;
    const profile = await mkdtemp(join(tmpdir(), "isochron-chromium-"));
    const executablePath = findChromium();
    if (executablePath === undefined) throw new Error("there is no Chromium");
    const context = await chromium.launchPersistentContext(profile, {
      executablePath,
      args: flags,
      viewport: { width, height },
      colorScheme: theme,
      reducedMotion: "reduce",
      timezoneId: "Europe/Paris",
      permissions: ["clipboard-read", "clipboard-write"],
      baseURL: inject(world === "demo" ? "demoUrl" : "troubledUrl"),
    });
    const page = context.pages()[0] ?? (await context.newPage());
    return new DemoBrowser(context, page, profile);
  }

  /** Opens the demo with the one click that the sign-in page offers. */
  async signIn(): Promise<void> {
    await this.page.goto("/");
    await this.page.getByRole("button", { name: "Open the demo as provider" }).click();
    await this.page.getByRole("link", { name: "Sources" }).waitFor();
    await this.page.locator("[aria-busy=true]").first().waitFor({ state: "detached" });
  }

  /** Waits until the window's events are all there. */
  async ready(): Promise<void> {
    await this.page.locator(".table-sums").waitFor();
    await this.page.locator("[aria-busy=true]").first().waitFor({ state: "detached" });
  }

  async visit(path: string): Promise<void> {
    await this.page.goto(path);
    await this.page.locator("main").waitFor();
  }

  async close(): Promise<void> {
    await this.#context.close();
    await rm(this.#profile, { recursive: true, force: true });
  }
}
