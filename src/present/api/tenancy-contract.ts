import { z } from "zod";

/** Tenants, customers and what tenants are told of shared causes: a part of the HTTP contract. */

const time = z.iso.datetime({ offset: true });

export const tenantSchema = z.object({
  control_plane: z.string(),
  domain_id: z.string().optional(),
  project_id: z.string().optional(),
  /** Names, for the provider's eyes; absent where unknown. */
  domain_name: z.string().optional(),
  project_name: z.string().optional(),
  /** The customer that the configuration counts it to; told to a tenant only where all that it sees is that customer's. */
  customer_id: z.string().optional(),
  customer_name: z.string().optional(),
});
export type TenantJson = z.infer<typeof tenantSchema>;

export const tenantsSchema = z.object({ tenants: z.array(tenantSchema) });
export type TenantsJson = z.infer<typeof tenantsSchema>;

export const customerSchema = z.object({ customer_id: z.string(), customer_name: z.string() });
export type CustomerJson = z.infer<typeof customerSchema>;

/** Whose the tenants of one branch are. */
const customerFields = customerSchema.partial().shape;

/**
 * Control plane → region → domain → project, each sorted by name. Null stands for a level that is not known: the one
 * region of a control plane that names none, the one domain of projects without any.
 */
export const tenantTreeSchema = z.object({
  control_planes: z.array(
    z.object({
      control_plane: z.string(),
      regions: z.array(
        z.object({
          region_id: z.string().nullable(),
          domains: z.array(
            z.object({
              domain_id: z.string().nullable(),
              domain_name: z.string().optional(),
              /** False where only some projects of the domain are in scope, and the domain itself is not. */
              whole: z.boolean(),
              ...customerFields,
              projects: z.array(
                z.object({
                  project_id: z.string(),
                  project_name: z.string().optional(),
                  ...customerFields,
                }),
              ),
            }),
          ),
        }),
      ),
    }),
  ),
  /** Each customer with those of its tenants that are in scope: domains themselves, and projects one by one. */
  customers: z.array(customerSchema.extend({ tenants: z.array(tenantSchema) })),
});
export type TenantTreeJson = z.infer<typeof tenantTreeSchema>;

const controlPlane = z.string().min(1).max(200);
const id = z.string().min(1).max(200);

/** Whom a provider looks as: a domain, a project, or a customer. */
export const asTenantSchema = z
  .strictObject({
    control_plane: controlPlane.optional(),
    domain_id: id.optional(),
    project_id: id.optional(),
    customer_id: id.optional(),
  })
  .refine(
    ({ control_plane: plane, domain_id: domain, project_id: project, customer_id: customer }) =>
      [domain, project, customer].filter((one) => one !== undefined).length === 1 &&
      (customer === undefined) === (plane !== undefined),
    { error: "give control_plane and either domain_id or project_id, or customer_id alone" },
  );

/** What a text of a template may hold: `{name}` stands for what the meaning says. */
const placeholderSchema = z.object({ name: z.string(), meaning: z.string() });

export const noticeTemplateSchema = z.object({
  /** `host-failure`, `recovery`, `maintenance-begins`, …: the situation that it is for. */
  name: z.string(),
  /** One sentence: when a notice is made of it. */
  situation: z.string(),
  text: z.string(),
  /** The text that comes with the program. */
  shipped_text: z.string(),
  /** False while `text` is the shipped one. */
  edited: z.boolean(),
  /** Counts the changes, from 0: what a change has to name as `expected_version`. */
  version: z.number().int(),
  /** The latest change; null where there was none. */
  changed: z.object({ at: time, by: z.string(), why: z.string() }).nullable(),
  /** The text with a made-up tenant's resources in it. */
  sample: z.string(),
});
export type NoticeTemplateJson = z.infer<typeof noticeTemplateSchema>;

export const noticeTemplatesSchema = z.object({
  templates: z.array(noticeTemplateSchema),
  placeholders: z.array(placeholderSchema),
  chars_max: z.number().int(),
});
export type NoticeTemplatesJson = z.infer<typeof noticeTemplatesSchema>;

/** One template with all that was ever decided about it, latest first; a null text is the shipped one again. */
export const noticeTemplateHistorySchema = noticeTemplateSchema.extend({
  history: z.array(
    z.object({
      version: z.number().int(),
      text: z.string().nullable(),
      at: time,
      by: z.string(),
      why: z.string(),
    }),
  ),
});
export type NoticeTemplateHistoryJson = z.infer<typeof noticeTemplateHistorySchema>;

const why = z
  .string()
  .min(1, { error: "empty" })
  .max(500, { error: "longer than 500 characters" })
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, { error: "text with control characters" })
  .regex(/\S/, { error: "blank" });

export const changeTemplateSchema = z.strictObject({
  text: z.string(),
  expected_version: z.int({ error: "not a whole number" }).min(0, { error: "below 0" }),
  why,
});

/** As a query, because a DELETE carries no body. */
export const resetTemplateSchema = z.strictObject({
  expected_version: z
    .string()
    .regex(/^(0|[1-9][0-9]{0,8})$/, { error: "not a whole number in plain digits" })
    .transform(Number)
    .meta({ type: "integer", minimum: 0 }),
  why,
});

export const previewTemplateSchema = z.strictObject({ text: z.string() });

/** What a text would look like; where it has problems, they come in its stead. */
export const templatePreviewSchema = z.object({
  problems: z.array(
    z.object({
      code: z.enum(["empty", "too-long", "forbidden-characters", "unknown-placeholder", "unpaired-brace"]),
      says: z.string(),
    }),
  ),
  /** With one resource, with several, with many. */
  samples: z.array(z.string()),
});
export type TemplatePreviewJson = z.infer<typeof templatePreviewSchema>;
