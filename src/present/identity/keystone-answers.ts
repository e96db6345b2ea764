import { z } from "zod";

const id = z.string().min(1).max(255);
const named = z.object({ id, name: z.string() });
const role = z.object({ id, name: z.string(), domain: z.object({ id }).nullish() });

/** `GET /v3/auth/tokens` and `POST /v3/auth/tokens` of the Identity API v3, as far as it is used. */
export const tokenAnswerSchema = z.object({
  token: z.object({
    user: named.extend({ domain: named }),
    expires_at: z.iso.datetime({ offset: true }),
    roles: z.array(role).optional(),
    project: named.optional(),
    domain: named.optional(),
    system: z.object({ all: z.literal(true) }).optional(),
    application_credential: z.object({ access_rules: z.array(z.unknown()).nullish() }).nullish(),
  }),
});
export type TokenAnswer = z.infer<typeof tokenAnswerSchema>["token"];

const scope = z.object({
  project: z.object({ id, domain: z.object({ id }).optional() }).optional(),
  domain: z.object({ id }).optional(),
  system: z.unknown().optional(),
  "OS-INHERIT:inherited_to": z.string().optional(),
});

/** `GET /v3/role_assignments?include_names`: each has the user or the group that it was given to. */
export const assignmentsAnswerSchema = z.object({
  role_assignments: z.array(
    z.object({
      scope,
      role,
      user: z.object({ id }).optional(),
      group: z.object({ id }).optional(),
    }),
  ),
});
export type RoleAssignment = z.infer<typeof assignmentsAnswerSchema>["role_assignments"][number];

/** `GET /v3/users/{user_id}/projects`. */
export const projectsAnswerSchema = z.object({
  projects: z.array(z.object({ id, domain_id: id.nullish(), enabled: z.boolean() })),
});

/** `GET /v3/domains/{domain_id}`. */
export const domainAnswerSchema = z.object({ domain: z.object({ id, enabled: z.boolean() }) });

/** `GET /v3/users/{user_id}/groups`. */
export const groupsAnswerSchema = z.object({ groups: z.array(z.object({ id })) });
