import type { ErasureCounts, ErasureTarget, LegalHold } from "../model/retention.ts";
import type { AuditRecord, AuditStore } from "../store/audit-store.ts";
import type { ErasureRecord } from "../store/retention-store.ts";
import { eraseNow, type RetentionTools } from "./retention.ts";

type Hold = Omit<LegalHold, "id" | "lifted" | "placedAt">;

/** Holds and erasures, as those who administer ask for them. */
export interface ErasureDesk {
  holds(): Promise<readonly LegalHold[]>;
  placeHold(hold: Hold): Promise<LegalHold>;
  liftHold(id: string, lifted: { readonly by: string; readonly why: string }): Promise<LegalHold | undefined>;
  erasures(): Promise<readonly ErasureRecord[]>;
  count(target: ErasureTarget): Promise<ErasureCounts>;
  /** Settles when it is asked for and, where somebody waits, carried out. */
  erase(order: {
    readonly target: ErasureTarget;
    readonly why: string;
    readonly by: string;
    readonly actor: AuditRecord["actor"];
  }): Promise<ErasureRecord>;
}

export interface DeskTools extends RetentionTools {
  readonly audit: AuditStore;
  /** Names of the identity providers that a person may be known through. */
  readonly identityProviders: readonly string[];
  /** True where a command ends with its answer. */
  readonly waits: boolean;
}

export function openErasureDesk(tools: DeskTools): ErasureDesk {
  const { retention, now, audit, waits, onError, identityProviders } = tools;
  return {
    holds: () => retention.holds(),
    placeHold: (hold) => retention.placeHold({ ...hold, placedAt: now() }),
    liftHold: (id, lifted) => retention.liftHold(id, { ...lifted, at: now() }),
    erasures: () => retention.erasures(),
    count: (target) => retention.countErasure(target),
    async erase({ target, why, by, actor }) {
      const asked = await retention.requestErasure({ target, why, by, at: now() });
      if (target.kind === "user")
        await forgetPerson(audit, target.userId, identityProviders, { asked, actor, at: now() });
      const carriedOut = eraseNow(tools, asked.id);
      if (waits) return carriedOut;
      carriedOut.catch((error: unknown) => onError?.(error));
      return asked;
    },
  };
}

/** What the audit trail has of a person goes, under every name that a sign-in gives them. */
async function forgetPerson(
  audit: AuditStore,
  userId: string,
  providers: readonly string[],
  told: {
    readonly asked: ErasureRecord;
    readonly actor: AuditRecord["actor"];
    readonly at: AuditRecord["at"];
  },
): Promise<void> {
  for (const subject of [userId, ...providers.map((name) => `${name}/${userId}`)]) {
    await audit.eraseActor(subject, {
      at: told.at,
      action: "erasure",
      outcome: "done",
      actor: told.actor,
      object: `erasure:${told.asked.id}`,
    });
  }
}
