import type { Grant } from "../../model/identity.ts";
import type { ProviderRole, TenantRole } from "../../model/role.ts";
import type { RoleAssignment, TokenAnswer } from "./keystone-answers.ts";
import type { KeystoneSettings } from "./keystone-settings.ts";

type Roles = Pick<
  KeystoneSettings,
  "controlPlane" | "projectRoles" | "domainRoles" | "providerRoles" | "providerProjects" | "providerDomains"
>;

/** Where the first stands in the list that somebody has, since Keystone's `member` implies its `reader`. */
const providerRoleOrder: readonly ProviderRole[] = ["admin", "operator", "auditor"];
const tenantRoleOrder: readonly TenantRole[] = ["admin", "reader"];

/** A place where somebody has roles. */
type Place =
  | { readonly kind: "project"; readonly id: string }
  | { readonly kind: "domain"; readonly id: string }
  | { readonly kind: "system" };

/** What a token grants that was issued for one scope; undefined for one without. */
export function grantsOfToken(token: TokenAnswer, settings: Roles): readonly Grant[] | undefined {
  const { project, domain, system, roles = [] } = token;
  const place: Place | undefined =
    project !== undefined
      ? { kind: "project", id: project.id }
      : domain !== undefined
        ? { kind: "domain", id: domain.id }
        : system !== undefined
          ? { kind: "system" }
          : undefined;
  if (place === undefined) return undefined;
  return merge(grantsAt(place, globalNames(roles), settings));
}

/** What effective role assignments grant, each place once. */
export function grantsOfAssignments(
  assignments: readonly RoleAssignment[],
  settings: Roles,
): readonly Grant[] {
  const places = new Map<string, { readonly place: Place; readonly roles: RoleAssignment["role"][] }>();
  for (const assignment of assignments) {
    const place = placeOf(assignment);
    if (place === undefined) continue;
    const key = place.kind === "system" ? place.kind : `${place.kind}/${place.id}`;
    const known = places.get(key) ?? { place, roles: [] };
    known.roles.push(assignment.role);
    places.set(key, known);
  }
  return merge(
    [...places.values()].flatMap(({ place, roles }) => grantsAt(place, globalNames(roles), settings)),
  );
}

/** A domain's role that is inherited by its projects is none on the domain itself. */
export function placeOf({ scope }: RoleAssignment): Place | undefined {
  const { project, domain, system } = scope;
  if (project !== undefined) return { kind: "project", id: project.id };
  if (scope["OS-INHERIT:inherited_to"] !== undefined) return undefined;
  if (domain !== undefined) return { kind: "domain", id: domain.id };
  return system === undefined ? undefined : { kind: "system" };
}

function grantsAt(place: Place, names: ReadonlySet<string>, settings: Roles): readonly Grant[] {
  const { controlPlane, projectRoles, domainRoles, providerRoles } = settings;
  const provider = first(providerRoleOrder, names, providerRoles);
  const atProvider: readonly Grant[] = provider === undefined ? [] : [{ kind: "provider", role: provider }];
  if (place.kind === "system") return atProvider;
  if (place.kind === "project") {
    const role = first(tenantRoleOrder, names, projectRoles);
    return [
      ...(role === undefined ? [] : [{ kind: "project", controlPlane, projectId: place.id, role } as const]),
      ...(settings.providerProjects.has(place.id) ? atProvider : []),
    ];
  }
  const role = first(tenantRoleOrder, names, domainRoles);
  return [
    ...(role === undefined ? [] : [{ kind: "domain", controlPlane, domainId: place.id, role } as const]),
    ...(settings.providerDomains.has(place.id) ? atProvider : []),
  ];
}

/** Roles of a domain's own making may be called `admin` by anybody who runs a domain. */
function globalNames(roles: readonly RoleAssignment["role"][]): ReadonlySet<string> {
  return new Set(
    roles.filter(({ domain }) => domain === undefined || domain === null).map(({ name }) => name),
  );
}

function first<Role>(
  order: readonly Role[],
  names: ReadonlySet<string>,
  mapping: ReadonlyMap<string, Role>,
): Role | undefined {
  const had = new Set([...names].map((name) => mapping.get(name)));
  return order.find((role) => had.has(role));
}

/** At the provider somebody is one thing, the greatest of what was found. */
function merge(grants: readonly Grant[]): readonly Grant[] {
  const roles = new Set(grants.flatMap((grant) => (grant.kind === "provider" ? [grant.role] : [])));
  const role = providerRoleOrder.find((one) => roles.has(one));
  const others = grants.filter(({ kind }) => kind !== "provider");
  return role === undefined ? others : [{ kind: "provider", role }, ...others];
}
