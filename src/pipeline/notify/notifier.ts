import { instant } from "../../model/instant.ts";
import type { NotificationDelivery, NotificationRule } from "../../model/notification.ts";
import { deliverNext } from "./message-delivery.ts";
import { passRule } from "./rule-passes.ts";
import type { NotifyTools } from "./notify-tools.ts";

/** Quiet periods end and absences begin without any event. */
const passEveryMs = 5_000;
/** A storm wakes everybody for each of its pages. */
const passRestMs = 500;
const deliverEveryMs = 1_000;
/** A target that takes its ten seconds holds up nobody else: of a tenant's messages one is tried at a time. */
const deliveriesAtOnce = 8;
const sweepEveryMs = 3_600_000;
/** What was settled is forgotten with the deliveries' list. */
const keptMs = 30 * 86_400_000;

/** Runs rules and sends messages until the signal ends it; any number of processes may. */
export async function keepNotifying(tools: NotifyTools, signal: AbortSignal): Promise<void> {
  await Promise.all([keepPassing(tools, signal), keepDelivering(tools, signal)]);
}

async function keepPassing(tools: NotifyTools, signal: AbortSignal): Promise<void> {
  let sweptAt = 0;
  while (!signal.aborted) {
    await guarded(tools, signal, async () => {
      await passAll(tools);
      if (tools.now() - sweptAt >= sweepEveryMs) {
        sweptAt = tools.now();
        await tools.store.sweep(instant(sweptAt - keptMs));
      }
    });
    await tools.reader.woken(passEveryMs, signal);
    await resting(tools, passRestMs, signal);
  }
}

/** One pass of each rule that runs; one that fails holds up no other. */
export async function passAll(tools: NotifyTools): Promise<number> {
  let made = 0;
  for (const one of await tools.store.running()) {
    if (one.standing.paused !== undefined) continue;
    try {
      made += await passRule(tools, one);
    } catch (error) {
      tools.onError(error, one.rule.id);
    }
  }
  return made;
}

async function keepDelivering(tools: NotifyTools, signal: AbortSignal): Promise<void> {
  const drain = async (): Promise<void> => {
    while (!signal.aborted) {
      await guarded(tools, signal, () => deliverDue(tools, signal));
      await resting(tools, deliverEveryMs, signal);
    }
  };
  await Promise.all(Array.from({ length: deliveriesAtOnce }, drain));
}

/** Sends what is due, until nothing is. */
export async function deliverDue(tools: NotifyTools, signal: AbortSignal): Promise<number> {
  let tried = 0;
  while (!signal.aborted && (await deliverNext(tools, signal)) !== undefined) tried += 1;
  return tried;
}

/** Sends a message that tells of nothing, at once and once, and gives what became of it. */
export async function fireTest(
  tools: NotifyTools,
  rule: NotificationRule,
  signal: AbortSignal,
): Promise<NotificationDelivery> {
  const draft = { kind: "test", group: "", events: [], more: 0, late: false } as const;
  const made = await tools.store.enqueue(rule, draft, tools.now());
  const outcome = await deliverNext(tools, signal, made.id);
  // Whoever pressed the button sees the answer; nothing is tried again behind their back.
  if (outcome?.kind === "again") {
    const claimed = await tools.store.claim(tools.now(), 1_000, made.id);
    if (claimed !== undefined)
      await tools.store.settle(
        claimed,
        { kind: "withdrawn", ...(outcome.answer === undefined ? {} : { answer: outcome.answer }) },
        tools.now(),
      );
  }
  const found = await tools.store.delivery({ kind: "provider" }, made.id);
  return found ?? made;
}

async function guarded(tools: NotifyTools, signal: AbortSignal, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!signal.aborted) tools.onError(error);
  }
}

async function resting({ wait }: NotifyTools, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
