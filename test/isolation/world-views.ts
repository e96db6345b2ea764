import { severities, type EventDraft, type TenantEdition } from "../../src/model/event.ts";
import { visible, type Owner, type Who } from "./oracle.ts";
import { spellView, tenantOf, type TrueEvent } from "./true-event.ts";
import type { QueryPlan } from "./world-model.ts";

/** What somebody sees of an event, with all that a filter can ask of it. */
export interface SeenEvent {
  readonly event: TrueEvent;
  /** As {@link spellView} says it. */
  readonly says: string;
  readonly told: Pick<
    EventDraft | TenantEdition,
    "type" | "kind" | "severity" | "subject" | "subjectName" | "related" | "operation" | "summary"
  >;
  readonly owners: readonly Owner[];
  /** Further words that are searched: the provider's alone. */
  readonly more: readonly (string | undefined)[];
}

export function seenBy(who: Who, event: TrueEvent): readonly SeenEvent[] {
  const { draft, editions } = event.storable;
  return visible(who, event).map((view): SeenEvent => {
    const says = spellView(event.name, view);
    if (view.as !== "whole") {
      const tenant = tenantOf(view.of);
      const told = editions.find((edition) => JSON.stringify(edition.tenant) === JSON.stringify(tenant));
      if (told === undefined) throw new Error(`there is no edition of ${says}`);
      return { event, says, told, owners: [view.of], more: [] };
    }
    const { whose } = event;
    const owners = whose.is === "owned" ? [whose.by] : whose.is === "shared" ? whose.among : [];
    const owner = whose.is === "owned" ? [whose.by.project, whose.by.domain] : [];
    const more = [...draft.sourceIds, ...Object.values(draft.actor ?? {}), ...owner];
    return { event, says, told: draft, owners, more };
  });
}

/** The filter of a query, as the API's document describes its parameters. */
export interface Filter {
  readonly from: number;
  readonly to: number;
  readonly plan: Partial<
    Pick<QueryPlan, "kind" | "severity" | "type" | "q" | "resource" | "project" | "tenant">
  >;
}

export function passes({ event, told, owners, more }: SeenEvent, { from, to, plan }: Filter): boolean {
  if (event.at < from || event.at >= to) return false;
  if (plan.kind !== undefined && told.kind !== plan.kind) return false;
  if (plan.severity !== undefined && severities.indexOf(told.severity) < severities.indexOf(plan.severity))
    return false;
  if (plan.type !== undefined && !fitsType(told.type, plan.type)) return false;
  if (plan.project !== undefined && !owners.some(({ project }) => project === plan.project)) return false;
  if (plan.tenant !== undefined && !owners.some(({ domain }) => domain === plan.tenant)) return false;
  if (plan.resource !== undefined && !names(told, plan.resource)) return false;
  return plan.q === undefined || holds(told, more, plan.q);
}

function fitsType(type: string, pattern: string): boolean {
  return pattern.endsWith("*") ? type.startsWith(pattern.slice(0, -1)) : type === pattern;
}

/** Whether it is about the resource (`kind/id`) or mentions it. */
export function names({ subject, related }: SeenEvent["told"], resource: string): boolean {
  return [subject, ...related.map(({ ref }) => ref)].some(({ kind, id }) => `${kind}/${id}` === resource);
}

/** Literal text in summary, names and ids, without regard to case. */
function holds(told: SeenEvent["told"], more: SeenEvent["more"], sought: string): boolean {
  const { summary, type, subject, subjectName, related, operation } = told;
  const searched = [
    summary,
    type,
    subject.id,
    subjectName,
    ...related.flatMap(({ ref, name }) => [ref.id, name]),
    ...Object.values(operation ?? {}),
    ...more,
  ];
  return searched.some((text) => text?.toLowerCase().includes(sought.toLowerCase()) === true);
}
