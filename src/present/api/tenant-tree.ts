import type { Customer } from "../../model/customer.ts";
import type { Scope } from "../../model/scope.ts";
import { domainKey, parseTenantKey, type TenantKey } from "../../model/tenant.ts";
import type { KnownTenant } from "../../store/topology-reader.ts";
import type { CustomerJson, TenantJson, TenantTreeJson } from "./tenancy-contract.ts";
import { toCustomerJson, type TenantList } from "./tenant-directory.ts";

/** What one scope may know of the tenants: the provider all, a tenant its own keys and nothing beside them. */
export class TenantSight {
  readonly #tenants: TenantList;
  readonly #keys: ReadonlySet<TenantKey> | undefined;
  readonly #customers: ReadonlySet<Customer>;

  constructor(tenants: TenantList, scope: Scope) {
    const keys = scope.kind === "tenant" ? new Set(tenants.present(scope.keys)) : undefined;
    this.#tenants = tenants;
    this.#keys = keys;
    this.#customers = new Set(keys === undefined ? tenants.customers : ownCustomer(tenants, [...keys]));
  }

  sees(key: TenantKey): boolean {
    return this.#keys === undefined || this.#keys.has(key);
  }

  customersSeen(): readonly Customer[] {
    return [...this.#customers].toSorted((left, right) => compare(left.name, right.name, left.id, right.id));
  }

  /** The customer of a tenant, or nothing where the scope may not know it. */
  customerOf(tenant: KnownTenant): Partial<CustomerJson> {
    const customer = this.#tenants.customerOf(tenant);
    return customer === undefined || !this.#customers.has(customer) ? {} : toCustomerJson(customer);
  }

  /** The tenants in scope with their names. */
  list(): readonly TenantJson[] {
    return this.#tenants.all
      .filter(({ key }) => this.sees(key))
      .map((tenant) => ({ ...this.#tenants.toJson(tenant), ...this.customerOf(tenant) }))
      .toSorted((left, right) => (spell(left) < spell(right) ? -1 : 1));
  }

  /** The tenants in scope as a tree. */
  tree(): TenantTreeJson {
    const seen = this.#tenants.all.filter(({ key }) => this.sees(key));
    return {
      control_planes: group(seen, ({ controlPlane }) => controlPlane).map(([plane, ofPlane]) => ({
        control_plane: plane,
        regions: group(ofPlane, (tenant) => this.#tenants.regionOf(tenant) ?? null).map(
          ([region, ofRegion]) => ({
            region_id: region,
            domains: group(ofRegion, ({ domainId = null }) => domainId)
              .map(([domainId, ofDomain]) => this.#domain(plane, domainId, ofDomain))
              .toSorted((left, right) =>
                compare(left.domain_name, right.domain_name, left.domain_id, right.domain_id),
              ),
          }),
        ),
      })),
      customers: this.customersSeen().map((customer) => ({
        ...toCustomerJson(customer),
        tenants: this.#tenants
          .keysOfCustomer(customer.id)
          .filter((key) => this.sees(key))
          .map((key) => this.#tenants.toJson(this.#tenants.find(key) ?? parseTenantKey(key))),
      })),
    };
  }

  #domain(
    controlPlane: string,
    domainId: string | null,
    tenants: readonly KnownTenant[],
  ): TenantTreeJson["control_planes"][number]["regions"][number]["domains"][number] {
    const domain = domainId === null ? undefined : this.#tenants.find(domainKey(controlPlane, domainId));
    const name = domain?.name ?? tenants[0]?.domainName;
    const whole = domainId !== null && this.sees(domainKey(controlPlane, domainId));
    return {
      domain_id: domainId,
      ...(name === undefined ? {} : { domain_name: name }),
      whole,
      ...(domain === undefined || !whole ? {} : this.customerOf(domain)),
      projects: tenants
        .flatMap((tenant) => {
          const { projectId, name: project } = tenant;
          if (projectId === undefined) return [];
          const named = project === undefined ? {} : { project_name: project };
          return [{ project_id: projectId, ...named, ...this.customerOf(tenant) }];
        })
        .toSorted((left, right) =>
          compare(left.project_name, right.project_name, left.project_id, right.project_id),
        ),
    };
  }
}

/**
 * The customer whose all the keys are. Where they are of several, none is told: whoever holds them must not learn
 * that the provider counts some of its projects to another contract.
 */
function ownCustomer(tenants: TenantList, keys: readonly TenantKey[]): readonly Customer[] {
  const [first, ...others] = new Set(keys.map((key) => tenants.customerOf(parseTenantKey(key))));
  return first === undefined || others.length > 0 ? [] : [first];
}

/** The items by what `keyOf` gives, in the order of the keys; what has none comes last. */
function group<Item, Key extends string | null>(
  items: readonly Item[],
  keyOf: (item: Item) => Key,
): readonly (readonly [Key, readonly Item[]])[] {
  const groups = new Map<Key, Item[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups].toSorted(([left], [right]) => compare(undefined, undefined, left, right));
}

/** By name, then by id; what has no name stands among the names with its id. */
function compare(
  leftName: string | undefined,
  rightName: string | undefined,
  leftId: string | null,
  rightId: string | null,
): number {
  if (leftId === null || rightId === null) return Number(leftId === null) - Number(rightId === null);
  const [left, right] = [
    [leftName ?? leftId, leftId],
    [rightName ?? rightId, rightId],
  ].map((words) => words.join("\n"));
  return left === right ? 0 : left! < right! ? -1 : 1;
}

function spell(tenant: TenantJson): string {
  const {
    control_plane: controlPlane,
    domain_name: domain,
    domain_id,
    project_name: project,
    project_id,
  } = tenant;
  return [controlPlane, domain ?? domain_id ?? "", project ?? "", project_id ?? ""].join("\n");
}
