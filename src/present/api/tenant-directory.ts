import type { Customer } from "../../model/customer.ts";
import type { Instant } from "../../model/instant.ts";
import {
  domainKey,
  exceptKey,
  parseTenantKey,
  projectKey,
  type TenantKey,
  type TenantRef,
} from "../../model/tenant.ts";
import type { KnownTenant, TopologyReader } from "../../store/topology-reader.ts";
import type { CustomerJson, TenantJson } from "./tenancy-contract.ts";

const freshForMs = 5_000;

/** What the configuration says of tenants. */
export interface TenantSettings {
  readonly customers?: readonly Customer[];
  /** The region of each control plane that has one; absent for those of none or several. */
  readonly regions?: ReadonlyMap<string, string>;
}

/** Every tenant known, at one moment, and the customers as they are configured. */
export class TenantList {
  readonly all: readonly KnownTenant[];
  readonly customers: readonly Customer[];
  readonly #byKey: ReadonlyMap<TenantKey, KnownTenant>;
  /** By the key of each domain and project that the configuration names. */
  readonly #customerOf: ReadonlyMap<TenantKey, Customer>;
  readonly #regions: ReadonlyMap<string, string>;
  readonly #projectsOf: ReadonlyMap<TenantKey | undefined, readonly KnownTenant[]>;

