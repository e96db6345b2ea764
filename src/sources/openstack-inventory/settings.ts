import { z } from "zod";
import { IsochronError } from "../../errors.ts";
import type { JsonObject } from "../../model/json.ts";
import { secretReferencePattern, secretReferenceProblem } from "../../model/secret-reference.ts";

/** The services that can be read, by the names that OpenStack's service-types authority gives them. */
export const serviceNames = ["identity", "compute", "block-storage", "network", "image"] as const;
export type ServiceName = (typeof serviceNames)[number];

const secretReference = z.string().regex(secretReferencePattern, {
  error: secretReferenceProblem,
});

const authSchema = z
  .strictObject({
    auth_url: z.url({ protocol: /^https?$/ }).describe("Keystone's address, with or without `/v3`."),
    user_id: z.string().optional().describe("Id of the user."),
    username: z.string().optional().describe("Name of the user; its domain is needed beside it."),
    user_domain_id: z.string().optional().describe("Id of the user's domain."),
    user_domain_name: z.string().optional().describe("Name of the user's domain."),
    password: secretReference.optional().describe("The password, as `env:NAME` or `file:PATH`."),
    application_credential_id: z.string().optional().describe("Id of an application credential."),
    application_credential_name: z
      .string()
      .optional()
      .describe("Name of an application credential; its user is needed beside it."),
    application_credential_secret: secretReference
      .optional()
      .describe("Its secret, as `env:NAME` or `file:PATH`."),
    token: secretReference.optional().describe("A token to exchange, as `env:NAME` or `file:PATH`."),
    project_id: z.string().optional().describe("Scope: a project's id."),
    project_name: z.string().optional().describe("Scope: a project's name; its domain is needed beside it."),
    project_domain_id: z.string().optional().describe("Id of that project's domain."),
    project_domain_name: z.string().optional().describe("Name of that project's domain."),
    domain_id: z.string().optional().describe("Scope: a domain's id."),
    domain_name: z.string().optional().describe("Scope: a domain's name."),
    system_scope: z.literal("all").optional().describe("Scope: the whole system."),
  })
  .describe("Credentials written in line, in place of `cloud`.");

/** Which cloud, and with whose credentials: the same for every source that asks OpenStack's APIs. */
export const accessFields = {
  cloud: z.string().min(1).optional().describe("Name of a cloud in `clouds.yaml`."),
  clouds_file: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Path of `clouds.yaml`; without it `./`, `~/.config/openstack` and `/etc/openstack` are searched.",
    ),
  auth: authSchema.optional(),
  region: z
    .string()
    .min(1)
    .optional()
    .describe("Region whose endpoints are used; needed where there are several."),
  interface: z
    .enum(["public", "internal", "admin"])
    .optional()
    .describe("Which endpoints of the catalog are used; `public` unless the cloud says otherwise."),
};

/** Settings of one connection: which cloud, with whose credentials, and how much is read at a time. */
export const inventorySettings = z
  .strictObject({
    ...accessFields,
    services: z
      .array(z.enum(serviceNames))
      .min(1)
      .default([...serviceNames])
      .describe("The services to read."),
    page_size: z.number().int().min(1).max(1000).default(500).describe("Items asked for per request."),
    pages_max: z
      .number()
      .int()
      .min(1)
      .max(10_000)
      .default(1000)
      .describe("Requests per listing before it is given up."),
    records_max: z
      .number()
      .int()
      .min(1)
      .max(50_000)
      .default(2000)
      .describe("Records handed over at a time; reading stops after the request that reaches it."),
    overlap_seconds: z
      .number()
      .int()
      .min(0)
      .max(86_400)
      .default(300)
      .describe("How far each pass reads back into the one before, because rows commit late."),
    look_back_hours: z
      .number()
      .int()
      .min(0)
      .max(8760)
      .default(24)
      .describe("How far back the first pass looks for deleted servers, actions and finished work."),
    full_every_seconds: z
      .number()
      .int()
      .min(0)
      .max(86_400)
      .default(300)
      .describe("How often whole inventories are read again; states and changes are read in every pass."),
  })
  .refine((settings) => settings.cloud === undefined || settings.auth === undefined, {
    error: "either `cloud` or `auth`, not both",
  });

export type InventorySettings = z.infer<typeof inventorySettings>;
export type AccessSettings = Pick<InventorySettings, keyof typeof accessFields>;
export type InlineAuth = NonNullable<InventorySettings["auth"]>;

/** Throws `config-invalid` with every problem at once; values are never repeated, as one may be a secret. */
export function readSettings(config: JsonObject): InventorySettings {
  const parsed = inventorySettings.safeParse(config);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `${issue.path.join(".") || "config"}: ${issue.message}`,
  );
  throw new IsochronError(
    "config-invalid",
    `The connection's settings have problems: ${problems.join("; ")}.`,
    "Correct them in the configuration of the connection.",
  );
}
