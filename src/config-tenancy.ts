import { z } from "zod";
import type { ConfigProblem } from "./config-file.ts";
import type { Customer, CustomerMember } from "./model/customer.ts";
import type { JsonObject } from "./model/json.ts";

const memberForm = "control_plane with either domain or project";
const tenantId = (what: string) =>
  z
    .string({ error: `the id of a ${what}` })
    .regex(/^[A-Za-z0-9_-]{1,64}$/, {
      error: `the id of a ${what}, never its name: 1 to 64 letters, digits, _ and -`,
    })
    .optional();

const memberSchema = z.strictObject(
  {
    control_plane: z
      .string({ error: "a name such as region-1" })
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, { error: "1 to 63 letters, digits and . _ -" })
      .default("default"),
    domain: tenantId("domain"),
    project: tenantId("project"),
  },
  { error: memberForm },
);

const customerSchema = z.strictObject(
  {
    id: z
      .string({ error: "a short name that never changes, such as acme" })
      .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, { error: "1 to 63 small letters, digits and . _ -" }),
    name: z
      .string({ error: "the name that people read" })
      .min(1, { error: "the name that people read" })
      .max(100, { error: "a name of at most 100 characters" })
      .regex(/^[^\p{Cc}\p{Cf}\p{Cs}]*$/u, { error: "a name without control characters" }),
    members: z
      .array(memberSchema, { error: `a list of ${memberForm}` })
      .min(1, { error: `at least one member: ${memberForm}` }),
  },
  { error: "id, name and members" },
);

export const customersSchema = z.array(customerSchema, { error: "a list of customers" });

/** A customer as the file gives it. */
export type CustomerSetting = z.infer<typeof customerSchema>;

/** Settings of one customer, for the documentation and for messages. */
export const customerSettings = [
  { name: "id", fallback: "required", meaning: "Names the customer in tokens, filters and links; for ever." },
  {
    name: "name",
    fallback: "required",
    meaning: "What people read. The provider's, and the customer's own.",
  },
  {
    name: "members",
    fallback: "required",
    meaning: "The domains and projects that make it up; at least one.",
  },
  {
    name: "members[].control_plane",
    fallback: "`default`",
    meaning: "Cloud that the member's id belongs to.",
  },
  {
    name: "members[].domain",
    fallback: "none",
    meaning:
      "Id of a domain: it and its projects, also those that join later, but for projects that another customer lists.",
  },
  { name: "members[].project", fallback: "none", meaning: "Id of a project, in place of `domain`." },
] as const;

/** What no single customer can be checked for: ids, and a tenant that is there twice. All of it is told at once. */
export function customerProblems(
  customers: readonly CustomerSetting[],
  where: (...path: (string | number)[]) => string,
): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const ids = new Set<string>();
  const taken = new Map<string, string>();
  for (const [index, { id, members }] of customers.entries()) {
    if (ids.has(id)) {
      problems.push({
        where: where(index, "id"),
        what: `"${id}" is there twice`,
        write: "an id of its own for each",
      });
    }
    ids.add(id);
    for (const [place, member] of members.entries()) {
      const at = where(index, "members", place);
      if ((member.domain === undefined) === (member.project === undefined)) {
        const what = member.domain === undefined ? "names no tenant" : "names both a domain and a project";
        problems.push({ where: at, what, write: memberForm });
        continue;
      }
      const kind = member.domain === undefined ? "project" : "domain";
      const tenant = `${kind} ${member.domain ?? member.project} of ${member.control_plane}`;
      const owner = taken.get(tenant);
      if (owner !== undefined) {
        const what = owner === id ? `lists ${tenant} twice` : `lists ${tenant}, which is ${owner}'s`;
        problems.push({ where: at, what, write: "each domain and each project once, for one customer" });
      }
      taken.set(tenant, owner ?? id);
    }
  }
  return problems;
}

export function toCustomer({ id, name, members }: CustomerSetting): Customer {
  return { id, name, members: members.flatMap(toMember) };
}

function toMember(member: CustomerSetting["members"][number]): readonly CustomerMember[] {
  const { control_plane: controlPlane, domain, project } = member;
  if (project !== undefined) return [{ controlPlane, projectId: project }];
  return domain === undefined ? [] : [{ controlPlane, domainId: domain }];
}

/** The one region that the connections of a control plane name; with several, one Keystone serves them together. */
export function regionsOf(
  connections: readonly { readonly controlPlane: string; readonly config: JsonObject }[],
): ReadonlyMap<string, string> {
  const named = new Map<string, Set<string>>();
  for (const { controlPlane, config } of connections) {
    const { region } = config;
    if (typeof region === "string")
      named.set(controlPlane, (named.get(controlPlane) ?? new Set()).add(region));
  }
  return new Map(
    [...named].flatMap(([plane, [region = "", ...others]]) => (others.length > 0 ? [] : [[plane, region]])),
  );
}
