import type { Category, EventDraft, Visibility } from "../model/event.ts";
import { duration, instant } from "../model/instant.ts";
import type { Json } from "../model/json.ts";
import { ownConnection } from "../model/own-connection.ts";
import type { AuditEntry } from "../store/audit-chain.ts";
import type { AuditAction, AuditStore } from "../store/audit-store.ts";
import type { Stages } from "./ingest.ts";

export interface AuditTimelineStages {
  readonly clean: Stages["clean"];
  readonly store: Pick<Stages["store"], "append" | "connect" | "cursor">;
}

const stream = "audit";
const entriesMax = 200;

/** What each action is on the timeline; the rest is the provider's own work on its tenants. */
const classes: Partial<Readonly<Record<AuditAction, readonly [Category, Visibility]>>> = {
  "sign-in": ["auth", "security"],
  "sign-out": ["auth", "security"],
  denied: ["auth", "security"],
  "break-glass": ["auth", "security"],
  "look-as-tenant": ["auth", "provider"],
  token: ["auth", "provider"],
};

/**
 * Tells the timeline of each audit entry, in the entries' order and once: the event's key is the entry's number, and the
 * place that was reached is stored with the events. What is left undone at the end is done by the next process.
 */
export class AuditTimeline {
  readonly #stages: AuditTimelineStages;
  readonly #audit: Pick<AuditStore, "following">;
  readonly #onError: (error: unknown) => void;
  #running: Promise<void> | undefined;
  #again = false;
  #ended = false;

  constructor(
    stages: AuditTimelineStages,
    audit: Pick<AuditStore, "following">,
    onError: (error: unknown) => void,
  ) {
    this.#stages = stages;
    this.#audit = audit;
    this.#onError = onError;
  }

  /** Begins, or goes on once more after what is under way. */
  begin(): void {
    if (this.#ended) return;
    this.#again = true;
    this.#running ??= this.#run();
  }

  /** Settles when nothing is under way any more. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        while (await tellAudit(this.#stages, this.#audit)) if (this.#ended) break;
      } catch (error) {
        // The entries stand; the next one, or the next process, tries again to tell of them.
        this.#onError(error);
      }
    }
    this.#running = undefined;
  }
}

/** Tells the timeline of the next entries; false where there are no more. */
export async function tellAudit(
  { clean, store }: AuditTimelineStages,
  audit: Pick<AuditStore, "following">,
): Promise<boolean> {
  const { name, source, controlPlane } = ownConnection;
  const after = placeOf(await store.cursor(name, stream));
  const entries = await audit.following(after, entriesMax);
  const last = entries.at(-1);
  if (last === undefined) return false;
  await store.connect({ name, source, controlPlane, config: {} });
  const drafts = entries.filter(({ details }) => details["event"] === undefined).map(toDraft);
  const { events } = clean({ events: drafts, facts: [] }, instant(Date.parse(last.at)));
  await store.append({
    connection: name,
    controlPlane,
    stream,
    events: events.map((draft) => ({
      draft,
      attribution: {
        status: "provider",
        evidence: [
          {
            rule: "platform/1",
            verdict: "accepted",
            confidence: "exact",
            says: "What is done with Isochron itself is the provider's.",
            from: draft.subject,
          },
        ],
      },
      dependsOn: [],
      editions: [],
    })),
    facts: [],
    rejects: [],
    cursor: { after: last.sequence },
  });
  return entries.length === entriesMax;
}

function placeOf(cursor: Json | undefined): number {
  const after = (cursor as { readonly after?: Json } | null | undefined)?.after;
  return typeof after === "number" ? after : 0;
}

/** What was done, and never by whom: people can be erased from the audit trail, and revisions of an event stay. */
function toDraft(entry: AuditEntry): EventDraft {
  const { sequence, action, outcome, object, count } = entry;
  // All settings are in the entry; the event tells those that changed.
  const { settings: _settings, ...details } = entry.details;
  const [category, visibility] = classes[action as AuditAction] ?? (["tenancy", "provider"] as const);
  const isRefused = outcome === "refused";
  return {
    key: `audit/${sequence}`,
    sourceIds: [`audit/${sequence}`],
    occurredAt: instant(Date.parse(entry.at)),
    precision: duration(0),
    type: `isochron.audit.${action}${isRefused ? ".refused" : ""}`,
    kind: "human",
    category,
    severity: isRefused || action === "break-glass" ? "warning" : "info",
    visibility,
    subject: { kind: "audit_entry", id: String(sequence) },
    related: [],
    platform: true,
    summary: `Audit entry ${sequence}: ${action} ${outcome}, ${object}${count > 1 ? ` (${count} times)` : ""}`,
    details: { sequence, outcome, object, count, ...details },
  };
}
