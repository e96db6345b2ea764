import type { Instant } from "../../model/instant.ts";
import { domainKey, projectKey, type TenantKey, type TenantRef } from "../../model/tenant.ts";
import type { KnownTenant, TopologyReader } from "../../store/topology-reader.ts";
import type { TenantJson } from "./contract.ts";

const freshForMs = 5_000;

/** Every tenant known, at one moment. */
export class TenantList {
  readonly all: readonly KnownTenant[];
  readonly #byKey: ReadonlyMap<TenantKey, KnownTenant>;

  constructor(all: readonly KnownTenant[]) {
    this.all = all;
    this.#byKey = new Map(all.map((tenant) => [tenant.key, tenant]));
  }

  has(key: TenantKey): boolean {
    return this.#byKey.has(key);
  }

  /** The domain's own key and those of its projects: what a domain's principal may see. */
  keysOfDomain(controlPlane: string, domainId: string): readonly TenantKey[] {
    const projects = this.all.filter(
      (tenant) =>
        tenant.controlPlane === controlPlane &&
        tenant.domainId === domainId &&
        tenant.projectId !== undefined,
    );
    return [domainKey(controlPlane, domainId), ...projects.map((tenant) => tenant.key)];
  }

  domainName(controlPlane: string, domainId: string): string | undefined {
    return this.#byKey.get(domainKey(controlPlane, domainId))?.name;
  }

  projectName(controlPlane: string, projectId: string): string | undefined {
    return this.#byKey.get(projectKey(controlPlane, projectId))?.name;
  }

  /** The reference with the names that are known. */
  toJson(tenant: TenantRef): TenantJson {
    const { controlPlane, domainId, projectId } = tenant;
    const project =
      projectId === undefined ? undefined : this.#byKey.get(projectKey(controlPlane, projectId));
    return {
      control_plane: controlPlane,
      domain_id: domainId,
      project_id: projectId,
      domain_name:
        (domainId === undefined ? undefined : this.domainName(controlPlane, domainId)) ?? project?.domainName,
      project_name: project?.name,
    };
  }
}

/** Reads the tenants once for all requests of a few seconds. */
export class TenantDirectory {
  readonly #topology: Pick<TopologyReader, "tenants">;
  readonly #clock: () => Instant;
  #list: Promise<TenantList> | undefined;
  #readAt = 0;

  constructor(topology: Pick<TopologyReader, "tenants">, clock: () => Instant) {
    this.#topology = topology;
    this.#clock = clock;
  }

  list(): Promise<TenantList> {
    const now = this.#clock();
    if (this.#list === undefined || Math.abs(now - this.#readAt) >= freshForMs) {
      this.#readAt = now;
      const list = this.#topology.tenants().then((tenants) => new TenantList(tenants));
      this.#list = list;
      // A failed read must not be remembered, or an outage of a moment would last for the whole span.
      list.catch(() => {
        if (this.#list === list) this.#list = undefined;
      });
    }
    return this.#list;
  }
}
