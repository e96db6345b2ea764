import ipaddr from "ipaddr.js";
import { z } from "zod";
import { identityProvidersSchema } from "./config-identity.ts";
import { retentionSchema } from "./config-retention.ts";
import { customersSchema } from "./config-tenancy.ts";
import { secretReferencePattern, secretReferenceProblem } from "./model/secret-reference.ts";

export const logLevels = ["trace", "debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/** One setting and all that can be said of it. */
export interface Setting {
  readonly name: string;
  readonly env?: string;
  /** Its flag, where some command takes one. */
  readonly flag?: string;
  readonly fallback: string;
  readonly meaning: string;
  readonly schema: z.ZodType;
  /** Its value is never repeated in a message. */
  readonly secret?: true;
  readonly fromText?: (text: string) => unknown;
}

const secretReference = z.string().regex(secretReferencePattern, {
  error: secretReferenceProblem,
});

const limitsSchema = z.strictObject(
  {
    requests_per_second: z
      .number({ error: "a number from 0.01 to 1000" })
      .min(0.01, { error: "a number from 0.01 to 1000" })
      .max(1000, { error: "a number from 0.01 to 1000" })
      .default(50),
    requests_at_once: z
      .int({ error: "a whole number from 1 to 64" })
      .min(1, { error: "a whole number from 1 to 64" })
      .max(64, { error: "a whole number from 1 to 64" })
      .default(4),
  },
  { error: "requests_per_second and requests_at_once" },
);

const networks = z
  .array(
    z
      .string({ error: "a range such as 10.0.0.0/8" })
      .refine((range) => !range.includes("%") && ipaddr.isValidCIDR(range), {
        error: "a range such as 10.0.0.0/8",
      }),
    { error: "a list of ranges such as 10.0.0.0/8" },
  )
  .max(64, { error: "64 ranges at most" });

const connectionSchema = z.strictObject(
  {
    name: z
      .string({ error: "a name such as nova@region-1" })
      .regex(/^[A-Za-z0-9][A-Za-z0-9@._-]{0,62}$/, { error: "1 to 63 letters, digits and @ . _ -" }),
    source: z.string({ error: "the name of a source" }).min(1, { error: "the name of a source" }),
    control_plane: z
      .string({ error: "a name such as region-1" })
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, { error: "1 to 63 letters, digits and . _ -" })
      .default("default"),
    enabled: z.boolean({ error: "true or false" }).default(true),
    interval_seconds: z
      .number({ error: "a number of seconds from 1 to 86400" })
      .min(1, { error: "a number of seconds from 1 to 86400" })
      .max(86_400, { error: "a number of seconds from 1 to 86400" })
      .default(60),
    expect_within_seconds: z
      .number({ error: "a number of seconds from 1 to 2592000" })
      .min(1, { error: "a number of seconds from 1 to 2592000" })
      .max(2_592_000, { error: "a number of seconds from 1 to 2592000" })
      .optional(),
    limits: limitsSchema.prefault({}),
    allow_networks: networks.optional(),
    storm_threshold: z
      .int({ error: "a whole number from 0 to 1000000" })
      .min(0, { error: "a whole number from 0 to 1000000" })
      .max(1_000_000, { error: "a whole number from 0 to 1000000" })
      .default(200),
    reconcile_every_hours: z
      .number({ error: "a number of hours from 0 (never) to 744" })
      .min(0, { error: "a number of hours from 0 (never) to 744" })
      .max(744, { error: "a number of hours from 0 (never) to 744" })
      .default(24),
    reconcile_span_hours: z
      .number({ error: "a number of hours from 1 to 8784" })
      .min(1, { error: "a number of hours from 1 to 8784" })
      .max(8784, { error: "a number of hours from 1 to 8784" })
      .default(48),
    config: z.record(z.string(), z.json(), { error: "the source's settings, one per line" }).default({}),
  },
  { error: "name, source and config" },
);

/** A connection as the file gives it. */
export type ConnectionSetting = z.infer<typeof connectionSchema>;

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

const proxyWords = "an address or a range such as 10.0.0.0/8";

/** A range of everything would let every client choose its own address. */
function isProxyRange(text: string): boolean {
  if (text.includes("%")) return false;
  if (ipaddr.isValidCIDR(text)) return !text.endsWith("/0");
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}

const folder = z.string({ error: "the path of a folder" }).min(1, { error: "the path of a folder" });
const httpUrl = z.url({ protocol: /^https?$/, error: "an address such as https://isochron.example.org" });

