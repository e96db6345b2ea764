import type pg from "pg";
import type { Scope } from "../../model/scope.ts";
import type { VisibleEvent } from "../event-reader.ts";
import { presentClaim } from "./claim.ts";
import { toStoredEvent, toTenantEvent, type EditionRow, type EventRow } from "./event-row.ts";
import type { Audience, Parameters } from "./filter.ts";
import { eventSelect, editionSelect } from "./event-writes.ts";
import type { Pools } from "./pools.ts";

/** The one table that a scope reads, and how it is asked. */
export interface View {
  readonly audience: Audience;
  /** Whose retractions there are to see: the keys of the scope, or the provider's. */
  readonly readers: readonly string[];
  /** Which retractions are of a class that the scope could see. */
  retracted(parameters: Parameters): string;
  /** Which rows of a table of editions are in scope; of the provider's tables, which are of a class in scope. */
  own(parameters: Parameters): string;
  readonly columns: string;
  /** The function that finds text among what is in view by an index. */
  readonly finder?: "search_events";
  /** SELECT … with ORDER BY and LIMIT, which for a tenant hold for each of its keys and then for all together. */
  select(columns: string, conditions: readonly string[], parameters: Parameters, tail: string): string;
  /** SELECT …, count(*) … GROUP BY. */
  count(columns: string, conditions: readonly string[], parameters: Parameters, groups: string): string;
}

/** Whether a few of many rows are read by their time, so that an index is better walked until there are enough. */
export type Order = "any" | "newest-first";

/**
 * The tenants' policy says in two ways whose a row may be, from which the planner concludes that a tenant has hardly any:
 * it would collect and sort all editions of a month to give the last of them.
 */
const settings: Record<Order, Readonly<Record<string, string>>> = {
  any: {},
  "newest-first": { enable_bitmapscan: "off" },
};

/**
 * Reads in one transaction on the scope's own login, a tenant's with its signed claim; a tenant's scope
 * without keys gives `empty` and asks nothing.
 */
export async function openView<T>(
  pools: Pools,
  claimKey: Uint8Array,
  scope: Scope,
  empty: T,
  read: (client: pg.ClientBase, view: View) => Promise<T>,
  order: Order = "any",
): Promise<T> {
  if (scope.kind === "provider") {
    const view = scope.security === "withheld" ? operatorView : providerView;
    return pools.transact(poolOf(scope), "read", (client) => read(client, view));
  }
  const { keys } = scope;
  if (keys.length === 0) return empty;
  const sensitive = (scope.sensitiveKeys ?? []).filter((key) => keys.includes(key));
  return pools.transact("tenant", "read", async (client) => {
    await presentClaim(client, claimKey, { keys, sensitive }, settings[order]);
    return read(client, tenantView(keys, sensitive));
  });
}

/** The login that sees of the provider's tables what the scope does. */
export function poolOf(scope: Extract<Scope, { kind: "provider" }>): "provider" | "operator" {
  return scope.security === "withheld" ? "operator" : "provider";
}

const providerView = viewOfEvents([]);
const operatorView = viewOfEvents(["visibility IN ('operational', 'billing', 'provider')"]);

/** The classes stand in the statement too, as a second lock on the same door. */
function viewOfEvents(classes: readonly string[]): View {
  return {
    audience: "provider",
    readers: ["provider"],
    retracted: () => classes[0] ?? "true",
    own: () => classes[0] ?? "true",
    columns: `${eventSelect}, recorded_at`,
    finder: "search_events",
    select: (columns, conditions, _parameters, tail) =>
      `SELECT ${columns} FROM isochron.event ${where([...classes, ...conditions])} ${tail}`,
    count: (columns, conditions, _parameters, groups) =>
      `SELECT ${columns}, count(*) AS count FROM isochron.event ${where([...classes, ...conditions])} GROUP BY ${groups}`,
  };
}

/** What of a tenant's is open: of the class security only where one of `columns` holds a key of the administrator's. */
function openClasses(
  sensitive: readonly string[],
  columns: readonly string[],
  parameters: Parameters,
): string {
  const open = "visibility IN ('operational', 'billing')";
  if (sensitive.length === 0) return open;
  const keys = parameters.add(sensitive, "text[]");
  const theirs = columns.map((column) => `${column} = ANY(${keys})`).join(" OR ");
  return `(${open} OR (visibility = 'security' AND (${theirs})))`;
}

/** The keys stand in the statement too: for the index, and as a second lock on the same door. */
function tenantView(keys: readonly string[], sensitive: readonly string[]): View {
  const except = keys.filter((key) => key.startsWith("!")).map((key) => key.slice(1));
  const domains = keys.filter((key) => key.startsWith("domain/"));
  const projects = keys.filter((key) => key.startsWith("project/"));
  // Of a project and its domain in one scope, the domain's branch gives the rows that both would.
  const ofProjects = (parameters: Parameters): string[] =>
    domains.length === 0 ? [] : [`domain_key = ANY(${parameters.add(domains, "text[]")}) IS NOT TRUE`];
  const ofDomains = (parameters: Parameters): string[] =>
    except.length === 0 ? [] : [`tenant_key <> ALL(${parameters.add(except, "text[]")})`];
  const classes = (parameters: Parameters): string =>
    openClasses(sensitive, ["tenant_key", "domain_key"], parameters);
  const own = (parameters: Parameters): string => {
    const ways = [
      ...(projects.length === 0 ? [] : [`tenant_key = ANY(${parameters.add(projects, "text[]")})`]),
      ...(domains.length === 0
        ? []
        : [
            [`domain_key = ANY(${parameters.add(domains, "text[]")})`, ...ofDomains(parameters)].join(
              " AND ",
            ),
          ]),
    ];
    return ways.length === 0 ? "false" : `(${ways.join(" OR ")}) AND ${classes(parameters)}`;
  };
  return {
    audience: "tenant",
    readers: [...projects, ...domains],
    retracted: (parameters) => openClasses(sensitive, ["reader_key"], parameters),
    own,
    columns: `${editionSelect}, recorded_at`,
    select: (columns, narrower, parameters, tail) => {
      const conditions = [classes(parameters), ...narrower];
      const branch = (of: readonly string[], column: string, more: readonly string[]): string =>
        `SELECT own.* FROM unnest(${parameters.add(of, "text[]")}) AS key CROSS JOIN LATERAL (
           SELECT ${columns} FROM isochron.tenant_event ${where([`${column} = key`, ...more, ...conditions])} ${tail}) AS own`;
      const branches = [
        ...(projects.length === 0 ? [] : [branch(projects, "tenant_key", ofProjects(parameters))]),
        ...(domains.length === 0 ? [] : [branch(domains, "domain_key", ofDomains(parameters))]),
      ];
      // A scope of exceptions alone sees nothing.
      if (branches.length === 0) return `SELECT ${columns} FROM isochron.tenant_event WHERE false ${tail}`;
      return `SELECT * FROM (${branches.join(" UNION ALL ")}) AS own ${tail}`;
    },
    count: (columns, conditions, parameters, groups) =>
      `SELECT ${columns}, count(*) AS count FROM isochron.tenant_event ${where([own(parameters), ...conditions])} GROUP BY ${groups}`,
  };
}

function where(conditions: readonly string[]): string {
  return conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
}

/** A row as whoever looks through the view may see it. */
export function toVisible(view: View, row: EventRow | EditionRow): VisibleEvent {
  return view.audience === "provider"
    ? { audience: "provider", event: toStoredEvent(row as EventRow & { recorded_at: number }) }
    : { audience: "tenant", event: toTenantEvent(row as EditionRow & { recorded_at: number }) };
}
