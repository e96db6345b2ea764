import type { EntityRef } from "../../src/model/entity.ts";

/** What exists from the beginning on every plane: two or three domains with projects of the same names, and their people. */

export const providerDomain = "domain-ops";
export const staffProject = "project-staff";
export const staffUser = "user-staff";

export interface Person {
  readonly id: string;
  readonly home: string;
}

export interface Estate {
  readonly plane: string;
  /** Project id → domain id. The same ids on both planes, in different domains. */
  readonly domains: ReadonlyMap<string, string>;
  readonly tenants: readonly string[];
  readonly people: readonly Person[];
}

export function ref(kind: string, id: string): EntityRef {
  return { kind, id };
}

/** Two projects in each domain; `turn` moves them to other domains, so that an id alone does not tell whose it is. */
export function makeEstate(plane: string, domainCount: number, turn: number): Estate {
  const tenants = Array.from({ length: domainCount * 2 }, (_, n) => `project-${n}`);
  const domains = new Map(tenants.map((id, n) => [id, `domain-${(Math.floor(n / 2) + turn) % domainCount}`]));
  domains.set(staffProject, providerDomain);
  const people = tenants.flatMap((home, n) => [
    { id: `user-${n}`, home },
    { id: `deputy-${n}`, home },
  ]);
  return { plane, domains, tenants, people };
}

/** Projects bear one of two names, the same in every domain. */
export function nameOfProject(id: string): string {
  return Number(id.split("-")[1]) % 2 === 0 ? "prod" : "test";
}
