import { Option, type Command } from "commander";
import { IsochronError } from "../../errors.ts";
import { formatInstant, instant } from "../../model/instant.ts";
import { providerRoles, tenantRoles } from "../../model/role.ts";
import { mintToken } from "../api/token-contract.ts";
import type { Host, Opened, Settings, TokenRecord, TokenScope } from "./application.ts";
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
import { parseDuration } from "./time-text.ts";
import type { Column, View } from "./view.ts";

interface TokenOptions extends StoreOptions, PrintOptions {
  readonly name: string;
  readonly provider?: true;
  readonly domain?: string;
  readonly project?: string;
  readonly customer?: string;
  readonly ingest?: string;
  readonly controlPlane: string;
  readonly expires?: string;
  readonly role?: string;
}

export function addTokenCommand(program: Command, run: Run): void {
  const command = program
    .command("token")
    .summary("API tokens: create, list, revoke")
    .description("Makes and ends the tokens by which the API knows who asks, and what they may see.");
  addCreate(command, run);
  addList(command, run);
  addRevoke(command, run);
}

function addCreate(parent: Command, run: Run): void {
  const scopes = ["provider", "domain", "project", "customer", "ingest"];
  const others = (name: string) => scopes.filter((scope) => scope !== name);
  const command = parent
    .command("create")
    .summary("make a token and print it, once")
    .description(
      "Prints a new token on standard output. Only its hash is stored, so it cannot be shown again. It may do the least unless --role says more: of a tenant a reader sees everything but what is sensitive, and an admin that too; of the provider an operator does the daily work, an auditor sees sensitive events and the audit and decides nothing, and an admin does all of it, makes tokens and posts records to every connection. Give a sender --ingest, which is good for nothing else.",
    )
    .requiredOption("--name <name>", "what it is for")
    .addOption(new Option("--provider", "may read every tenant's events").conflicts(others("provider")))
    .addOption(new Option("--domain <id>", "may read what this domain may see").conflicts(others("domain")))
    .addOption(
      new Option("--project <id>", "may read what this project may see").conflicts(others("project")),
    )
    .addOption(
      new Option("--customer <id>", "may read what this configured customer may see").conflicts(
        others("customer"),
      ),
    )
    .addOption(
      new Option("--ingest <connection>", "may only post records to this connection").conflicts(
        others("ingest"),
      ),
    )
    .addOption(
      new Option("--role <role>", "what it may do (the least: reader, or operator with --provider)").choices([
        ...new Set([...tenantRoles, ...providerRoles]),
      ]),
    )
    .option("--control-plane <name>", "cloud that the ids belong to", "default")
    .option("--expires <length>", "for how long it is good, such as 30d (for ever)");
  addPrintOptions(command, ["table", "json"]);
  addStoreOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron token create --name grafana --provider --expires 30d
  $ isochron token create --name acme-portal --domain 4f1c0b7e9a3d4b7f8a5e6c2d1b0a9f8e
  $ isochron token create --name acme-soc --domain 4f1c0b7e9a3d4b7f8a5e6c2d1b0a9f8e --role admin
  $ isochron token create --name globex --customer globex
  $ isochron token create --name alertmanager --ingest alertmanager@region-1
  $ export ISOCHRON_TOKEN="$(isochron token create --name me --provider --role admin)"`,
    )
    .action(run.action((_, options: TokenOptions) => createToken(run.host, options)));
}

function createToken(host: Host, options: TokenOptions): Promise<number> {
  const scope = scopeOf(options);
  for (const option of ["name", "controlPlane"] as const) checkNotBlank(option, options[option]);
  const expiresAt =
    options.expires === undefined ? undefined : instant(host.now() + parseDuration(options.expires));
  return withTokens(host, options, async (view, { store, connections }, { customers }) => {
    const { token, hash } = mintToken();
    const expiry = expiresAt === undefined ? {} : { expiresAt };
    const record = await store.tokens.create({ name: options.name, hash, scope, ...expiry });
    if (view.format === "json") await view.json({ ...tokenJson(record), token });
    else await view.line(token);
    await view.note(`Token ${record.id} for ${scopeText(scope)}. It is shown this once: keep it.`);
    if (scope.kind === "customer" && !customers.some(({ id }) => id === scope.customerId)) {
      await view.note(
        `warning: no customer is called ${scope.customerId} here, so nothing can be seen with it until one is configured.`,
      );
    }
    if (scope.kind === "ingest" && !connections.includes(scope.connection)) {
      await view.note(
        `warning: no connection is called ${scope.connection} here, so nothing can be posted to it until one is configured.`,
      );
    }
    return exitCodes.ok;
  });
}

function scopeOf(options: TokenOptions): TokenScope {
  const { controlPlane } = options;
  for (const option of ["domain", "project", "customer", "ingest"] as const)
    checkNotBlank(option, options[option]);
  if (options.provider === true)
    return { kind: "provider", role: roleOf(options, providerRoles, "operator") };
  if (options.ingest !== undefined) {
    roleOf(options, [], undefined);
    return { kind: "ingest", connection: options.ingest };
  }
  const role = roleOf(options, tenantRoles, "reader");
  if (options.domain !== undefined) return { kind: "domain", controlPlane, domainId: options.domain, role };
  if (options.project !== undefined)
    return { kind: "project", controlPlane, projectId: options.project, role };
  if (options.customer !== undefined) return { kind: "customer", customerId: options.customer, role };
  throw new IsochronError(
    "usage",
    "The token would be good for nothing.",
    "Add --provider, --domain ID, --project ID, --customer ID or --ingest CONNECTION.",
  );
}

function roleOf<R extends string, L extends R | undefined>(
  { role }: TokenOptions,
  roles: readonly R[],
  least: L,
): R | L {
  if (role === undefined) return least;
  const known = roles.find((one) => one === role);
  if (known !== undefined) return known;
  throw new IsochronError(
    "usage",
    `A token of this kind cannot have the role ${role}.`,
    roles.length === 0 ? "Leave --role away." : `Its roles are ${roles.join(", ")}.`,
  );
}

/** A blank is what a script gives for a variable that is not set. */
function checkNotBlank(option: string, text: string | undefined): void {
  if (text === undefined || text.trim() !== "") return;
  const flag = `--${option.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new IsochronError("usage", `${flag} is blank.`, "Write what it shall be after it.");
}

function addList(parent: Command, run: Run): void {
  const command = parent
    .command("list")
    .summary("list tokens")
    .description("Lists all tokens with what they are good for; never the tokens themselves.");
  addPrintOptions(command);
  addStoreOptions(command)
    .addHelpText("after", "\nExamples:\n  $ isochron token list\n  $ isochron token list -o json")
    .action(
      run.action((_, options: TokenOptions) =>
        withTokens(run.host, options, async (view, { store }) => {
          const tokens = await store.tokens.list();
          if (view.format === "json") await view.json(tokens.map(tokenJson));
          else if (view.format === "ndjson") await view.ndjson(tokens.map(tokenJson));
          else await view.rows(tokenColumns(view, run.host.now()), tokens);
          return exitCodes.ok;
        }),
      ),
    );
}

function addRevoke(parent: Command, run: Run): void {
  const command = parent
    .command("revoke")
    .summary("end a token")
    .description("Ends a token at once.")
    .argument("<id>", "the token's id, as `token list` shows it");
  addPrintOptions(command, ["table"]);
  addStoreOptions(command)
    .addHelpText("after", "\nExamples:\n  $ isochron token revoke 7c0f2a9e")
    .action(
      run.action(([id], options: TokenOptions) =>
        withTokens(run.host, options, async (view, { store }) => {
          if (!(await store.tokens.revoke(id ?? ""))) {
            throw new IsochronError(
              "not-found",
              `No valid token has the id ${id}.`,
              "`isochron token list` shows them.",
            );
          }
          await view.note(`Token ${id} is revoked.`);
          return exitCodes.ok;
        }),
      ),
    );
}

async function withTokens(
  host: Host,
  options: TokenOptions,
  act: (view: View, opened: Opened, settings: Settings) => Promise<number>,
): Promise<number> {
  const setup = host.configure({ flags: flagsOf(options), service: false });
  const view = createView(host, options, setup.settings.timeZone);
  const opened = await setup.open();
  try {
    return await act(view, opened, setup.settings);
  } finally {
    await opened.close();
  }
}

function scopeText(scope: TokenScope): string {
  if (scope.kind === "ingest") return `posting to ${scope.connection}`;
  if (scope.kind === "provider") return `the provider's ${roleIn(scope)}`;
  return `${roleIn(scope)} of ${tenantText(scope)}`;
}

function tenantText(scope: Exclude<TokenScope, { kind: "provider" | "ingest" }>): string {
  if (scope.kind === "customer") return `customer ${scope.customerId}`;
  return scope.kind === "domain"
    ? `domain ${scope.domainId} of ${scope.controlPlane}`
    : `project ${scope.projectId} of ${scope.controlPlane}`;
}

/** A token that was made before there were roles has what it had then. */
function roleIn(scope: Exclude<TokenScope, { kind: "ingest" }>): string {
  return scope.role ?? (scope.kind === "provider" ? "admin" : "reader");
}

function tokenJson(token: TokenRecord): Record<string, unknown> {
  const { scope } = token;
  const time = (at: TokenRecord["createdAt"] | undefined) => (at === undefined ? null : formatInstant(at));
  return {
    id: token.id,
    name: token.name,
    scope: scope.kind,
    ...("controlPlane" in scope ? { control_plane: scope.controlPlane } : {}),
    ...("domainId" in scope ? { domain_id: scope.domainId } : {}),
    ...("projectId" in scope ? { project_id: scope.projectId } : {}),
    ...("customerId" in scope ? { customer_id: scope.customerId } : {}),
    ...("connection" in scope ? { connection: scope.connection } : {}),
    role: scope.kind === "ingest" ? null : roleIn(scope),
    created_at: time(token.createdAt),
    expires_at: time(token.expiresAt),
    revoked_at: time(token.revokedAt),
    used_on: token.usedOn ?? null,
    made_by: token.madeBy ?? null,
  };
}

function tokenColumns(view: View, now: TokenRecord["createdAt"]): readonly Column<TokenRecord>[] {
  const time = (at: TokenRecord["createdAt"] | undefined) => (at === undefined ? "" : view.zone.rfc3339(at));
  const state = (token: TokenRecord) => {
    if (token.revokedAt !== undefined) return "revoked";
    return token.expiresAt !== undefined && token.expiresAt <= now ? "expired" : "valid";
  };
  return [
    { name: "id", title: "ID", value: (token) => token.id },
    { name: "name", title: "NAME", value: (token) => token.name },
    {
      name: "state",
      title: "STATE",
      value: state,
      style: (token) => (state(token) === "valid" ? "green" : "dim"),
    },
    { name: "scope", title: "GOOD FOR", value: (token) => scopeText(token.scope) },
    { name: "created_at", title: "CREATED", value: (token) => time(token.createdAt) },
    { name: "expires_at", title: "EXPIRES", value: (token) => time(token.expiresAt) },
    { name: "used_on", title: "LAST USED", value: (token) => token.usedOn ?? "" },
  ];
}
