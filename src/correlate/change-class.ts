import type { Correlatable } from "./correlatable.ts";

/** How what a kind of event does wears off with time, and what being of that kind is worth. */
export interface ChangeClass {
  readonly name: string;
  /** Half of the weight is gone after so long, where `exponent` is 1. */
  readonly halfMs: number;
  /** How heavy the tail is: T = (1 + gap / half)^−exponent. */
  readonly exponent: number;
  /** What the class alone adds to the score. */
  readonly value: number;
  readonly says: string;
}

const minuteMs = 60_000;

/**
 * Hand-set, each with its reason. The tails are heavy on purpose: an upgrade that breaks a platform shows some of its
 * harm hours later, where an exponential decay would have forgotten it.
 */
const classes = {
  /** New code breaks where it is first used, which may be the next day's job. */
  deployment: { halfMs: 60 * minuteMs, exponent: 1, value: 0.7, says: "a deployment" },
  /** Settings and upgrades of what many stand on roll from node to node before all of it is felt. */
  platform: { halfMs: 60 * minuteMs, exponent: 1, value: 0.6, says: "a change of the platform" },
  /** Buffers, replicas and caches hide a change of storage, of an image or of a name for a while. */
  buffered: { halfMs: 30 * minuteMs, exponent: 1, value: 0.5, says: "a change" },
  /** A route, a port or a rule works from the second that it is set. */
  network: { halfMs: 10 * minuteMs, exponent: 1, value: 0.5, says: "a change" },
  /** What was moved, resized or stopped is felt at once, or when its first timeouts end. */
  lifecycle: { halfMs: 15 * minuteMs, exponent: 1, value: 0.5, says: "a change" },
  /** A copy in the background burdens while it runs and little afterwards. */
  copying: { halfMs: 10 * minuteMs, exponent: 1.2, value: 0.3, says: "a change" },
  /** Anything else that is known to have changed something. */
  other: { halfMs: 20 * minuteMs, exponent: 1, value: 0.5, says: "a change" },
  /** Monitors report the same trouble within minutes of one another. */
  symptom: { halfMs: 20 * minuteMs, exponent: 1, value: -1.5, says: "another symptom" },
  /** What has recovered seldom harms later. */
  recovery: { halfMs: 10 * minuteMs, exponent: 1, value: -0.8, says: "a recovery" },
  /** People talk about what they see as often as about what they do. */
  human: { halfMs: 20 * minuteMs, exponent: 1, value: -0.3, says: "people's work" },
  /** It may still be running, and may have changed something that nobody reported. */
  activity: {
    halfMs: 30 * minuteMs,
    exponent: 1,
    value: -1,
    says: "started, not known to have changed anything",
  },
} as const satisfies Record<string, Omit<ChangeClass, "name">>;

const byCategory: Partial<Record<Correlatable["category"], keyof typeof classes>> = {
  deployment: "deployment",
  platform: "platform",
  storage: "buffered",
  image: "buffered",
  restore: "buffered",
  network: "network",
  lifecycle: "lifecycle",
  migration: "lifecycle",
  provisioning: "lifecycle",
  backup: "copying",
  snapshot: "copying",
};

/** The class by which an event is weighed; by its kind first, and a change's by its category. */
export function classOf(event: Correlatable): ChangeClass {
  const name = event.kind === "change" ? (byCategory[event.category] ?? "other") : event.kind;
  return { name, ...classes[name] };
}

/** The logarithm of what is left of an event's weight after so long; 0 at once, never above. */
export function weighTime(gapMs: number, { halfMs, exponent }: ChangeClass): number {
  return -exponent * Math.log(1 + Math.max(0, gapMs) / halfMs);
}
