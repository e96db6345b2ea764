import { minePairs, type Sighting } from "../correlate/type-pairs.ts";
import { entityKey } from "../model/entity.ts";
import { instant, type Instant } from "../model/instant.ts";
import { ownConnection } from "../model/own-connection.ts";
import type { EventReader, VisibleEvent } from "../store/event-reader.ts";
import type { TypePairStore } from "../store/type-pair-store.ts";
import { machineScheduler, type Scheduler } from "./scheduler.ts";

/** What is learnt from: so far back, and no more than so many events, the newest. */
const spanMs = 30 * 24 * 3_600_000;
const eventsMax = 100_000;
const pageMax = 1_000;

/** Learnt anew so often, by whichever process comes first. */
const everyMs = 24 * 3_600_000;
const lookMs = 15 * 60_000;

/** Things of which several events tell because they hang together; whose they are is not looked at. */
const telling = new Set([
  "server",
  "host",
  "volume",
  "backend",
  "network",
  "subnet",
  "port",
  "router",
  "floating_ip",
  "image",
  "service",
  "agent",
  "aggregate",
  "component",
  "repository",
]);

export interface LearningParts {
  readonly reader: Pick<EventReader, "timeline">;
  readonly typePairs: TypePairStore;
  readonly now: () => Instant;
}

/** Learns from the last month which types come before which symptoms; gives how many pairs it kept. */
export async function learnTypePairs({ reader, typePairs, now }: LearningParts): Promise<number> {
  const to = now();
  const from = instant(to - spanMs);
  const sightings: Sighting[] = [];
  let after: { readonly occurredAt: Instant; readonly id: string } | undefined;
  while (sightings.length < eventsMax) {
    const page = await reader.timeline(
      { kind: "provider" },
      { from, to },
      { limit: pageMax, order: "newest", ...(after === undefined ? {} : { after }) },
    );
    for (const { event, audience } of page.events)
      if (audience === "provider" && event.connection !== ownConnection.name)
        sightings.push(toSighting(event));
    const last = page.events.at(-1)?.event;
    if (!page.more || last === undefined) break;
    after = { occurredAt: last.occurredAt, id: last.id };
  }
  const times = sightings.map(({ at }) => at);
  const seenFrom = times.reduce((a, b) => Math.min(a, b), to as number);
  const pairs = minePairs(sightings, to - seenFrom);
  await typePairs.replace(pairs, { from: instant(seenFrom), to });
  return pairs.length;
}

function toSighting(event: Extract<VisibleEvent, { audience: "provider" }>["event"]): Sighting {
  const things = [event.subject, ...event.related.map(({ ref }) => ref)]
    .filter(({ kind }) => telling.has(kind))
    // Ids are compared within one control plane only.
    .map((ref) => `${event.controlPlane} ${entityKey(ref)}`);
  const symptom = event.kind === "symptom" && event.severity !== "info";
  return { type: event.type, at: event.occurredAt, symptom, things };
}

/** Learns once a day for as long as the signal lets it; a time that failed is tried again. */
export async function keepLearning(
  parts: LearningParts & { readonly scheduler?: Scheduler; readonly onError?: (error: unknown) => void },
  signal: AbortSignal,
): Promise<void> {
  const { scheduler = machineScheduler, onError } = parts;
  while (!signal.aborted) {
    try {
      const learnt = await parts.typePairs.learntAt();
      if (learnt === undefined || parts.now() - learnt.at >= everyMs) await learnTypePairs(parts);
    } catch (error) {
      onError?.(error);
    }
    await scheduler.wait(lookMs, signal);
  }
}
