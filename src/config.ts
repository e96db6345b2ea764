import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { z } from "zod";
import {
  identityProblems,
  toIdentityProvider,
  type IdentityProviderConfig,
  type IdentityProviderSetting,
} from "./config-identity.ts";
import { retentionProblems, toRetentionPolicy, type RetentionSetting } from "./config-retention.ts";
import { customerProblems, toCustomer, type CustomerSetting } from "./config-tenancy.ts";
import { ConfigFile, type ConfigProblem } from "./config-file.ts";
import { settings, type ConnectionSetting, type LogLevel, type Setting } from "./config-settings.ts";
import { resolveSecret, warnOfOpenFiles } from "./config-secret.ts";
import { asValue, describe, settingsWithin, valueAt } from "./config-words.ts";
import { IsochronError } from "./errors.ts";
import type { Customer } from "./model/customer.ts";
import type { JsonObject } from "./model/json.ts";
import type { RetentionPolicy } from "./model/retention.ts";
import { isSecretReference } from "./model/secret-reference.ts";
import { ownConnection } from "./model/own-connection.ts";

/** The configuration: flags over environment over file over defaults, read and validated once. */
export interface Config {
  /** Absolute path of the folder that holds the embedded store. */
  readonly data: string;
  /** An existing PostgreSQL to use instead of the embedded one. */
  readonly databaseUrl?: string;
  readonly host: string;
  readonly port: number;
  readonly logLevel: LogLevel;
  readonly logFormat: "json" | "pretty";
  /** References for {@link resolveSecret}. */
  readonly secret?: string;
  readonly auditKey?: string;
  readonly providerDomains: readonly string[];
  /** Addresses and ranges of proxies that are believed about whom they speak for. */
  readonly trustedProxies: readonly string[];
  /** What all connections of the process hold between arriving and being stored. */
  /** Ranges that the provider's notification rules may reach beside public addresses. */
  readonly notifyAllowNetworks: readonly string[];
  readonly inFlightBytesMax: number;
  readonly connections: readonly ConnectionConfig[];
  readonly customers: readonly Customer[];
  readonly retention: RetentionPolicy;
  /** A reference for {@link resolveSecret}. */
  readonly erasureKey?: string;
  readonly identityProviders: readonly IdentityProviderConfig[];
  /** The server that reading commands ask, instead of opening the store themselves. */
  readonly server?: string;
  readonly token?: string;
  readonly timeZone?: string;
  /** What looks like a mistake but may be none. */
  readonly warnings: readonly string[];
}

export interface ConnectionConfig {
  readonly name: string;
  readonly source: string;
  readonly controlPlane: string;
  readonly enabled: boolean;
  /** The rest between two passes of a pulling source. */
  readonly intervalSeconds: number;
  /** How often what is stored is compared with its source, 0 for never; absent for the default. */
  readonly reconcileEveryHours?: number;
  /** How far back that looks; absent for the default. */
  readonly reconcileSpanHours?: number;
  /** What its source may be asked at most; absent for the defaults. */
  readonly limits?: { readonly requestsPerSecond: number; readonly requestsAtOnce: number };
  /** Ranges beside the public ones that it may be led to; absent where nobody wrote any. */
  readonly allowNetworks?: readonly string[];
  /** Events of one type in a minute beyond which the rest is folded, 0 for never; absent for the default. */
  readonly stormThreshold?: number;
  /** After so long without a word from it the connection counts as silent; absent for what its source implies. */
  readonly expectWithinSeconds?: number;
  readonly config: JsonObject;
}

/** Flags by the setting's name, as typed. */
export type ConfigFlags = Readonly<Record<string, string | undefined>>;

export interface ConfigInput {
  readonly flags?: ConfigFlags;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** The demo takes no store, connections, people or retention from the file, nor a database from the environment. */
  readonly demo?: boolean;
  /** Used where nobody says otherwise. */
  readonly defaults?: { readonly logLevel?: LogLevel };
  /** True when the log goes to a terminal. */
  readonly terminal?: boolean;
  /** The known sources, so that each connection's own settings are checked in the same pass. */
  readonly sources?: ReadonlyMap<string, { readonly config: z.ZodType }>;
}

