import type { NotificationDelivery, NotificationRule, RuleOwner } from "../../model/notification.ts";
import type { NotificationStore } from "../../store/notification-store.ts";

/** What the routes of notification rules stand on. */
export interface Notifications {
  readonly store: NotificationStore;
  /** Sends a message that tells of nothing, at once and once. */
  fireTest(rule: NotificationRule): Promise<NotificationDelivery>;
  /** Throws `address-refused` for an address that rules of the owner may not be sent to, as far as it shows already. */
  checkTarget(owner: RuleOwner, url: string): void;
}
