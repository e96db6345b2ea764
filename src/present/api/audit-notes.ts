import type { FastifyBaseLogger, FastifyRequest } from "fastify";
import type { Instant } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import type { AuditAction, AuditRecord, AuditTrail } from "../../store/audit-store.ts";
import type { MendedGlass } from "../../store/session-store.ts";
import type { Principal } from "./principal.ts";

interface Actor {
  readonly subject: string;
  readonly name: string;
}

/** What the API writes down of those who use it. */
export class AuditNotes {
  readonly #trail: AuditTrail;
  readonly #clock: () => Instant;

  constructor(trail: AuditTrail, clock: () => Instant) {
    this.#trail = trail;
    this.#clock = clock;
  }

  /** Settles when it is written, so that nothing is done that cannot be told. */
  async done(
    request: FastifyRequest,
    action: AuditAction,
    { subject, name }: Actor,
    what: { readonly object: string; readonly why?: string; readonly details?: JsonObject },
  ): Promise<void> {
    const actor = { id: subject, name, address: request.ip };
    await this.#write({ at: this.#clock(), action, outcome: "done", actor, ...what });
  }

  /** A sign-in or a credential that was refused; the trail counts what comes in numbers. */
  async refused(request: FastifyRequest, through: string): Promise<void> {
    const actor = { id: "unknown", address: request.ip };
    const record = { at: this.#clock(), action: "sign-in", outcome: "refused", actor } as const;
    await this.#write({ ...record, object: `session:${through}` });
  }

  /** An address that the principal may not use. Written after the answer, so that its time tells nothing. */
  async denied(request: FastifyRequest, { subject, name }: Principal): Promise<void> {
    const path = (request.routeOptions.url ?? "unknown").replace(/:(\w+)/g, "{$1}");
    const actor = { id: subject, name, address: request.ip };
    const record = { at: this.#clock(), action: "denied", outcome: "refused", actor } as const;
    await this.#write({ ...record, object: `${request.method} ${path}` });
  }

  async glassMended(mended: readonly MendedGlass[]): Promise<void> {
    for (const { subject, name, why, brokenAt, until, reads } of mended) {
      const details = { ended: true, minutes: Math.ceil((until - brokenAt) / 60_000), reads };
      const actor = { id: subject, name };
      const record = {
        at: this.#clock(),
        action: "break-glass",
        outcome: "done",
        actor,
        why,
        details,
      } as const;
      await this.#write({ ...record, object: "session" });
    }
  }

  async #write(record: AuditRecord): Promise<void> {
    await this.#trail.append([record]);
  }
}

/** Settles whatever becomes of it; for what follows an answer. */
export function inBackground(work: Promise<void>, log: FastifyBaseLogger): void {
  work.catch((err: unknown) => log.error({ err }, "the audit could not be written"));
}