/**
 * Reads flags, environment and file. Throws `config-invalid` that lists every problem; its `cause` is
 * the same list as {@link ConfigProblem} values.
 */
export function loadConfig(input: ConfigInput = {}): Config {
  const env = input.env ?? process.env;
  const cwd = input.cwd ?? process.cwd();
  const reading = new Reading(input, env, cwd);
  const values = reading.values();
  reading.checkConnections(values["connections"] as ConnectionSetting[]);
  const customers = values["customers"] as CustomerSetting[];
  reading.checkCustomers(customers);
  const retention = values["retention"] as RetentionSetting | undefined;
  reading.checkRetention(retention, customers);
  const identityProviders = values["identity_providers"] as IdentityProviderSetting[];
  reading.checkIdentityProviders(identityProviders);
  const databaseUrl = reading.reveal("database_url", values["database_url"]);
  const token = reading.reveal("token", values["token"]);
  if (reading.problems.length > 0) throw configInvalid(reading.problems);
  const optional = {
    databaseUrl,
    token,
    secret: values["secret"],
    auditKey: values["audit_key"],
    erasureKey: values["erasure_key"],
    server: values["server"],
    timeZone: values["time_zone"],
  };
  return {
    data: resolve(cwd, (values["data"] as string | undefined) ?? dataFolder(env, input.demo ?? false)),
    host: (values["host"] as string | undefined) ?? "127.0.0.1",
    port: (values["port"] as number | undefined) ?? 4400,
    logLevel: (values["log_level"] as LogLevel | undefined) ?? input.defaults?.logLevel ?? "info",
    logFormat:
      (values["log_format"] as "json" | "pretty" | undefined) ??
      (input.terminal === true ? "pretty" : "json"),
    providerDomains: (values["provider_domains"] as string[] | undefined) ?? ["default"],
    trustedProxies: (values["trusted_proxies"] as string[] | undefined) ?? [],
    notifyAllowNetworks: (values["notify_allow_networks"] as string[] | undefined) ?? [],
    inFlightBytesMax: (values["in_flight_bytes_max"] as number | undefined) ?? 64 * 1024 * 1024,
    connections: (values["connections"] as ConnectionSetting[]).map(toConnection),
    customers: customers.map(toCustomer),
    retention: toRetentionPolicy(retention, customers.map(toCustomer)),
    identityProviders: identityProviders.map(toIdentityProvider),
    warnings: [...strangers(env), ...warnOfOpenFiles(values)],
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as object),
  };
}

/** What the demo takes from no file: its recording is all that it has, and one click its sign-in. */
const settingsAside = /^(data|database_url|connections|customers|identity_providers|retention)$/;

/** What each place says of one setting. */
interface Layers {
  readonly flag: unknown;
  readonly fromEnv: unknown;
  readonly fromFile: unknown;
}

/** One pass over all settings that notes problems instead of stopping at the first. */
class Reading {
  readonly problems: ConfigProblem[] = [];
  readonly #input: ConfigInput;
  readonly #env: NodeJS.ProcessEnv;
  readonly #cwd: string;
  readonly #file: ConfigFile | undefined;

  constructor(input: ConfigInput, env: NodeJS.ProcessEnv, cwd: string) {
    this.#input = input;
    this.#env = env;
    this.#cwd = cwd;
    this.#file = this.#open();
  }

