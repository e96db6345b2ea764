import type { Command } from "commander";
import { IsochronError } from "../../errors.ts";
import type { Opened } from "./application.ts";
import { exitCodes } from "./exit-code.ts";
import { ProgressBar } from "./progress-bar.ts";
import type { Run } from "./run.ts";
import { addStoreOptions, flagsOf, type StoreOptions } from "./shared-options.ts";
import { untilAborted } from "./until-aborted.ts";

interface ServeOptions extends StoreOptions {
  readonly host?: string;
  readonly port?: string;
  readonly harvest?: boolean;
}

export function addServeCommand(program: Command, run: Run): void {
  const command = program
    .command("serve")
    .summary("serve the web pages and the API, and harvest")
    .description(
      "Serves the web pages and the API, and reads from the configured connections, until SIGTERM or Ctrl-C; then it finishes what it holds and stops.",
    );
  addListenOptions(command).option(
    "--no-harvest",
    "serve only; leave the sources to workers (isochron harvest --follow)",
  );
  addStoreOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron serve
  $ isochron serve --port 0 --data /var/lib/isochron
  $ ISOCHRON_DATABASE_URL=postgres://isochron@db/isochron isochron serve --host 0.0.0.0`,
    )
    .action(run.action((_, options: ServeOptions) => runServer(run, options)));
}

export function addDemoCommand(program: Command, run: Run): void {
  const command = program
    .command("demo")
    .summary("serve a recorded incident of a real OpenStack")
    .description(
      "Serves a recording from a data folder of its own. The first start loads it; later ones take seconds and change nothing.",
    );
  addListenOptions(command);
  addStoreOptions(command)
    .addHelpText("after", "\nExamples:\n  $ isochron demo\n  $ isochron demo --port 0 --data ./demo-data")
    .action(run.action((_, options: ServeOptions) => runDemo(run, options)));
}

function addListenOptions(command: Command): Command {
  return command
    .option("--host <address>", "address to listen on (ISOCHRON_HOST; 127.0.0.1)")
    .option("--port <port>", "port to listen on, 0 for any (ISOCHRON_PORT; 4400)");
}

async function runServer(run: Run, options: ServeOptions): Promise<number> {
  const { host } = run;
  run.endsBySignal = true;
  const setup = host.configure({ flags: flagsOf(options), service: true });
  for (const warning of setup.settings.warnings) await host.stderr.write(`warning: ${warning}.\n`);
  const opened = await setup.open();
  try {
    await warnOfMissingPages(run, opened);
    const address = await listen(opened, setup.settings, false);
    await host.stdout.write(`Isochron listens on ${address.url}\n`);
    const work = options.harvest === false ? undefined : opened.startHarvest(host.signal);
    await Promise.all([work, untilAborted(host.signal)]);
    await address.close();
    return exitCodes.ok;
  } finally {
    await opened.close();
  }
}

async function runDemo(run: Run, options: ServeOptions): Promise<number> {
  const { host } = run;
  run.endsBySignal = true;
  const setup = host.configure({ flags: flagsOf(options), service: false, demo: true });
  if (!isLoopback(setup.settings.host)) {
    await host.stderr.write(
      `warning: whoever reaches ${setup.settings.host} can look at the demo as its provider.\n`,
    );
  }
  const opened = await setup.open();
  try {
    await warnOfMissingPages(run, opened);
    const bar = new ProgressBar(host.stderr, host.progress, "Loading the recording");
    await opened.loadDemo(bar.advance).finally(() => bar.stop());
    const address = await listen(opened, setup.settings, true);
    await host.stdout.write(demoText(address.url, host.terminal.utf8));
    await untilAborted(host.signal);
    await address.close();
    return exitCodes.ok;
  } finally {
    await opened.close();
  }
}

/** A fresh checkout holds the pages' source only; the API answers without them. */
async function warnOfMissingPages({ host }: Run, opened: Opened): Promise<void> {
  if (opened.webPages) return;
  await host.stderr.write(
    "warning: the web pages are not built, so only the API answers: npm run build:web\n",
  );
}

async function listen(
  opened: Opened,
  settings: { readonly host: string; readonly port: number },
  demo: boolean,
): Promise<{ url: string; close: () => PromiseLike<unknown> }> {
  const api = await opened.api({ demo });
  try {
    const url = await api.listen({ host: settings.host, port: settings.port });
    return { url, close: () => api.close() };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const reason = code === undefined ? undefined : listenProblems[code];
    if (reason === undefined) throw error;
    await api.close();
    throw new IsochronError(
      "address-unavailable",
      `Cannot listen on ${settings.host}:${settings.port}: ${reason}.`,
      "Choose another with --host and --port; --port 0 takes any free one.",
      { cause: error },
    );
  }
}

const listenProblems: Readonly<Record<string, string>> = {
  EADDRINUSE: "another process listens there",
  EACCES: "this user may not",
  EADDRNOTAVAIL: "this machine has no such address",
  ENOTFOUND: "no such host is known",
  EAI_AGAIN: "the name cannot be looked up",
};

function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || address.startsWith("127.");
}

/** The address, and three things to try. */
function demoText(url: string, utf8: boolean): string {
  return `Isochron shows a recorded incident at ${url}

  1. Select the first symptom (${utf8 ? "▲" : "S"}) and press e: what else changed before it, ranked, with reasons.
  2. Open "why this tenant?" on any event: why it is whose it is, hop by hop.
  3. Choose a tenant under "see as": the same minutes through that tenant's eyes.

Ctrl-C stops it.
`;
}