/** Every setting: its names, its default in words, its meaning. `docs/configuration.md` is made from it. */
export const settings: readonly Setting[] = [
  {
    name: "data",
    env: "ISOCHRON_DATA",
    flag: "--data",
    fallback: "`$XDG_DATA_HOME/isochron`, else `~/.local/share/isochron`; `demo` uses `demo` under it",
    meaning: "Folder of the embedded store; puts aside a `database_url` of less weight.",
    schema: folder,
  },
  {
    name: "database_url",
    env: "ISOCHRON_DATABASE_URL",
    flag: "--database-url",
    fallback: "none: the embedded PostgreSQL under `data`",
    meaning:
      "An existing PostgreSQL (15 to 18) to use instead of `data`; a URL, `env:NAME`, `file:PATH` or `credential:NAME`.",
    schema: z
      .string({ error: "postgres://user@host/database, `env:NAME`, `file:PATH` or `credential:NAME`" })
      .regex(/^(postgres(ql)?:\/\/|env:|file:|credential:).+$/, {
        error: "postgres://user@host/database, `env:NAME`, `file:PATH` or `credential:NAME`",
      }),
    secret: true,
  },
  {
    name: "host",
    env: "ISOCHRON_HOST",
    flag: "--host",
    fallback: "`127.0.0.1`",
    meaning: "Address that `serve` and `demo` listen on.",
    schema: z
      .string({ error: "a host name or address" })
      .regex(/^[A-Za-z0-9.:_-]+$/, { error: "a host name or address" }),
  },
  {
    name: "port",
    env: "ISOCHRON_PORT",
    flag: "--port",
    fallback: "`4400`",
    meaning: "Port that `serve` and `demo` listen on; 0 takes a free one and prints it.",
    schema: z
      .int({ error: "a whole number from 0 to 65535" })
      .min(0, { error: "a whole number from 0 to 65535" })
      .max(65_535, { error: "a whole number from 0 to 65535" }),
    fromText: (text) => (/^\d+$/.test(text) ? Number(text) : text),
  },
  {
    name: "log_level",
    env: "ISOCHRON_LOG_LEVEL",
    flag: "--log-level",
    fallback: "`info` for `serve`, `demo` and `harvest`, else `warn`",
    meaning: `Least level that is logged: ${logLevels.join(", ")}.`,
    schema: z.enum(logLevels, { error: `one of ${logLevels.join(", ")}` }),
  },
  {
    name: "log_format",
    env: "ISOCHRON_LOG_FORMAT",
    flag: "--log-format",
    fallback: "`pretty` on a terminal, else `json`",
    meaning: "How the log is written to standard error: json or pretty.",
    schema: z.enum(["json", "pretty"], { error: "json or pretty" }),
  },
  {
    name: "secret",
    env: "ISOCHRON_SECRET",
    fallback: "none: made at the first start and kept in the store's folder, or derived from `database_url`",
    meaning:
      "Reference to the key that signs cursors and seals what sessions keep of sign-ins: `env:NAME`, `file:PATH` or `credential:NAME`.",
    schema: secretReference,
    secret: true,
  },
  {
    name: "audit_key",
    env: "ISOCHRON_AUDIT_KEY",
    fallback: "none: made at the first start and kept in the store's folder, or derived from `database_url`",
    meaning:
      "Reference to what the audit trail is signed with: `env:NAME`, `file:PATH` or `credential:NAME`; see docs/audit.md.",
    schema: secretReference,
    secret: true,
  },
  {
    name: "provider_domains",
    env: "ISOCHRON_PROVIDER_DOMAINS",
    fallback: "`default`",
    meaning: "Ids of the domains that are the provider's own; comma-separated in the environment.",
    schema: z.array(z.string().min(1, { error: "a domain's id" }), { error: "a list of domain ids" }),
    fromText: (text) => text.split(",").map((word) => word.trim()),
  },
  {
    name: "trusted_proxies",
    env: "ISOCHRON_TRUSTED_PROXIES",
    fallback: "none: every client is known by the address that it connects from",
    meaning:
      "Addresses and ranges of the reverse proxies in front, each of which has to add the client's address to `X-Forwarded-For`; comma-separated in the environment.",
    schema: z.array(z.string({ error: proxyWords }).refine(isProxyRange, { error: proxyWords }), {
      error: "a list of addresses and ranges",
    }),
    fromText: (text) => text.split(",").map((word) => word.trim()),
  },
  {
    name: "notify_allow_networks",
    fallback: "none: public addresses alone",
    meaning:
      "Ranges such as 10.0.0.0/8 that the provider's notification rules may send to beside public addresses. Tenants' rules reach public addresses alone.",
    schema: networks,
  },
  {
    name: "in_flight_bytes_max",
    env: "ISOCHRON_IN_FLIGHT_BYTES_MAX",
    fallback: "`67108864` (64 MiB)",
    meaning:
      "Bytes that all connections of a process together hold between arriving and being stored; one holds a quarter at most.",
    schema: z
      .int({ error: "a whole number of bytes from 8388608 (8 MiB)" })
      .min(8_388_608, { error: "a whole number of bytes from 8388608 (8 MiB)" }),
    fromText: (text) => (/^\d+$/.test(text) ? Number(text) : text),
  },
  {
    name: "connections",
    fallback: "none",
    meaning: "The configured uses of sources; see below.",
    schema: z.array(connectionSchema, { error: "a list of connections" }),
  },
  {
    name: "customers",
    fallback: "none",
    meaning: "Whom the provider serves: sets of domains and projects; see below.",
    schema: customersSchema,
  },
  {
    name: "identity_providers",
    fallback: "none: people sign in with tokens",
    meaning: "Keystones and OpenID Providers that people sign in through; see below.",
    schema: identityProvidersSchema,
  },
  {
    name: "retention",
    fallback: "none: everything is kept",
    meaning: "For how long what is kept, for all and for some tenants; see below and docs/retention.md.",
    schema: retentionSchema,
  },
  {
    name: "erasure_key",
    env: "ISOCHRON_ERASURE_KEY",
    fallback: "derived from what `secret` comes to",
    meaning:
      "Reference to what hashes of deleted records are made with, for as long as the store lives: `env:NAME`, `file:PATH` or `credential:NAME`.",
    schema: secretReference,
    secret: true,
  },
  {
    name: "server",
    env: "ISOCHRON_SERVER",
    flag: "--server",
    fallback: "none: commands open the store themselves",
    meaning: "Server that the reading commands ask.",
    schema: httpUrl,
  },
  {
    name: "token",
    env: "ISOCHRON_TOKEN",
    flag: "--token",
    fallback: "none",
    meaning: "API token for that server; the token, `env:NAME`, `file:PATH` or `credential:NAME`.",
    schema: z.string({ error: "a token that `isochron token create` printed" }).min(1),
    secret: true,
  },
  {
    name: "time_zone",
    env: "ISOCHRON_TIME_ZONE",
    flag: "--tz",
    fallback: "the system's",
    meaning: "Zone that times are read and shown in, such as Europe/Paris.",
    schema: z
      .string({ error: "a zone such as Europe/Paris or UTC" })
      .refine(isTimeZone, { error: "a zone such as Europe/Paris or UTC" }),
  },
];