  constructor(
    all: readonly KnownTenant[],
    { customers = [], regions = new Map<string, string>() }: TenantSettings = {},
  ) {
    this.all = all;
    this.customers = customers;
    this.#regions = regions;
    this.#byKey = new Map(all.map((tenant) => [tenant.key, tenant]));
    this.#projectsOf = Map.groupBy(
      all.filter(({ projectId }) => projectId !== undefined),
      ({ controlPlane, domainId }) =>
        domainId === undefined ? undefined : domainKey(controlPlane, domainId),
    );
    this.#customerOf = new Map(
      customers.flatMap((customer) => customer.members.map((member) => [memberKey(member), customer])),
    );
  }

  has(key: TenantKey): boolean {
    return this.#byKey.has(key);
  }

  find(key: TenantKey): KnownTenant | undefined {
    return this.#byKey.get(key);
  }

  customer(id: string): Customer | undefined {
    return this.customers.find((customer) => customer.id === id);
  }

  /** The domain's own key and those of its present projects. */
  keysOfDomain(controlPlane: string, domainId: string): readonly TenantKey[] {
    const key = domainKey(controlPlane, domainId);
    return [key, ...(this.#projectsOf.get(key) ?? []).map((tenant) => tenant.key)];
  }

  /**
   * The customer's tenants: its domains with their present projects, but for those that the configuration
   * gives to another customer by name, and its projects. Empty for a customer that is not configured (any more).
   */
  keysOfCustomer(id: string): readonly TenantKey[] {
    const customer = this.customer(id);
    const keys = (customer?.members ?? []).flatMap((member) =>
      "projectId" in member
        ? [projectKey(member.controlPlane, member.projectId)]
        : this.keysOfDomain(member.controlPlane, member.domainId).filter((key) => {
            const named = this.#customerOf.get(key);
            return named === undefined || named === customer;
          }),
    );
    return [...new Set(keys)];
  }

  /**
   * What opens the wall for a customer's principal: a domain's own key, which stands for what was the domain's at the
   * time, without the projects that the configuration gives to another customer by name; and its projects' keys.
   */
  claimOfCustomer(id: string): readonly TenantKey[] {
    const customer = this.customer(id);
    if (customer === undefined) return [];
    const others = [...this.#customerOf].flatMap(([key, other]) =>
      other === customer || !key.startsWith("project/") ? [] : [exceptKey(key)],
    );
    const own = customer.members.map(memberKey);
    return own.some((key) => key.startsWith("domain/")) ? [...own, ...others] : own;
  }

  /** The tenants that these keys of a scope stand for at present. */
  present(keys: readonly TenantKey[]): readonly TenantKey[] {
    const except = new Set(keys);
    const all = keys.flatMap((key) => {
      const { controlPlane, domainId } = parseTenantKey(key);
      return key.startsWith("domain/") ? this.keysOfDomain(controlPlane, domainId ?? "") : [key];
    });
    return [...new Set(all)].filter((key) => !key.startsWith("!") && !except.has(exceptKey(key)));
  }

  /** The customer that names the project, or else its domain: the one of the reference, as the tenant's wall has it. */
  customerOf(tenant: TenantRef): Customer | undefined {
    const { controlPlane, projectId } = tenant;
    const project = projectId === undefined ? undefined : projectKey(controlPlane, projectId);
    const named = project === undefined ? undefined : this.#customerOf.get(project);
    if (named !== undefined) return named;
    const known = project === undefined ? undefined : this.#byKey.get(project)?.domainId;
    const domainId = tenant.domainId ?? known;
    return domainId === undefined ? undefined : this.#customerOf.get(domainKey(controlPlane, domainId));
  }

  regionOf({ key, controlPlane, domainId }: KnownTenant): string | undefined {
    const own = this.#byKey.get(key)?.regionId;
    const domain =
      domainId === undefined ? undefined : this.#byKey.get(domainKey(controlPlane, domainId))?.regionId;
    return own ?? domain ?? this.#regions.get(controlPlane);
  }

  domainName(controlPlane: string, domainId: string): string | undefined {
    return this.#byKey.get(domainKey(controlPlane, domainId))?.name;
  }

  projectName(controlPlane: string, projectId: string): string | undefined {
    return this.#byKey.get(projectKey(controlPlane, projectId))?.name;
  }

  /** The reference with the domain that the project is part of at present, where it names none. */
  inDomain(tenant: TenantRef): TenantRef {
    const { controlPlane, domainId, projectId } = tenant;
    if (domainId !== undefined || projectId === undefined) return tenant;
    const known = this.#byKey.get(projectKey(controlPlane, projectId))?.domainId;
    return known === undefined ? tenant : { ...tenant, domainId: known };
  }

  /** The reference with the names that are known; without its customer, which is the provider's knowledge. */
  toJson(tenant: TenantRef): TenantJson {
    const { controlPlane, domainId, projectId } = tenant;
    const project =
      projectId === undefined ? undefined : this.#byKey.get(projectKey(controlPlane, projectId));
    // Another domain's name would else stand beside the id of a domain that the project has left.
    const isThere = domainId === undefined || project?.domainId === domainId;
    return {
      control_plane: controlPlane,
      domain_id: domainId,
      project_id: projectId,
      domain_name:
        (domainId === undefined ? undefined : this.domainName(controlPlane, domainId)) ??
        (isThere ? project?.domainName : undefined),
      project_name: project?.name,
    };
  }

  /**
   * The reference as a tenant is told of what was its own: without names where the project has left that domain since,
   * for what it is called now is its new domain's to know, and what the domain is called no longer the project's.
   */
  toTenantJson(tenant: TenantRef): TenantJson {
    const { controlPlane, domainId, projectId } = tenant;
    const now = projectId === undefined ? undefined : this.#byKey.get(projectKey(controlPlane, projectId));
    const isThere = domainId === undefined || now?.domainId === undefined || now.domainId === domainId;
    if (isThere) return this.toJson(tenant);
    return { control_plane: controlPlane, domain_id: domainId, project_id: projectId };
  }

  /** The reference as the provider sees it: also whose customer's it is. */
  toProviderJson(tenant: TenantRef): TenantJson {
    const customer = this.customerOf(tenant);
    return { ...this.toJson(tenant), ...(customer === undefined ? {} : toCustomerJson(customer)) };
  }
}

export function toCustomerJson({ id, name }: Customer): CustomerJson {
  return { customer_id: id, customer_name: name };
}

function memberKey(member: Customer["members"][number]): TenantKey {
  return "projectId" in member
    ? projectKey(member.controlPlane, member.projectId)
    : domainKey(member.controlPlane, member.domainId);
}

/** Reads the tenants once for all requests of a few seconds. */
export class TenantDirectory {
  readonly #topology: Pick<TopologyReader, "tenants">;
  readonly #clock: () => Instant;
  readonly #settings: TenantSettings;
  #list: Promise<TenantList> | undefined;
  #readAt = 0;

  constructor(
    topology: Pick<TopologyReader, "tenants">,
    clock: () => Instant,
    settings: TenantSettings = {},
  ) {
    this.#topology = topology;
    this.#clock = clock;
    this.#settings = settings;
  }

  list(): Promise<TenantList> {
    const now = this.#clock();
    if (this.#list === undefined || Math.abs(now - this.#readAt) >= freshForMs) {
      this.#readAt = now;
      const list = this.#topology.tenants().then((tenants) => new TenantList(tenants, this.#settings));
      this.#list = list;
      // A failed read must not be remembered, or an outage of a moment would last for the whole span.
      list.catch(() => {
        if (this.#list === list) this.#list = undefined;
      });
    }
    return this.#list;
  }
}
