import type { Instant } from "../../model/instant.ts";
import type { NotificationStore } from "../../store/notification-store.ts";
import { isVouchedElsewhere } from "./notification-right.ts";
import type { Principal } from "./principal.ts";

const everyMs = 600_000;
const subjectsMax = 10_000;

/**
 * Whoever an identity service lets in shows what they may do just now, and their notification rules rest on that from
 * here on. Noted every ten minutes of each; more would write at every request.
 */
export class MakerConfirmations {
  readonly #store: Pick<NotificationStore, "confirmMaker">;
  readonly #clock: () => Instant;
  readonly #noted = new Map<string, { readonly at: Instant; readonly grants: string }>();

  constructor(store: Pick<NotificationStore, "confirmMaker">, clock: () => Instant) {
    this.#store = store;
    this.#clock = clock;
  }

  async note({ subject, name, grants, scope, provider }: Principal): Promise<void> {
    // Through a tenant's eyes the grants are the tenant's.
    if (!isVouchedElsewhere({ subject }) || (provider && scope?.kind === "tenant")) return;
    const [now, spelled] = [this.#clock(), JSON.stringify(grants)];
    const last = this.#noted.get(subject);
    if (last !== undefined && last.grants === spelled && now - last.at < everyMs) return;
    if (this.#noted.size >= subjectsMax) this.#noted.clear();
    this.#noted.set(subject, { at: now, grants: spelled });
    await this.#store.confirmMaker({ subject, name, grants }, now);
  }
}
