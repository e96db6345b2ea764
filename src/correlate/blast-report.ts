import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Instant } from "../model/instant.ts";
import { tenantKey, type TenantRef } from "../model/tenant.ts";
import type { HarmHop, Reached } from "./blast.ts";
import { likelihoodWord } from "./blast-harm.ts";

/** A relation that nobody has seen for so long before the moment may have ended since. */
const staleMs = 24 * 3_600_000;

/** What was seen to go wrong about one thing in the window. */
export interface Symptoms<E> {
  readonly count: number;
  /** The earliest. */
  readonly first: readonly E[];
}

/** What is known of a thing beside how it is reached. */
export interface Described {
  readonly name?: string;
  readonly tenant?: TenantRef;
}

/** Something that the failure reaches: confirmed where it shows symptoms already, predicted where it does not. */
export interface BlastItem<E> extends Described {
  readonly ref: EntityRef;
  readonly state: "confirmed" | "predicted";
  readonly probability: number;
  readonly likelihood: ReturnType<typeof likelihoodWord>;
  readonly depth: number;
  readonly way: readonly HarmHop[];
  /** When the least lately seen relation of the way was last seen. */
  readonly lastSeenAt?: Instant;
  /** Whether that was more than a day before the moment. */
  readonly isStale: boolean;
  readonly symptoms: Symptoms<E>;
}

export interface BlastCount {
  readonly reached: number;
  readonly confirmed: number;
}

export interface BlastReport<E> {
  /** Confirmed ones first, then the likeliest. */
  readonly items: readonly BlastItem<E>[];
  readonly counts: BlastCount;
  /** The most first. */
  readonly byKind: readonly (BlastCount & { readonly kind: string })[];
  /** Things whose owner is known; empty for who is not told of tenants. */
  readonly byTenant: readonly (BlastCount & { readonly tenant: TenantRef })[];
  /** What the answer does not know, a sentence each. */
  readonly unknown: readonly string[];
}

export interface BlastInput<E> {
  readonly reached: readonly Reached[];
  readonly symptoms: ReadonlyMap<string, Symptoms<E>>;
  readonly described: ReadonlyMap<string, Described>;
  readonly at: Instant;
  /** What the walk itself could not tell. */
  readonly unknown: readonly string[];
  readonly limit: number;
}

/** Puts together what is reached, what of it shows symptoms, and what nobody knows. Pure. */
export function reportBlast<E>(input: BlastInput<E>): BlastReport<E> {
  const items = input.reached.map((one) => toItem(one, input)).toSorted(confirmedFirst);
  return {
    items: items.slice(0, input.limit),
    counts: countOf(items),
    byKind: [...Map.groupBy(items, ({ ref }) => ref.kind)]
      .map(([kind, those]) => ({ kind, ...countOf(those) }))
      .toSorted((a, b) => b.reached - a.reached || (a.kind < b.kind ? -1 : 1)),
    byTenant: countTenants(items),
    unknown: [...input.unknown, ...tellStale(items, input.at)],
  };
}

function toItem<E>(one: Reached, { symptoms, described, at }: BlastInput<E>): BlastItem<E> {
  const seen = symptoms.get(entityKey(one.ref)) ?? { count: 0, first: [] };
  const { lastSeenAt } = one;
  return {
    ref: one.ref,
    ...described.get(entityKey(one.ref)),
    state: seen.count > 0 ? "confirmed" : "predicted",
    probability: one.probability,
    likelihood: likelihoodWord(one.probability),
    depth: one.way.length,
    way: one.way,
    ...(lastSeenAt === undefined ? {} : { lastSeenAt: lastSeenAt as Instant }),
    isStale: lastSeenAt !== undefined && at - lastSeenAt > staleMs,
    symptoms: seen,
  };
}

/** The sort is stable, so that within both the likeliest stay first. */
function confirmedFirst<E>(a: BlastItem<E>, b: BlastItem<E>): number {
  return Number(b.state === "confirmed") - Number(a.state === "confirmed");
}

function countOf<E>(items: readonly BlastItem<E>[]): BlastCount {
  return { reached: items.length, confirmed: items.filter(({ state }) => state === "confirmed").length };
}

function countTenants<E>(items: readonly BlastItem<E>[]): BlastReport<E>["byTenant"] {
  const owned = items.flatMap((item) => (item.tenant === undefined ? [] : [{ item, tenant: item.tenant }]));
  const counts = [...Map.groupBy(owned, ({ tenant }) => tenantKey(tenant)).values()].map((those) => {
    return { tenant: those[0]!.tenant, ...countOf(those.map(({ item }) => item)) };
  });
  return counts.toSorted(
    (a, b) => b.reached - a.reached || (tenantKey(a.tenant) < tenantKey(b.tenant) ? -1 : 1),
  );
}

function tellStale<E>(items: readonly BlastItem<E>[], at: Instant): readonly string[] {
  const stale = items.filter(({ isStale }) => isStale);
  if (stale.length === 0) return [];
  const days = Math.floor((at - Math.min(...stale.map(({ lastSeenAt }) => lastSeenAt!))) / staleMs);
  const many = stale.length === 1 ? "One of these is" : `${stale.length} of these are`;
  return [
    `${many} reached by a relation that was last seen more than a day before, the oldest ${days} ${days === 1 ? "day" : "days"}: whether it still held is not known.`,
  ];
}
