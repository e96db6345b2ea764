import { z } from "zod";
import type { ConfigProblem } from "./config-file.ts";
import type { Customer } from "./model/customer.ts";
import type { Visibility } from "./model/event.ts";
import { keepEverything, type ClassDays, type RetentionPolicy } from "./model/retention.ts";
import { domainKey, projectKey, type TenantKey } from "./model/tenant.ts";

const daysForm = "a whole number of days from 1 to 36500";
const days = z.int({ error: daysForm }).min(1, { error: daysForm }).max(36_500, { error: daysForm });
const daysOrForever = z
  .union([days, z.literal("forever")], { error: `${daysForm}, or \`forever\`` })
  .optional();

const classes = {
  operational_days: daysOrForever,
  security_days: daysOrForever,
  billing_days: daysOrForever,
  provider_days: daysOrForever,
};

const tenantForm = "one of project, domain and customer, with days";
const id = (what: string) =>
  z
    .string({ error: `the id of a ${what}` })
    .regex(/^[A-Za-z0-9._-]{1,64}$/, { error: `the id of a ${what}, never its name` })
    .optional();

const overrideSchema = z.strictObject(
  {
    control_plane: z
      .string({ error: "a name such as region-1" })
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, { error: "1 to 63 letters, digits and . _ -" })
      .default("default"),
    project: id("project"),
    domain: id("domain"),
    customer: id("customer"),
    ...classes,
  },
  { error: tenantForm },
);

export const retentionSchema = z.strictObject(
  {
    ...classes,
    set_aside_days: days.optional(),
    tenants: z.array(overrideSchema, { error: `a list of ${tenantForm}` }).default([]),
  },
  { error: "operational_days and the like, set_aside_days, tenants" },
);

/** The retention as the file gives it. */
export type RetentionSetting = z.infer<typeof retentionSchema>;

/** Settings of the retention, for the documentation and for messages. */
export const retentionSettings = [
  {
    name: "operational_days",
    fallback: "`forever`",
    meaning: "Days for which operational events are kept; at their end they are deleted for good.",
  },
  { name: "security_days", fallback: "`forever`", meaning: "The same of sign-ins, grants and the like." },
  { name: "billing_days", fallback: "`forever`", meaning: "The same of what is told for billing." },
  { name: "provider_days", fallback: "`forever`", meaning: "The same of the provider's own events." },
  {
    name: "set_aside_days",
    fallback: "for ever",
    meaning: "Days for which records are kept that could not be used.",
  },
  { name: "tenants", fallback: "none", meaning: "What is otherwise for some tenants." },
  {
    name: "tenants[].project",
    fallback: "none",
    meaning: "Id of a project; its word outweighs that of its domain and of its customer.",
  },
  { name: "tenants[].domain", fallback: "none", meaning: "Id of a domain, with what was its own then." },
  { name: "tenants[].customer", fallback: "none", meaning: "Id of a customer; stands for all its members." },
  {
    name: "tenants[].control_plane",
    fallback: "`default`",
    meaning: "Cloud that the project or the domain belongs to.",
  },
  {
    name: "tenants[].operational_days",
    fallback: "as for all",
    meaning:
      "As above, and so the other three; of events that are the tenant's, and of its part of shared ones.",
  },
] as const;

/** What no single entry can be checked for. */
export function retentionProblems(
  setting: RetentionSetting | undefined,
  customers: readonly { readonly id: string }[],
  where: (...path: (string | number)[]) => string,
): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const seen = new Set<string>();
  for (const [index, one] of (setting?.tenants ?? []).entries()) {
    const named = [one.project, one.domain, one.customer].filter((name) => name !== undefined);
    const at = where("tenants", index);
    if (named.length !== 1) {
      const what = named.length === 0 ? "names no tenant" : "names several tenants";
      problems.push({ where: at, what, write: tenantForm });
      continue;
    }
    if (one.customer !== undefined && !customers.some((customer) => customer.id === one.customer)) {
      const write = "the id of one that is listed under customers";
      problems.push({
        where: where("tenants", index, "customer"),
        what: `"${one.customer}" is no customer`,
        write,
      });
    }
    const name = nameOf(one);
    if (seen.has(name)) problems.push({ where: at, what: "names a tenant twice", write: "each tenant once" });
    seen.add(name);
  }
  return problems;
}

type Override = RetentionSetting["tenants"][number];

function nameOf({ control_plane: plane, project, domain, customer }: Override): string {
  if (customer !== undefined) return `customer/${customer}`;
  return project === undefined ? `domain/${plane}/${domain}` : `project/${plane}/${project}`;
}

export function toRetentionPolicy(
  setting: RetentionSetting | undefined,
  customers: readonly Customer[],
): RetentionPolicy {
  if (setting === undefined) return keepEverything;
  const tenants = new Map<TenantKey, ClassDays>();
  const add = (key: TenantKey, own: ClassDays): void =>
    void tenants.set(key, { ...tenants.get(key), ...own });
  // Customers first: what is said of one of their members by itself outweighs it.
  for (const one of setting.tenants) {
    const customer = customers.find(({ id: own }) => own === one.customer);
    for (const member of customer?.members ?? []) {
      const { controlPlane } = member;
      add(
        "projectId" in member
          ? projectKey(controlPlane, member.projectId)
          : domainKey(controlPlane, member.domainId),
        toClassDays(one),
      );
    }
  }
  for (const one of setting.tenants) {
    if (one.project !== undefined) add(projectKey(one.control_plane, one.project), toClassDays(one));
    else if (one.domain !== undefined) add(domainKey(one.control_plane, one.domain), toClassDays(one));
  }
  return {
    days: toClassDays(setting),
    tenants,
    ...(setting.set_aside_days === undefined ? {} : { setAsideDays: setting.set_aside_days }),
  };
}

function toClassDays(
  setting: Pick<RetentionSetting, "operational_days" | "security_days" | "billing_days" | "provider_days">,
): ClassDays {
  const given: readonly (readonly [Visibility, number | "forever" | undefined])[] = [
    ["operational", setting.operational_days],
    ["security", setting.security_days],
    ["billing", setting.billing_days],
    ["provider", setting.provider_days],
  ];
  return Object.fromEntries(
    given.flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value === "forever" ? null : value]],
    ),
  );
}
