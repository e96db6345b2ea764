import type { EntityRef } from "../model/entity.ts";
import type { EventDraft } from "../model/event.ts";
import { duration, type Instant } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import { ownConnection } from "../model/own-connection.ts";
import type { AuditAction, AuditRecord } from "../store/audit-store.ts";
import type { Change, DecisionStore } from "../store/decision-store.ts";
import type { Stages } from "./ingest.ts";

/** What somebody of the provider decided, as the event that tells of it. */
export interface Decision {
  /** Names the decision for ever: the same decision told twice is one event. */
  readonly key: string;
  /** `isochron.ruling.made` and the like. */
  readonly type: `isochron.${string}`;
  readonly subject: EntityRef;
  /** One sentence for an operator. */
  readonly summary: string;
  /** Who decided, as the audit shall name them: `name (id)`, or an id alone. */
  readonly by: string;
  readonly why: string;
  readonly at: Instant;
  readonly details: JsonObject;
}

export interface DecisionStages {
  readonly clean: Stages["clean"];
  readonly decisions: DecisionStore;
}

/** What each kind of change is called in the audit trail. */
const actions = {
  ruling: "rule",
  "notice-template": "notice-template",
} as const satisfies Record<Change["kind"], AuditAction>;

/**
 * Carries a change out, stores its event and writes it down in the audit trail in the same transaction: there is never
 * one without the others.
 */
export async function decide(stages: DecisionStages, change: Change, decision: Decision): Promise<void> {
  const { events } = stages.clean({ events: [toDraft(decision)], facts: [] }, decision.at);
  const page: Parameters<DecisionStore["decide"]>[1] = {
    connection: ownConnection.name,
    source: ownConnection.source,
    controlPlane: ownConnection.controlPlane,
    stream: "main",
    events: events.map((draft) => ({
      draft,
      attribution: {
        status: "provider",
        evidence: [
          {
            rule: "platform/1",
            verdict: "accepted",
            confidence: "exact",
            says: "What the provider's own people decide is the provider's.",
            from: draft.subject,
          },
        ],
      },
      // Nothing that is learnt later makes it anybody else's.
      dependsOn: [],
      editions: [],
    })),
    facts: [],
    rejects: [],
  };
  await stages.decisions.decide(change, page, toRecord(change, decision));
}

function toRecord(change: Change, { type, subject, by, why, at }: Decision): AuditRecord {
  const [, name, id] = /^(.+) \(([^()]+)\)$/.exec(by) ?? [];
  return {
    at,
    action: actions[change.kind],
    outcome: "done",
    actor: { id: id ?? by, ...(name === undefined ? {} : { name }) },
    object: `${subject.kind}:${subject.id}`,
    why,
    details: { step: type },
  };
}

function toDraft(decision: Decision): EventDraft {
  return {
    key: decision.key,
    sourceIds: [decision.key],
    occurredAt: decision.at,
    precision: duration(0),
    type: decision.type,
    kind: "human",
    category: "tenancy",
    severity: "info",
    visibility: "provider",
    subject: decision.subject,
    related: [],
    actor: { userName: decision.by },
    platform: true,
    summary: decision.summary,
    details: { ...decision.details, by: decision.by, why: decision.why },
  };
}
