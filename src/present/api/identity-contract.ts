import { z } from "zod";

/** How somebody can sign in here beside a token. */
export const signInProvidersSchema = z.object({
  providers: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      kind: z.enum(["keystone", "oidc"]),
      /** For Keystone: the domain that the form proposes. */
      user_domain: z.string().optional(),
    }),
  ),
});
export type SignInProvidersJson = z.infer<typeof signInProvidersSchema>;

const word = z.string().min(1).max(255);
const secret = z.string().min(1).max(3_000);
/** Which Keystone, where several are configured. */
const provider = z.string().max(31).optional();
/** Narrows the sign-in; at most one of them. */
const scope = { project_id: word.optional(), domain_id: word.optional(), system: z.literal(true).optional() };

export const keystoneSignInSchema = z
  .union([
    z.strictObject({
      provider,
      user: word,
      user_domain: word.optional(),
      user_domain_id: word.optional(),
      password: secret,
      ...scope,
    }),
    z.strictObject({
      provider,
      application_credential_id: word,
      application_credential_secret: secret,
    }),
    z.strictObject({ provider, token: secret, ...scope }),
  ])
  .refine(
    (body) => ["project_id", "domain_id", "system"].filter((name) => Object.hasOwn(body, name)).length <= 1,
    { error: "project_id, domain_id and system exclude each other" },
  )
  .refine(
    (body) => !("user" in body) || (body.user_domain === undefined) !== (body.user_domain_id === undefined),
    {
      error: "either user_domain or user_domain_id",
    },
  );
export type KeystoneSignInJson = z.infer<typeof keystoneSignInSchema>;
