import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { AffectedTenant, EventDraft, EventKind, Evidence, TenantEdition } from "../model/event.ts";
import type { NoticeSituation } from "../model/notice.ts";
import { tenantKey } from "../model/tenant.ts";
import type { AliasOf } from "./notice-alias.ts";
import { situationOf } from "./notice-situation.ts";
import {
  findTemplateProblems,
  renderTemplate,
  shippedTexts,
  type TemplateValues,
} from "./notice-template.ts";
import { printable } from "./printable.ts";
import { isTenantKind } from "./tenant-kinds.ts";

/** What notices are made with. */
export interface NoticeTools {
  readonly aliasOf: AliasOf;
  /** The text that is in force for the situation now. */
  readonly templateOf: (situation: NoticeSituation) => string;
}

/** Of a resource's name or id. */
const resourceCharsShown = 64;
const resourcesNamed = 3;

const words: Readonly<Record<EventKind, string>> = {
  symptom: "trouble",
  recovery: "recovery",
  change: "maintenance",
  human: "work",
  activity: "activity",
};

/** Where the situation says it better than the kind: forcing a service down is a change, and means trouble. */
const situationWords: Partial<Record<NoticeSituation, string>> = {
  "host-failure": words.symptom,
  "storage-trouble": words.symptom,
  recovery: words.recovery,
};

/** A resource of the tenant's own, with what the tenant calls it. */
interface OwnResource {
  readonly ref: EntityRef;
  readonly name?: string;
}

/** What of a shared cause its notices are made from: closed words, a time, and the place, which only an alias tells of. */
export interface Cause extends Pick<EventDraft, "kind" | "severity" | "occurredAt"> {
  readonly situation: NoticeSituation;
  readonly place: EntityRef;
  readonly visibility: TenantEdition["visibility"];
}

export function readCause(draft: EventDraft, evidence: readonly Evidence[]): Cause {
  const { kind, severity, occurredAt } = draft;
  return {
    kind,
    severity,
    occurredAt,
    situation: situationOf(draft),
    place: placeOf(draft, evidence),
    // The provider's own event may be told of in a notice to all; one about security to administrators alone.
    visibility: draft.visibility === "security" ? "security" : "operational",
  };
}

/**
 * A shared cause as one tenant may hear of it: its own resources, no host, no neighbour, no number of them. It is made
 * of what the event is, of the tenant's own entry and of nothing else.
 */
export function makeNotice(
  cause: Cause,
  affected: AffectedTenant,
  tools: NoticeTools,
  names: ReadonlyMap<string, string> = new Map(),
): TenantEdition {
  const { tenant } = affected;
  const { kind, severity, occurredAt, situation, place, visibility } = cause;
  const own = affected.resources
    .filter((ref) => isTenantKind(ref.kind))
    .toSorted((a, b) => (entityKey(a) < entityKey(b) ? -1 : 1))
    .map((ref): OwnResource => {
      const name = names.get(entityKey(ref));
      return { ref, ...(name === undefined ? {} : { name }) };
    });
  const [first] = own;
  const what = situationWords[situation] ?? words[kind];
  const part = tools.aliasOf(tenantKey(tenant), place);
  const values: TemplateValues = {
    what,
    part,
    resources: tellResources(own),
    count: String(own.length),
    when: tellMinute(occurredAt),
  };
  const text = tools.templateOf(situation);
  return {
    tenant,
    notice: true,
    type: `platform.${what}`,
    kind,
    category: "platform",
    severity,
    visibility,
    subject: first?.ref ?? tenantAsSubject(tenant),
    ...(first?.name === undefined ? {} : { subjectName: first.name }),
    related: [
      ...own.map((one) => ({ role: "affected", ...one })),
      { role: "place", ref: { kind: "part", id: part } },
    ],
    because: `Shown because ${countWords(own)} stood on ${part}, the part of the platform that this was about.`,
    // A text that was stored by other hands than ours must not get past its rules.
    summary: renderTemplate(findTemplateProblems(text).length > 0 ? shippedTexts[situation] : text, values),
    details: {},
  };
}

/** What a text looks like, for whoever edits it: with one made-up resource, with several, with many. */
export function sampleNotices(text: string): readonly string[] {
  return [1, 2, 12].map((count) => {
    const own = Array.from({ length: count }, (_, index) => ({
      ref: { kind: "server", id: `web-${String(index + 1).padStart(2, "0")}` },
    }));
    return renderTemplate(text, {
      what: "trouble",
      part: "part-3f9a2c71",
      resources: tellResources(own),
      count: String(count),
      when: "2026-11-21 01:15 UTC",
    });
  });
}

export function tenantAsSubject({ projectId, domainId }: AffectedTenant["tenant"]): EntityRef {
  return projectId === undefined
    ? { kind: "domain", id: domainId ?? "" }
    : { kind: "project", id: projectId };
}

/** Things that stand for the one place that they work for. */
const workers = new Set(["service", "agent", "hypervisor"]);

/**
 * What the alias is made of. A service stands for its host, so that the failure of either has the same word; an
 * aggregate stands for itself, since the hosts in it are nobody's to count.
 */
function placeOf(draft: EventDraft, evidence: readonly Evidence[]): EntityRef {
  const accepted = evidence.filter(({ verdict, from }) => verdict === "accepted" && from !== undefined);
  const named = (rule: string) =>
    accepted.flatMap(({ rule: other, from }) =>
      other.startsWith(`${rule}/`) && from !== undefined ? [from] : [],
    );
  // The resolver may have found which host an alert's word for it means.
  const subject = named("platform")[0] ?? draft.subject;
  const [place, ...others] = named("shared-infrastructure");
  return workers.has(subject.kind) && place !== undefined && others.length === 0 ? place : subject;
}

function countWords(own: readonly OwnResource[]): string {
  const [first] = own;
  if (first === undefined) return "your resource";
  const kinds = new Set(own.map(({ ref }) => ref.kind));
  const kind = kinds.size === 1 ? kindWords(first.ref.kind) : "resource";
  return own.length === 1 ? `your ${kind}` : `${own.length} of your ${plural(kind)}`;
}

/** By name where the tenant gave one, else by id. */
function tellResources(own: readonly OwnResource[]): string {
  const mixed = new Set(own.map(({ ref }) => ref.kind)).size > 1;
  const named = own
    .slice(0, resourcesNamed)
    .map(
      ({ ref, name = ref.id }) =>
        `${mixed ? `${kindWords(ref.kind)} ` : ""}${printable(name, resourceCharsShown)}`,
    );
  if (named.length === 0) return countWords(own);
  if (own.length === 1) return `${countWords(own)} ${named[0]}`;
  const rest = own.length - named.length;
  return `${countWords(own)} (${named.join(", ")}${rest > 0 ? ` and ${rest} more` : ""})`;
}

function kindWords(kind: string): string {
  return kind.replaceAll("_", " ").replace(/\bip\b/, "IP");
}

function plural(words: string): string {
  return words.endsWith("s") ? words : `${words}s`;
}

function tellMinute(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
