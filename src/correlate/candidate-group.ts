import { entityKey } from "../model/entity.ts";
import type { Correlatable } from "./correlatable.ts";
import { isShared } from "./shared-thing.ts";

/** What is ranked as one: the steps of an operation, or the reports of one trouble. */
export interface CandidateGroup<E> {
  readonly event: E;
  /** How many further events it stands for. */
  readonly also: number;
  readonly ended: boolean;
  /** Of whatever else belongs to the same operation. */
  readonly key: string;
}

/** Several monitors reporting one host within this time are taken for one trouble of it. */
const sameTroubleMs = 5 * 60_000;

/**
 * Steps of one operation on one resource are one candidate: its end, or its start while no end is seen.
 * So are the reports of one shared thing's trouble, told by its first.
 */
export function groupCandidates<E extends Correlatable>(events: readonly E[]): readonly CandidateGroup<E>[] {
  const groups = new Map<string, E[]>();
  const troubles = new Map<string, { readonly key: string; readonly at: number }>();
  for (const event of events.toSorted(byTime)) {
    const key = troubleKey(event, troubles) ?? operationKey(event);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [event]);
    else group.push(event);
  }
  return [...groups].map(([key, group]) => {
    const [first] = group;
    const told = first?.kind === "symptom" && key.startsWith("trouble|") ? first : group.findLast(isSettled);
    const event = told ?? group[0]!;
    return { event, also: group.length - 1, ended: isSettled(event), key };
  });
}

/** By time and, within it, by id: the same list whatever order the events came in. */
export function byTime(a: Correlatable, b: Correlatable): number {
  return a.occurredAt - b.occurredAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

function isSettled({ phase }: Correlatable): boolean {
  return phase !== "start" && phase !== "progress";
}

/** One request on one resource is one operation, whoever reports its steps and under which names. */
export function operationKey(event: Correlatable): string {
  return `${entityKey(event.subject)}|${event.operation?.requestId ?? event.id}`;
}

/** The trouble that a symptom of a host belongs to: one that began not long before, or its own. */
function troubleKey(
  event: Correlatable,
  troubles: Map<string, { readonly key: string; readonly at: number }>,
): string | undefined {
  if (event.kind !== "symptom" || !isShared(event.subject)) return undefined;
  const host = [event.subject, ...event.related.map((item) => item.ref)].find((ref) => ref.kind === "host");
  if (host === undefined) return undefined;
  const known = troubles.get(entityKey(host));
  if (known !== undefined && event.occurredAt - known.at <= sameTroubleMs) return known.key;
  const fresh = { key: `trouble|${event.id}`, at: event.occurredAt };
  troubles.set(entityKey(host), fresh);
  return fresh.key;
}
