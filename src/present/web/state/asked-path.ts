import type { TimeRange } from "../timeline/time-scale.ts";
import type { FindingJson } from "../../api/compare-contract.ts";
import { spellView, type View } from "./view.ts";

/** Addresses of the pages that answer a question about something on another page. */

interface Asked {
  readonly event?: string;
  readonly resource?: { readonly kind: string; readonly id: string };
  /** RFC 3339; an event has its own moment. */
  readonly at?: string;
}

/** The operations on an event's subject around its moment. */
export function operationsPath(event: {
  readonly occurred_at: string;
  readonly subject: { readonly kind: string; readonly id: string };
}): string {
  const { occurred_at: time, subject } = event;
  const at = Date.parse(time);
  const query = new URLSearchParams({
    from: new Date(at - 3_600_000).toISOString(),
    to: new Date(at + 3_600_000).toISOString(),
    resource: `${subject.kind}/${subject.id}`,
  });
  return `/operations?${query.toString()}`;
}

/** Where it is told what the failure of an event's subject, or of a resource, reaches. */
export function blastPath({ event, resource, at }: Asked): string {
  const query = new URLSearchParams();
  if (event !== undefined) query.set("event", event);
  if (resource !== undefined) query.set("resource", `${resource.kind}/${resource.id}`);
  if (at !== undefined) query.set("at", at);
  return `/blast?${spell(query)}`;
}

/** What a selection of the timeline is narrowed by, under the API's names. */
export const selectionNames = [
  "q",
  "kind",
  "category",
  "severity",
  "tenant",
  "project",
  "customer",
  "resource",
  "source",
] as const;

/** Where it is told what stands out of a span, with the filter that the timeline has. */
export function comparePath(range: TimeRange, view: View): string {
  const shown = new URLSearchParams(spellView(view));
  const query = new URLSearchParams();
  query.set("from", new Date(Math.round(range.from)).toISOString());
  query.set("to", new Date(Math.round(range.to)).toISOString());
  for (const name of selectionNames) {
    const value = shown.get(name);
    if (value !== null) query.set(name, value);
  }
  return `/compare?${spell(query)}`;
}

/** Kinds of things that a finding's attribute may be called after, so that its value is an id. */
const thingAttributes = new Set([
  "host",
  "backend",
  "image",
  "flavor",
  "network",
  "volume_type",
  "aggregate",
  "service",
  "router",
  "hypervisor",
]);

/** The timeline of the selection with the finding's value as a filter; undefined where no filter says it. */
export function findingPath(
  { attribute, value }: Pick<FindingJson, "attribute" | "value">,
  asked: URLSearchParams,
): string | undefined {
  const filter = filterOf(attribute, value);
  if (filter === undefined) return undefined;
  const query = new URLSearchParams();
  for (const name of ["from", "to", ...selectionNames]) {
    const given = asked.get(name);
    if (given !== null) query.set(name, given);
  }
  query.set(...filter);
  return `/t?${spell(query)}`;
}

function filterOf(attribute: string, value: string): [name: string, value: string] | undefined {
  if (attribute === "kind" || attribute === "category" || attribute === "severity") return [attribute, value];
  if (attribute === "connection") return ["source", value];
  if (attribute === "subject") return ["resource", value];
  if (attribute === "exception" || attribute === "error code") return ["q", value];
  if (thingAttributes.has(attribute)) return ["resource", `${attribute}/${value}`];
  if (attribute === "tenant" && value.startsWith("project/"))
    return ["project", value.slice("project/".length)];
  if (attribute === "tenant" && value.startsWith("domain/")) return ["tenant", value.slice("domain/".length)];
  return attribute === "project" ? ["project", value] : undefined;
}

function spell(query: URLSearchParams): string {
  return query.toString().replaceAll("%3A", ":").replaceAll("%2F", "/").replaceAll("%2C", ",");
}
