import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import { providerRoles, tenantRoles } from "../../model/role.ts";
import { grantSchema } from "./session-contract.ts";

/** API tokens: a part of the HTTP contract, and how a token is made wherever one is. */

const secretBytes = 32;
const time = z.iso.datetime({ offset: true });
const id = z.string().min(1).max(200);

/** A new token and what is stored of it: the SHA-256 of its whole text. */
export function mintToken(): { readonly token: string; readonly hash: Uint8Array } {
  const token = `iso_${randomBytes(secretBytes).toString("base64url")}`;
  return { token, hash: createHash("sha256").update(token).digest() };
}

export const tokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  ...grantSchema.shape,
  scope: z.enum(["provider", "domain", "project", "customer", "ingest"]),
  /** Null for a token that may only post records. */
  role: grantSchema.shape.role.nullable(),
  connection: z.string().optional(),
  created_at: time,
  expires_at: time.nullable(),
  revoked_at: time.nullable(),
  /** The day of its last use, in UTC. */
  used_on: z.iso.date().nullable(),
  /** Who made it over the API, as the audit names them; null where it was made at the server. */
  made_by: z.string().nullable(),
});
export type TokenJson = z.infer<typeof tokenSchema>;

export const tokensSchema = z.object({ tokens: z.array(tokenSchema) });

/** The only answer that ever holds the token itself. */
export const newTokenSchema = tokenSchema.extend({ token: z.string() });

const expiresDaysMax = 366;

export const createTokenSchema = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(100)
      .regex(/^[^\p{Cc}\p{Cs}]*$/u, { error: "text with control characters" })
      .regex(/\S/, { error: "blank" }),
    scope: tokenSchema.shape.scope,
    control_plane: id.optional(),
    domain_id: id.optional(),
    project_id: id.optional(),
    customer_id: id.optional(),
    connection: id.optional(),
    role: z
      .enum([...new Set([...tenantRoles, ...providerRoles])])
      .optional()
      .describe("A tenant's is a reader's and a provider's an operator's where it is not told."),
    expires_days: z
      .int()
      .min(1)
      .max(expiresDaysMax)
      .default(90)
      .describe("How long it is good, in days; at most a year, and as long as the token that makes it."),
  })
  .check((context) => {
    const { value } = context;
    const needed = {
      provider: [],
      domain: ["control_plane", "domain_id"],
      project: ["control_plane", "project_id"],
      customer: ["customer_id"],
      ingest: ["connection"],
    } as const satisfies Record<TokenJson["scope"], readonly (keyof typeof value)[]>;
    const wanted: readonly string[] = needed[value.scope];
    for (const field of ["control_plane", "domain_id", "project_id", "customer_id", "connection"] as const) {
      if ((value[field] !== undefined) === wanted.includes(field)) continue;
      const message = wanted.includes(field) ? "missing" : "not of this scope";
      context.issues.push({ code: "custom", path: [field], message, input: value[field] });
    }
    const roles: readonly string[] =
      value.scope === "provider" ? providerRoles : value.scope === "ingest" ? [] : tenantRoles;
    if (value.role === undefined || roles.includes(value.role)) return;
    context.issues.push({
      code: "custom",
      path: ["role"],
      message: "not of this scope",
      input: value.role,
    });
  });
