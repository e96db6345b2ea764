import { severities } from "../../model/event.ts";
import { entityKey, type EntityRef } from "../../model/entity.ts";
import { parseTenantKey, type TenantKey } from "../../model/tenant.ts";
import type { EventFilter } from "../event-reader.ts";
import { concernsDomain, concernsProject } from "./event-row.ts";
import { iso } from "./event-writes.ts";

/** The parameters of one statement: `add` gives the placeholder of a value. */
export class Parameters {
  readonly values: unknown[] = [];

  add(value: unknown, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}

export type Audience = "provider" | "tenant";

/**
 * The filter as conditions over the columns that `event` and `tenant_event` share, values always as parameters.
 * `holdingText` are the ids of all that holds the filter's text, where they are known.
 */
export function conditionsOf(
  filter: EventFilter,
  audience: Audience,
  parameters: Parameters,
  holdingText?: readonly string[],
): string[] {
  const conditions: string[] = [];
  const add = (condition: string): void => void conditions.push(condition);
  if (filter.from !== undefined) add(`occurred_at >= ${parameters.add(iso(filter.from), "timestamptz")}`);
  if (filter.to !== undefined) add(`occurred_at < ${parameters.add(iso(filter.to), "timestamptz")}`);
  if (filter.kinds !== undefined) add(`kind = ANY(${parameters.add(filter.kinds, "text[]")})`);
  if (filter.categories !== undefined) add(`category = ANY(${parameters.add(filter.categories, "text[]")})`);
  if (filter.phases !== undefined) add(`phase = ANY(${parameters.add(filter.phases, "text[]")})`);
  if (filter.severity !== undefined) {
    add(`severity >= ${parameters.add(severities.indexOf(filter.severity), "smallint")}`);
  }
  if (filter.resource !== undefined) add(resourceCondition(filter, filter.resource, audience, parameters));
  if (filter.text !== undefined && filter.text !== "") {
    // strpos() knows no patterns: what is looked for is found literally.
    add(`strpos(search, ${parameters.add(filter.text.toLowerCase(), "text")}) > 0`);
  }
  if (holdingText !== undefined) add(`id = ANY(${parameters.add(holdingText, "text[]")})`);
  if (filter.types !== undefined) add(typeCondition(filter.types, parameters));
  if (audience === "provider") addForProvider(filter, parameters, add);
  else addForTenant(filter, parameters, add);
  return conditions;
}

/** What mentions the resource, and the folds of storms that it was in, which name but a few of their subjects. */
function resourceCondition(
  { from, to }: EventFilter,
  resource: EntityRef,
  audience: Audience,
  parameters: Parameters,
): string {
  const key = parameters.add(entityKey(resource), "text");
  const [fold, table] =
    audience === "provider" ? ["fold_id", "storm_member"] : ["event_id", "storm_member_edition"];
  const within = [`subject_key = ${key}`];
  if (from !== undefined) within.push(`occurred_at >= ${parameters.add(iso(from), "timestamptz")}`);
  if (to !== undefined)
    within.push(`occurred_at < ${parameters.add(iso(to), "timestamptz")} + interval '1 minute'`);
  return `(mentions @> ARRAY[${key}]
           OR id = ANY (ARRAY(SELECT ${fold} FROM isochron.${table} WHERE ${within.join(" AND ")})))`;
}

function typeCondition(types: readonly string[], parameters: Parameters): string {
  const exact = types.filter((type) => !type.endsWith("*"));
  const prefixes = types.filter((type) => type.endsWith("*")).map((type) => type.slice(0, -1));
  const alternatives = prefixes.map((prefix) => `starts_with(type, ${parameters.add(prefix, "text")})`);
  if (exact.length > 0) alternatives.push(`type = ANY(${parameters.add(exact, "text[]")})`);
  return alternatives.length === 0 ? "false" : `(${alternatives.join(" OR ")})`;
}

function addForProvider(filter: EventFilter, parameters: Parameters, add: (condition: string) => void): void {
  if (filter.connections !== undefined)
    add(`connection = ANY(${parameters.add(filter.connections, "text[]")})`);
  if (filter.attribution !== undefined) {
    add(`attribution_status = ANY(${parameters.add(filter.attribution, "text[]")})`);
  }
  if (filter.projectId !== undefined) {
    add(`mentions @> ARRAY[${parameters.add(concernsProject(filter.projectId), "text")}]`);
  }
  if (filter.domainId !== undefined) {
    add(`mentions @> ARRAY[${parameters.add(concernsDomain(filter.domainId), "text")}]`);
  }
  if (filter.customer !== undefined) add(customerCondition(filter.customer.keys, parameters));
}

/** What concerns a project of the customer, or one of its domains by other projects than those that are taken out. */
function customerCondition(keys: readonly TenantKey[], parameters: Parameters): string {
  const except = new Set(keys.filter((key) => key.startsWith("!")).map((key) => key.slice(1)));
  const tenants = keys.filter((key) => !key.startsWith("!")).map(parseTenantKey);
  const planes = [...new Set(tenants.map(({ controlPlane }) => controlPlane))];
  const alternatives = planes.map((plane) => {
    const own = tenants.filter(({ controlPlane }) => controlPlane === plane);
    const projects = own.flatMap(({ projectId }) => projectId ?? []);
    const domains = own.flatMap(({ domainId }) => domainId ?? []);
    const others = [...except].flatMap((key) => {
      const { controlPlane, projectId } = parseTenantKey(key as TenantKey);
      return controlPlane === plane ? (projectId ?? []) : [];
    });
    const ofProject = `mentions && ${parameters.add(projects.map(concernsProject), "text[]")}`;
    const ofDomain = [`mentions && ${parameters.add(domains.map(concernsDomain), "text[]")}`];
    if (others.length > 0)
      ofDomain.push(restOfDomain(parameters.add(domains, "text[]"), parameters.add(others, "text[]")));
    return `(control_plane = ${parameters.add(plane, "text")} AND (${ofProject} OR (${ofDomain.join(" AND ")})))`;
  });
  return alternatives.length === 0 ? "false" : `(${alternatives.join(" OR ")})`;
}

/** The owner, or one of those affected, is of these domains and is none of the projects that are taken out. */
function restOfDomain(domains: string, others: string): string {
  const tenants = `CASE attribution_status
      WHEN 'owned' THEN jsonb_build_array(attribution -> 'tenant')
      WHEN 'shared' THEN jsonb_path_query_array(attribution, '$.affected[*].tenant')
      ELSE jsonb_build_array(attribution -> 'own') END`;
  return `EXISTS (SELECT FROM jsonb_array_elements(${tenants}) AS tenant
                   WHERE tenant ->> 'domainId' = ANY(${domains})
                     AND (tenant ->> 'projectId' = ANY(${others})) IS NOT TRUE)`;
}

/** A tenant knows of no connections, and of two answers only: it owns an event, or a shared one touches it. */
function addForTenant(filter: EventFilter, parameters: Parameters, add: (condition: string) => void): void {
  if (filter.connections !== undefined || filter.customer !== undefined) add("false");
  if (filter.attribution !== undefined) {
    const notices = [
      ...(filter.attribution.includes("owned") ? [false] : []),
      ...(filter.attribution.includes("shared") ? [true] : []),
    ];
    add(`notice = ANY(${parameters.add(notices, "boolean[]")})`);
  }
  if (filter.projectId !== undefined) add(`project_id = ${parameters.add(filter.projectId, "text")}`);
  if (filter.domainId !== undefined) add(`domain_id = ${parameters.add(filter.domainId, "text")}`);
}
