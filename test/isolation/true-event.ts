import type { EntityRef } from "../../src/model/entity.ts";
import type { Attribution, EventDraft } from "../../src/model/event.ts";
import { duration, type Instant } from "../../src/model/instant.ts";
import type { TenantRef } from "../../src/model/tenant.ts";
import type { EventJson } from "../../src/present/api/contract.ts";
import type { StorableEvent } from "../../src/store/event-store.ts";
import { redact } from "../redact.ts";
import type { Happening, Owner, View } from "./oracle.ts";

/** An event of which a test knows whose it is, because the test made it up. */
export interface TrueEvent extends Happening {
  /** Stands in words that only whoever sees the event may read, see {@link wordsOf}. */
  readonly name: string;
  /** No two events of a store happen at the same moment, so that an answer's events can be told apart by it. */
  readonly at: Instant;
  readonly subject: EntityRef;
  readonly storable: StorableEvent;
}

export interface EventSpec extends Happening {
  readonly name: string;
  readonly at: Instant;
  /** A server of the event's own where absent. */
  readonly subject?: EntityRef;
  /** A host of the event's own where absent. */
  readonly place?: string;
  readonly candidates?: readonly Owner[];
  readonly fields?: Partial<EventDraft>;
}

export function trueEvent(spec: EventSpec): TrueEvent {
  const { name, at, whose, visibility } = spec;
  const isShared = whose.is === "shared";
  const place: EntityRef = { kind: "host", id: spec.place ?? `whole-${name}-host` };
  const subject = isShared ? place : (spec.subject ?? { kind: "server", id: `id-${name}` });
  const draft: EventDraft = {
    key: `whole-${name}-key`,
    sourceIds: [`whole-${name}-source`],
    occurredAt: at,
    precision: duration(0),
    type: isShared ? "host.down" : "compute.instance.reboot.end",
    kind: isShared ? "symptom" : "change",
    category: isShared ? "platform" : "lifecycle",
    phase: "end",
    severity: "warning",
    visibility,
    subject,
    ...(isShared ? {} : { subjectName: `shown-${name}-name` }),
    related: isShared ? [] : [{ role: "host", ref: place }],
    actor: { userName: `whole-${name}-actor`, address: "203.0.113.77" },
    operation: { requestId: `req-whole-${name}` },
    summary: `whole-${name}-summary`,
    details: { payload: { node: `whole-${name}-node` } },
    changes: [{ field: "host", before: `whole-${name}-before`, after: null }],
    ...spec.fields,
  };
  const attribution = attributionOf(spec);
  return {
    name,
    at,
    whose,
    visibility,
    subject: draft.subject,
    storable: { draft, attribution, dependsOn: [], editions: redact(draft, attribution, []) },
  };
}

function attributionOf({ name, whose, candidates = [] }: EventSpec): Attribution {
  switch (whose.is) {
    case "owned":
      return { status: "owned", tenant: tenantOf(whose.by), evidence: [] };
    case "shared":
      return {
        status: "shared",
        affected: whose.among.map((owner) => ({
          tenant: tenantOf(owner),
          resources: [residentOf(name, owner)],
        })),
        evidence: [],
      };
    case "ambiguous":
      return { status: "ambiguous", candidates: candidates.map(tenantOf), evidence: [] };
    default:
      return { status: whose.is, evidence: [] };
  }
}

/** What of an owner's stands on the place of a shared event. */
export function residentOf(name: string, owner: Owner): EntityRef {
  return { kind: "server", id: `shown-${name}-${ownerWord(owner)}` };
}

export function ownerWord({ domain, project }: Owner): string {
  return project ?? `all-of-${domain}`;
}

export function tenantOf({ plane, domain, project }: Owner): TenantRef {
  return {
    controlPlane: plane,
    ...(domain === undefined ? {} : { domainId: domain }),
    ...(project === undefined ? {} : { projectId: project }),
  };
}

/** What an answer shows of an event, or of one tenant's edition of it: `whole NAME`, `owner NAME of PROJECT`. */
export function spellView(name: string, view: View): string {
  return view.as === "whole" ? `whole ${name}` : `${view.as} ${name} of ${ownerWord(view.of)}`;
}

/** All events that an answer's text holds, wherever in it, as {@link spellView} says them. */
export function viewsIn(answer: unknown, nameAt: (occurredAt: string) => string): string[] {
  if (typeof answer !== "object" || answer === null) return [];
  if (Array.isArray(answer)) return answer.flatMap((item) => viewsIn(item, nameAt));
  if (!isEvent(answer)) return Object.values(answer).flatMap((item) => viewsIn(item, nameAt));
  const name = nameAt(answer.occurred_at);
  if (answer.connection !== undefined) return [`whole ${name}`];
  const { status, domain_id: domain, project_id: project } = answer.attribution;
  const as = status === "affected" ? "notice" : "owner";
  return [`${as} ${name} of ${project ?? `all-of-${domain}`}`];
}

function isEvent(value: object): value is EventJson {
  return "occurred_at" in value && "attribution" in value && "subject" in value;
}

/** What may be read only by whoever sees the event in one of these ways. */
export interface Words {
  readonly word: string;
  readonly seenBy: (views: readonly View[]) => boolean;
}

export function wordsOf({ name, whose }: TrueEvent): readonly Words[] {
  const whole: Words = {
    word: `whole-${name}-`,
    seenBy: (views) => views.some(({ as }) => as === "whole"),
  };
  if (whose.is !== "shared") return [whole, { word: `shown-${name}-`, seenBy: (views) => views.length > 0 }];
  const each = whose.among.map((owner): Words => ({
    word: residentOf(name, owner).id,
    seenBy: (views) => views.some((view) => view.as === "whole" || view.of === owner),
  }));
  return [whole, ...each];
}
