import type { EventDraft } from "../../src/model/event.ts";
import { duration, instant } from "../../src/model/instant.ts";
import { addressOf, builtAt, hostOf, idOf, nameOf, projectIdOf, userIdOf, type Cloud } from "./cloud.ts";

/** A small generator with a seed (mulberry32), so that every run draws the same. */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What records are like: up to which share of all each way of telling goes. */
type Told = Pick<EventDraft, "subject" | "related" | "type" | "kind"> & Partial<EventDraft>;
const ways: readonly (readonly [upTo: number, tell: (cloud: Cloud, pick: (n: number) => number) => Told])[] =
  [
    [0.2, (cloud, pick) => about({ kind: "server", id: idOf("server", pick(cloud.servers)) })],
    [0.3, (cloud, pick) => about({ kind: "port", id: idOf("port", pick(cloud.ports)) })],
    [0.4, (cloud, pick) => about({ kind: "volume", id: idOf("volume", pick(cloud.volumes)) })],
    [0.7, stated],
    [0.8, (cloud, pick) => alias({ kind: "name", id: nameOf(pick(cloud.servers)) })],
    [0.88, (cloud, pick) => alias({ kind: "ip", id: addressOf(cloud, pick(cloud.ports)) })],
    [0.999, request],
    [1, (cloud, pick) => symptomOf({ kind: "host", id: hostOf(pick(cloud.servers)) })],
  ];

function about(subject: EventDraft["subject"]): Told {
  return { subject, related: [], type: `compute.${subject.kind}.update`, kind: "change" };
}

function stated(cloud: Cloud, pick: (n: number) => number): Told {
  const n = pick(cloud.servers);
  const host = { role: "host", ref: { kind: "host", id: hostOf(n) } };
  return {
    ...about({ kind: "server", id: idOf("server", n) }),
    related: [host],
    stated: { owner: { kind: "project", id: projectIdOf(cloud, n) }, path: "payload.tenant_id" },
  };
}

function alias(ref: EventDraft["subject"]): Told {
  return { subject: ref, related: [{ role: "alias:server", ref }], type: "log.line", kind: "symptom" };
}

function request(cloud: Cloud, pick: (n: number) => number): Told {
  const n = pick(cloud.servers);
  const id = `req-${idOf("request", pick(1_000_000_000))}`;
  const userId = userIdOf(cloud, n);
  return {
    subject: { kind: "request", id },
    related: [
      { role: "caller", ref: { kind: "user", id: userId } },
      { role: "mentioned", ref: { kind: "resource", id: idOf("server", n) } },
      { role: "mentioned", ref: { kind: "port", id: idOf("port", n) } },
    ],
    actor: { userId, projectId: projectIdOf(cloud, n) },
    operation: { requestId: id },
    type: "api.request",
    kind: "activity",
  };
}

function symptomOf(subject: EventDraft["subject"]): Told {
  return { subject, related: [], type: "alert.host", kind: "symptom" };
}

/** Events of all ways of telling, each of something drawn from the whole cloud. */
export function drawDrafts(
  cloud: Cloud,
  count: number,
  name: string,
  random: () => number,
): readonly EventDraft[] {
  const pick = (n: number): number => Math.floor(random() * n);
  return Array.from({ length: count }, (_, n): EventDraft => {
    const drawn = random();
    const [, tell] = ways.find(([upTo]) => drawn < upTo) ?? ways[0]!;
    return {
      key: `${name}-${n}`,
      sourceIds: [`${name}-${n}`],
      occurredAt: instant(builtAt + 6 * 3_600_000 + pick(3_600_000)),
      precision: duration(0),
      category: "other",
      severity: "info",
      visibility: "operational",
      summary: "Something happened",
      details: {},
      ...tell(cloud, pick),
    };
  });
}
