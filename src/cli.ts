import { readFileSync } from "node:fs";
import { loadConfig, type Config } from "./config.ts";
import { concealSecrets } from "./config-secret.ts";
import { readTerminal } from "./config-terminal.ts";
import { createLog } from "./log.ts";
import { instant } from "./model/instant.ts";
import type { Host, Opened, Settings, Setup, SetupRequest, Sink } from "./present/cli/application.ts";
import { exitCodes } from "./present/cli/exit-code.ts";
import { runCommandLine } from "./present/cli/program.ts";
import { sources } from "./sources/registry.ts";

const closeWaitMs = 20_000;
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const terminal = readTerminal();
const interruption = new AbortController();
const opened = new Set<Opened>();
const opening = new Set<Promise<unknown>>();
let leaving: Promise<never> | undefined;

/** A reader that has gone away (`| head`) ends the command quietly, as it ends others in a pipe. */
function createSink(stream: NodeJS.WriteStream): Sink {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (!["EPIPE", "EIO", "ERR_STREAM_DESTROYED"].includes(error.code ?? "")) throw error;
    void leave(exitCodes.ok);
  });
  return {
    terminal: stream.isTTY === true,
    ...(stream.isTTY === true ? { columns: stream.columns } : {}),
    // Settles when the text was taken, and never after an error: leaving is under way then.
    write: (text) =>
      new Promise((resolve) =>
        stream.write(concealSecrets(text), (error) => (error ? undefined : resolve())),
      ),
  };
}

function configure(request: SetupRequest): Setup {
  const loaded = loadConfig({
    flags: request.flags,
    demo: request.demo ?? false,
    defaults: { logLevel: request.service ? "info" : "warn" },
    terminal: process.stderr.isTTY === true,
    sources: new Map(sources.map((source) => [source.name, source])),
  });
  const config = { ...loaded, connections: chooseConnections(loaded, request) };
  const settings: Settings = config;
  return { settings, open: () => openProgram(config) };
}

/** Those that the command names, and the one that it describes itself. */
function chooseConnections(config: Config, request: SetupRequest): Config["connections"] {
  const { only, extra } = request;
  const added = extra === undefined ? [] : [{ ...extra, enabled: true, intervalSeconds: 60 }];
  const others = config.connections.filter((connection) => connection.name !== extra?.name);
  return [...others, ...added].filter((connection) => only === undefined || only.includes(connection.name));
}

/** The rest of the program is loaded only by commands that open it, so that `--help` stays quick. */
async function openProgram(config: Config): Promise<Opened> {
  const { openIsochron } = await import("./main.ts");
  const colour = terminal.colour && process.stderr.isTTY === true;
  const log = createLog({ level: config.logLevel, format: config.logFormat, colour });
  const pending = openIsochron(config, log, { version });
  opening.add(pending);
  const program = await pending.finally(() => opening.delete(pending));
  const tracked: Opened = {
    ...program,
    close: async () => {
      if (opened.delete(tracked)) await program.close();
    },
  };
  opened.add(tracked);
  return tracked;
}

/** Closes what is open, for a while at most, and ends the process with the code of the first who asked. */
function leave(code: number): Promise<never> {
  leaving ??= Promise.race([closeAll(), after(closeWaitMs)]).then(() => process.exit(code));
  return leaving;
}

/** A store that is just being opened is closed as well, else its server would outlive us. */
async function closeAll(): Promise<void> {
  await Promise.allSettled(opening);
  await Promise.allSettled([...opened].map((one) => one.close()));
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

const host: Host = {
  version,
  stdout: createSink(process.stdout),
  stderr: createSink(process.stderr),
  progress: process.stderr,
  terminal,
  now: () => instant(Date.now()),
  signal: interruption.signal,
  verifyAuditFile: async (path, headPath) =>
    (await import("./audit-keeping.ts")).verifyAuditFile(path, headPath),
  sources: sources.map((source) => source.name),
  configure,
};

const run = runCommandLine(process.argv.slice(2), host);

/** The command ends by itself once the signal tells it; a second one ends the process at once. */
function interrupt(): void {
  if (interruption.signal.aborted) process.exit(exitCodes.interrupted);
  interruption.abort();
  void Promise.race([run, after(closeWaitMs).then(() => exitCodes.interrupted)]).then(leave);
}

for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, interrupt);
await leave(await run);
