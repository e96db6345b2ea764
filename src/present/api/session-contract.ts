import { z } from "zod";
import { permissions, providerRoles, tenantRoles } from "../../model/role.ts";

/** Who is signed in with what, and breaking glass: a part of the HTTP contract. */

const time = z.iso.datetime({ offset: true });

/** What somebody was given: the ids that go with `scope`, and no others. */
export const grantSchema = z.object({
  scope: z.enum(["provider", "domain", "project", "customer"]),
  control_plane: z.string().optional(),
  domain_id: z.string().optional(),
  project_id: z.string().optional(),
  customer_id: z.string().optional(),
  role: z.enum([...new Set([...tenantRoles, ...providerRoles])]),
});
export type GrantJson = z.infer<typeof grantSchema>;

/** What a session tells of its holder. */
export const holderFields = {
  name: z.string(),
  /** `token`, `demo`, the name of an identity provider; null where there is no session. */
  through: z.string().nullable(),
  /** When the session ends, however much it is used; null where there is none. */
  expires_at: time.nullable(),
  grants: z.array(grantSchema),
  /** What may be done at the provider; empty for a tenant. */
  permissions: z.array(z.enum(permissions)),
  /** While what is withheld is shown. */
  glass: z.object({ since: time, until: time, why: z.string() }).nullable(),
};

export const breakGlassSchema = z.strictObject({
  why: z
    .string()
    .trim()
    .min(10, { error: "shorter than 10 characters" })
    .max(500, { error: "longer than 500 characters" })
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, { error: "text with control characters" }),
});
