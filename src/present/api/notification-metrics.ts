import { Counter, Gauge, Registry } from "prom-client";
import { deliveryStates } from "../../model/notification.ts";
import type { NotificationTally } from "../../store/notification-store.ts";

/** How the notification rules and their messages stand, without anybody's name. */
export function describeNotifications(tally: NotificationTally, now: number): Registry {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  const labelNames = ["state"] as const;
  const rules = new Gauge({
    name: "isochron_notification_rules",
    help: "Enabled notification rules; a paused one rests until somebody resumes it.",
    labelNames,
    registers,
  });
  rules.set({ state: "running" }, tally.rules - tally.paused);
  rules.set({ state: "paused" }, tally.paused);
  const messages = new Gauge({
    name: "isochron_notification_messages",
    help: "Messages that wait, and those of the last 30 days that are settled.",
    labelNames,
    registers,
  });
  for (const state of deliveryStates) messages.set({ state }, tally[state]);
  const made = { name: "isochron_notification_messages_total", help: "Messages ever made.", registers };
  new Counter(made).inc(tally.messages);
  new Counter({
    name: "isochron_notification_too_old_total",
    help: "Events that matched a rule and were older than its horizon when they became known.",
    registers,
  }).inc(tally.tooOld);
  new Gauge({
    name: "isochron_notification_oldest_waiting_seconds",
    help: "Since when the oldest message of an enabled rule waits; 0 where none does.",
    registers,
  }).set(tally.oldestWaitingAt === undefined ? 0 : Math.max(0, now - tally.oldestWaitingAt) / 1000);
  return registry;
}
