import type { Command } from "commander";
import { IsochronError } from "../../errors.ts";
import type { Host, Opened, Setup } from "./application.ts";
import { ApiClient } from "./api-client.ts";
import { LocalTransport } from "./api-transport.ts";
import {
  checkAddress,
  checkConnection,
  checkRules,
  checkFolder,
  checkIdentityProvider,
  checkNode,
  checkPostgres,
  runsAs,
  type Check,
} from "./machine-checks.ts";
import { exitCodes } from "./exit-code.ts";
import type { Run } from "./run.ts";
import {
  addPrintOptions,
  addStoreOptions,
  createView,
  flagsOf,
  type PrintOptions,
  type StoreOptions,
} from "./shared-options.ts";
import type { Column, Style } from "./view.ts";

interface DoctorOptions extends StoreOptions, PrintOptions {
  readonly digest?: true;
  readonly host?: string;
  readonly port?: string;
}

export function addMigrateCommand(program: Command, run: Run): void {
  const command = program
    .command("migrate")
    .summary("bring the store's schema up to this version")
    .description(
      "Applies the migrations that the store still lacks; a store that is up to date is left alone.",
    );
  addStoreOptions(command)
    .addHelpText(
      "after",
      "\nExamples:\n  $ isochron migrate\n  $ isochron migrate --database-url env:DATABASE_OWNER_URL",
    )
    .action(
      run.action((_, options: StoreOptions) =>
        withStore(run.host, options, async (opened) => {
          const { schemaVersion, serverVersion, location } = await opened.store.describe();
          await run.host.stdout.write(
            `schema ${schemaVersion} on PostgreSQL ${serverVersion} at ${location}\n`,
          );
          return exitCodes.ok;
        }),
      ),
    );
}

export function addDoctorCommand(program: Command, run: Run): void {
  const command = program
    .command("doctor")
    .summary("check this installation")
    .description(
      "Checks Node, the data folder, the address, the store, the identity providers and the sources; exits 1 when one of them fails.",
    )
    .option("--digest", "print only the digest of all that the store holds")
    .option("--host <address>", "address that the server would listen on")
    .option("--port <port>", "port that the server would listen on");
  addPrintOptions(command, ["table", "json"]);
  addStoreOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron doctor
  $ isochron doctor --digest --data /var/lib/isochron`,
    )
    .action(
      run.action((_, options: DoctorOptions) => {
        if (options.digest !== true) return examine(run.host, options);
        return withStore(run.host, options, async (opened) => {
          await run.host.stdout.write(`${await opened.store.digest()}\n`);
          return exitCodes.ok;
        });
      }),
    );
}

async function withStore(
  host: Host,
  options: StoreOptions,
  act: (opened: Opened) => Promise<number>,
): Promise<number> {
  const setup = host.configure({ flags: flagsOf(options), service: false });
  const opened = await setup.open();
  try {
    return await act(opened);
  } finally {
    await opened.close();
  }
}

async function examine(host: Host, options: DoctorOptions): Promise<number> {
  const setup = host.configure({ flags: flagsOf(options), service: false });
  const { settings } = setup;
  const view = createView(host, options, settings.timeZone);
  const checks: Check[] = [checkNode(process.versions.node)];
  for (const warning of settings.warnings)
    checks.push({ name: "configuration", state: "warning", says: warning });
  if (settings.databaseUrl === undefined) checks.push(await checkFolder(settings.data));
  checks.push(await checkAddress(settings.host, settings.port), ...(await checkStore(setup)));
  if (view.format === "json") await view.json(checks);
  else await view.rows(checkColumns, checks);
  return checks.some((check) => check.state === "failed") ? exitCodes.failure : exitCodes.ok;
}

async function checkStore(setup: Setup): Promise<readonly Check[]> {
  let opened: Opened;
  try {
    opened = await setup.open();
  } catch (error) {
    if (!(error instanceof IsochronError)) throw error;
    return [{ name: "store", state: "failed", says: `${error.problem} ${error.remedy}` }];
  }
  try {
    const { serverVersion, schemaVersion, embedded, location, serverUid } = await opened.store.describe();
    const where = `${embedded ? `embedded${runsAs(serverUid)}` : "external"}, at ${location}`;
    return [
      checkPostgres(serverVersion, where),
      { name: "schema", state: "ok", says: `version ${schemaVersion}` },
      ...(await opened.probeIdentityProviders()).map(checkIdentityProvider),
      ...(await checkSources(opened)),
    ];
  } finally {
    await opened.close();
  }
}

async function checkSources(opened: Opened): Promise<readonly Check[]> {
  const api = await opened.api({ viewer: { kind: "provider" } });
  const client = new ApiClient(new LocalTransport(() => Promise.resolve(api)));
  const { connections } = await client.sources();
  const { rules } = await client.notifications.list();
  await api.close();
  return [...connections.map(checkConnection), ...checkRules(rules)];
}

const stateStyles: Readonly<Record<Check["state"], Style>> = {
  ok: "green",
  warning: "yellow",
  failed: "red",
};

const checkColumns: readonly Column<Check>[] = [
  {
    name: "state",
    title: "STATE",
    value: (check) => check.state,
    style: (check) => stateStyles[check.state],
  },
  { name: "name", title: "CHECKED", value: (check) => check.name },
  { name: "says", title: "FOUND", value: (check) => check.says },
];