  values(): Record<string, unknown> {
    const layers = new Map(settings.map((setting) => [setting.name, this.#layers(setting)]));
    const values: Record<string, unknown> = {};
    for (const [name, { flag, fromEnv, fromFile }] of layers) values[name] = flag ?? fromEnv ?? fromFile;
    const chosen = this.#chooseStore(layers);
    if (chosen !== undefined) delete values[chosen === "data" ? "database_url" : "data"];
    values["connections"] ??= [];
    values["customers"] ??= [];
    values["identity_providers"] ??= [];
    const known = new Set(settings.map((setting) => setting.name));
    for (const key of this.#file?.keys() ?? []) {
      if (known.has(key)) continue;
      this.#note(this.#file!.where([key]), "is not a setting", `one of ${[...known].join(", ")}`);
    }
    return values;
  }

  /** Names must be unique, and each source knows its own settings. */
  checkConnections(connections: readonly ConnectionSetting[]): void {
    const seen = new Set<string>();
    connections.forEach((connection, index) => {
      const where = (...path: (string | number)[]) =>
        this.#file?.where(["connections", index, ...path]) ?? `connections[${index}]`;
      if (seen.has(connection.name)) {
        this.#note(where("name"), `"${connection.name}" is there twice`, "a name of its own for each");
      }
      seen.add(connection.name);
      this.#checkReserved(where("name"), connection.name, ownConnection.name);
      this.#checkReserved(where("control_plane"), connection.control_plane, ownConnection.controlPlane);
      const { sources } = this.#input;
      if (sources === undefined) return;
      const source = sources.get(connection.source);
      if (source === undefined) {
        this.#note(
          where("source"),
          `"${connection.source}" is no source`,
          `one of ${[...sources.keys()].join(", ")}`,
        );
        return;
      }
      const parsed = source.config.safeParse(connection.config);
      for (const issue of parsed.error?.issues ?? []) {
        const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
        this.#note(where("config", ...path), issue.message, `see the settings of ${connection.source}`);
      }
    });
  }

  /** What is decided here would be taken for another's, or another's for it. */
  #checkReserved(where: string, given: string, reserved: string): void {
    // What is found of one cloud goes by the name with the cloud behind it.
    if (given === reserved || given.startsWith(`${reserved}@`))
      this.#note(where, `"${given}" is kept for what is decided here`, "another name");
  }

  checkCustomers(customers: readonly CustomerSetting[]): void {
    this.problems.push(...customerProblems(customers, this.#placesIn("customers")));
  }

  checkRetention(retention: RetentionSetting | undefined, customers: readonly CustomerSetting[]): void {
    this.problems.push(...retentionProblems(retention, customers, this.#placesIn("retention")));
  }

  checkIdentityProviders(providers: readonly IdentityProviderSetting[]): void {
    this.problems.push(...identityProblems(providers, this.#placesIn("identity_providers")));
  }

  #placesIn(setting: string): (...path: (string | number)[]) => string {
    return (...path) => this.#file?.where([setting, ...path]) ?? [setting, ...path].join(".");
  }

  /** The value behind a reference, or the value itself where a plain one is allowed. */
  reveal(name: string, value: unknown): string | undefined {
    if (typeof value !== "string" || !isSecretReference(value)) return value as string | undefined;
    try {
      return resolveSecret(value, this.#env);
    } catch (error) {
      if (!(error instanceof IsochronError)) throw error;
      this.#note(name, error.problem, error.remedy);
      return undefined;
    }
  }

  #open(): ConfigFile | undefined {
    const named = this.#input.flags?.["config"] ?? present(this.#env["ISOCHRON_CONFIG"]);
    const path = resolve(this.#cwd, named ?? "isochron.yaml");
    if (named === undefined && !existsSync(path)) return undefined;
    const where = named ?? "isochron.yaml";
    const opened = ConfigFile.read(path, where);
    if (opened instanceof ConfigFile) return opened;
    this.problems.push(...opened);
    return undefined;
  }

  /** Whoever names one store with more weight has put the other one aside; naming two at once is a problem. */
  #chooseStore(layers: ReadonlyMap<string, Layers>): "data" | "database_url" | undefined {
    const places: readonly [keyof Layers, string][] = [
      ["flag", "--data and --database-url"],
      ["fromEnv", "ISOCHRON_DATA and ISOCHRON_DATABASE_URL"],
      ["fromFile", `${this.#file?.where(["data"]) ?? ""} data and database_url`],
    ];
    for (const [layer, both] of places) {
      const data = layers.get("data")?.[layer] !== undefined;
      const url = layers.get("database_url")?.[layer] !== undefined;
      if (data && url) this.#note(both, "name two stores", "one of them");
      if (data || url) return data ? "data" : "database_url";
    }
    return undefined;
  }

  #layers(setting: Setting): Layers {
    const flagText = this.#input.flags?.[setting.name];
    const flag = this.#check(setting, setting.flag ?? "", asValue(setting, flagText));
    const isDemo = this.#input.demo === true;
    const notForDemo = isDemo && setting.name === "database_url";
    const envText = setting.env === undefined || notForDemo ? undefined : present(this.#env[setting.env]);
    const fromEnv = this.#check(setting, setting.env ?? "", asValue(setting, envText));
    const aside = isDemo && settingsAside.test(setting.name);
    const inFile = this.#file?.get(setting.name);
    const fromFile = this.#check(setting, undefined, inFile === null ? undefined : inFile);
    return { flag, fromEnv, fromFile: aside ? undefined : fromFile };
  }

  /** The valid value, or undefined after noting what is wrong; without `where` it stands in the file. */
  #check(setting: Setting, where: string | undefined, value: unknown): unknown {
    if (value === undefined) return undefined;
    const parsed = setting.schema.safeParse(value);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) {
      const inner = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
      if (issue.code === "unrecognized_keys") {
        for (const key of issue.keys) {
          const at = this.#file?.where([setting.name, ...inner, key]) ?? setting.name;
          const known = settingsWithin[setting.name] ?? [];
          this.#note(at, "is not a setting", `one of ${known.map((one) => one.name).join(", ")}`);
        }
        continue;
      }
      const at = where ?? this.#file?.where([setting.name, ...inner]) ?? setting.name;
      this.#note(at, describe(setting, valueAt(value, inner), inner), issue.message);
    }
    return undefined;
  }

  #note(where: string, what: string, write: string): void {
    this.problems.push({ where, what, write });
  }
}

function present(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : text;
}

function toConnection(connection: ConnectionSetting): ConnectionConfig {
  const { control_plane: controlPlane, interval_seconds: intervalSeconds, limits, ...others } = connection;
  const {
    storm_threshold: stormThreshold,
    expect_within_seconds: expectWithinSeconds,
    allow_networks: allowNetworks,
    reconcile_every_hours: reconcileEveryHours,
    reconcile_span_hours: reconcileSpanHours,
    ...rest
  } = others;
  return {
    ...rest,
    controlPlane,
    intervalSeconds,
    reconcileEveryHours,
    reconcileSpanHours,
    stormThreshold,
    ...(expectWithinSeconds === undefined ? {} : { expectWithinSeconds }),
    ...(allowNetworks === undefined ? {} : { allowNetworks }),
    limits: { requestsPerSecond: limits.requests_per_second, requestsAtOnce: limits.requests_at_once },
    config: rest.config as JsonObject,
  };
}

function dataFolder(env: NodeJS.ProcessEnv, demo: boolean): string {
  const base = present(env["XDG_DATA_HOME"]) ?? join(present(env["HOME"]) ?? homedir(), ".local", "share");
  return demo ? join(base, "isochron", "demo") : join(base, "isochron");
}

/** Names that only look like ours; Kubernetes' own `…_SERVICE_…` and `…_PORT_…` are left alone. */
function strangers(env: NodeJS.ProcessEnv): readonly string[] {
  const known = new Set(["ISOCHRON_CONFIG", ...settings.map((setting) => setting.env)]);
  return Object.keys(env)
    .filter((name) => name.startsWith("ISOCHRON_") && !known.has(name) && !/_(SERVICE|PORT)(_|$)/.test(name))
    .map((name) => `${name} is not a setting of Isochron, so it has no effect`);
}

function configInvalid(problems: readonly ConfigProblem[]): IsochronError {
  const lines = problems.map(({ where, what, write }) => `  ${where} ${what}: write ${write}`);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new IsochronError(
    "config-invalid",
    `${count} in the configuration:\n${lines.join("\n")}\n`,
    "Correct what is listed; docs/configuration.md explains every setting.",
    { cause: problems },
  );
}
