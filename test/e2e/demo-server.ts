import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { build } from "vite";
import { RunningIsochron } from "../isochron-command.ts";
import { findChromium } from "./chromium-path.ts";
import { serveTroubledWorld, type TroubledWorld } from "./troubled-world.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Where the demo listens; empty where the browser tests are left out. */
    demoUrl: string;
    /** Where a world of troubled sources listens, and the hour that it is about, in milliseconds. */
    troubledUrl: string;
    troubledAt: number;
  }
}

const urlPattern = /http:\/\/127\.0\.0\.1:\d+/;

/** Builds the pages and serves the demo and a troubled world, each from a store of its own, for as long as the tests run. */
// oxlint-disable-next-line import/no-default-export -- Vitest takes a default export.
export default async function serveDemo(project: TestProject): Promise<() => Promise<void>> {
  if (findChromium() === undefined) {
    console.error(
      "The browser tests are left out: there is no Chromium at /usr/bin/chromium or ISOCHRON_CHROMIUM. " +
        "`.ci/run` installs it.",
    );
    project.provide("demoUrl", "");
    project.provide("troubledUrl", "");
    project.provide("troubledAt", 0);
    return async () => {};
  }
  await build({ logLevel: "warn" });
  const data = await mkdtemp(join(tmpdir(), "isochron-e2e-"));
  // Rules of the tests post to a receiver on this machine.
  const config = join(data, "isochron.yaml");
  await writeFile(config, 'notify_allow_networks: ["127.0.0.0/8"]\n');
  const demo = new RunningIsochron(
    ["demo", "--data", join(data, "store"), "--port", "0"].concat("--config", config),
  );
  let troubled: TroubledWorld | undefined;
  const stop = async () => {
    await troubled?.stop();
    await demo.end("SIGTERM");
    await rm(data, { recursive: true, force: true });
  };
  try {
    const [url] = await demo.printed(urlPattern);
    project.provide("demoUrl", url);
    troubled = await serveTroubledWorld();
    project.provide("troubledUrl", troubled.url);
    project.provide("troubledAt", troubled.at);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}