/** Settings of one connection, for the documentation. */
export const connectionSettings = [
  {
    name: "name",
    fallback: "required",
    meaning:
      "Names this use of the source, such as `nova@region-1`; not `isochron`, which is kept for decisions.",
  },
  { name: "source", fallback: "required", meaning: "The kind of source, such as `openstack-notifications`." },
  {
    name: "control_plane",
    fallback: "`default`",
    meaning: "Cloud whose ids it speaks of; ids are compared within one only.",
  },
  { name: "enabled", fallback: "`true`", meaning: "False keeps the connection known, but at rest." },
  {
    name: "interval_seconds",
    fallback: "`60`",
    meaning: "Rest between two passes of a polled source, by however many workers.",
  },
  {
    name: "reconcile_every_hours",
    fallback: "`24`",
    meaning: "How often what is stored is compared with what the source still knows; 0 never does.",
  },
  {
    name: "reconcile_span_hours",
    fallback: "`48`",
    meaning:
      "How far back that comparison looks; by itself also to the oldest open hole, of a month at most.",
  },
  {
    name: "expect_within_seconds",
    fallback: "two intervals and 30 s for a polled source, 60 s for RabbitMQ, else none",
    meaning: "After so long without a word from it, the connection counts as silent.",
  },
  {
    name: "limits.requests_per_second",
    fallback: "`50`",
    meaning: "Requests to its source in any second, retries included; below 1, one in so many seconds.",
  },
  {
    name: "limits.requests_at_once",
    fallback: "`4`",
    meaning: "Requests under way at its source; fewer while it is slow or refuses.",
  },
  {
    name: "allow_networks",
    fallback: "none: private addresses of the hosts that `config` names only",
    meaning:
      "Ranges beside the public addresses that it may ask, such as `10.0.0.0/8`; then no private address outside of them.",
  },
  {
    name: "storm_threshold",
    fallback: "`200`",
    meaning:
      "Symptoms, recoveries or activities of one type in a minute beyond which the rest is folded; 0 never folds.",
  },
  {
    name: "config",
    fallback: "`{}`",
    meaning: "The source's own settings; secrets as `env:NAME`, `file:PATH` or `credential:NAME`.",
  },
] as const;
