import type { Visibility } from "./event.ts";
import type { Instant } from "./instant.ts";
import { domainKey, projectKey, type TenantKey, type TenantRef } from "./tenant.ts";

const dayMs = 86_400_000;

/** For how many days events of each class are kept; a class that is absent or null is kept for ever. */
export type ClassDays = Readonly<Partial<Record<Visibility, number | null>>>;

/** How long what is kept: the tenant's own word over its domain's, over that of all. */
export interface RetentionPolicy {
  readonly days: ClassDays;
  /** By the key of a project or a domain. */
  readonly tenants: ReadonlyMap<TenantKey, ClassDays>;
  /** For how long records that could not be used are kept; absent for ever. */
  readonly setAsideDays?: number;
}

/** Keeps everything, which is what holds where nothing is configured. */
export const keepEverything: RetentionPolicy = { days: {}, tenants: new Map() };

/** Whether the policy can delete anything at all. */
export function deletesAnything({ days, tenants, setAsideDays }: RetentionPolicy): boolean {
  return setAsideDays !== undefined || [days, ...tenants.values()].some(hasDays);
}

function hasDays(days: ClassDays): boolean {
  return Object.values(days).some((value) => typeof value === "number");
}

/** The latest moment before which something may be past; undefined where no event ever is. */
export function latestCutoff({ days, tenants }: RetentionPolicy, now: Instant): number | undefined {
  const all = [days, ...tenants.values()].flatMap((one) =>
    Object.values(one).filter((value) => typeof value === "number"),
  );
  return all.length === 0 ? undefined : now - Math.min(...all) * dayMs;
}

/** Why something is not to be deleted, whatever its age: of a tenant, or of a resource; for a span or for all of time. */
export interface LegalHold {
  readonly id: string;
  readonly target:
    | { readonly kind: "tenant"; readonly label: string; readonly keys: readonly TenantKey[] }
    | {
        readonly kind: "resource";
        readonly controlPlane: string;
        /** `server:6f3c…`, as events mention it. */
        readonly entityKey: string;
      };
  /** Half-open; an absent end is open. */
  readonly from?: Instant;
  readonly to?: Instant;
  readonly why: string;
  readonly placedBy: string;
  readonly placedAt: Instant;
  readonly lifted?: { readonly by: string; readonly why: string; readonly at: Instant };
}

/** One tenant's own part of an event. */
export interface EditionPart {
  readonly key: string;
  readonly domainKey?: string;
  readonly visibility: Visibility;
}

/** All of an event that retention looks at. */
export interface EventParts {
  readonly controlPlane: string;
  readonly occurredAt: number;
  /** When the last of what it stands for happened. */
  readonly lastAt: number;
  readonly visibility: Visibility;
  /** Absent for what is the provider's, shared, or nobody's. */
  readonly owner?: TenantRef;
  /** The keys of those whom it affects. */
  readonly affected: readonly string[];
  readonly mentions: readonly string[];
  readonly editions: readonly EditionPart[];
}

/** What of an event is past: all of it, or the parts of some tenants, by their place in `editions`. */
export interface PastParts {
  readonly event: boolean;
  readonly editions: readonly number[];
}

const nothing: PastParts = { event: false, editions: [] };

/**
 * Each tenant's part of a shared event goes at the end of that tenant's own retention, and the event with the last of
 * its parts; an owned event with its owner's. A hold on a tenant keeps its part, and with it the event; a hold on a
 * resource keeps all of what mentions it.
 */
export function findPast(
  policy: RetentionPolicy,
  holds: readonly LegalHold[],
  now: Instant,
  parts: EventParts,
): PastParts {
  const standing = standingHolds(holds, parts);
  if (standing.some((hold) => holdsResource(hold, parts))) return nothing;
  const isHeld = (keys: readonly (string | undefined)[]): boolean =>
    standing.some(({ target }) => target.kind === "tenant" && target.keys.some((key) => keys.includes(key)));
  const isPast = (keys: readonly (string | undefined)[], visibility: Visibility): boolean => {
    const days = daysOf(policy, keys, visibility);
    return days !== undefined && parts.lastAt < now - days * dayMs && !isHeld(keys);
  };
  const ownKeys = keysOf(parts.owner);
  const ownPast = isPast(ownKeys, parts.visibility);
  const past = parts.editions.flatMap(({ key, domainKey: domain, visibility }, index) => {
    if (ownKeys[0] === key) return ownPast ? [index] : [];
    return isPast([key, domain], visibility) ? [index] : [];
  });
  if (ownPast && past.length === parts.editions.length && !isHeld(parts.affected))
    return { event: true, editions: past };
  return { event: false, editions: past.filter((index) => parts.editions[index]?.key !== ownKeys[0]) };
}

/** Whether a hold keeps the whole event from being erased, or the tenant's part of it. */
export function isErasureHeld(
  holds: readonly LegalHold[],
  parts: EventParts,
  keys: readonly string[],
): boolean {
  return standingHolds(holds, parts).some(
    (hold) =>
      holdsResource(hold, parts) ||
      (hold.target.kind === "tenant" && hold.target.keys.some((key) => keys.includes(key))),
  );
}

function standingHolds(holds: readonly LegalHold[], { occurredAt, lastAt }: EventParts) {
  return holds.filter(
    ({ lifted, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY }) =>
      lifted === undefined && lastAt >= from && occurredAt < to,
  );
}

function holdsResource({ target }: LegalHold, { controlPlane, mentions }: EventParts): boolean {
  return (
    target.kind === "resource" && target.controlPlane === controlPlane && mentions.includes(target.entityKey)
  );
}

/** The owner's own key first, then its domain's. */
export function keysOf(tenant: TenantRef | undefined): readonly TenantKey[] {
  if (tenant === undefined) return [];
  const { controlPlane, projectId, domainId } = tenant;
  return [
    ...(projectId === undefined ? [] : [projectKey(controlPlane, projectId)]),
    ...(domainId === undefined ? [] : [domainKey(controlPlane, domainId)]),
  ];
}

/** Undefined for ever. */
function daysOf(
  { days, tenants }: RetentionPolicy,
  keys: readonly (string | undefined)[],
  visibility: Visibility,
): number | undefined {
  for (const key of keys) {
    const own = key === undefined ? undefined : tenants.get(key as TenantKey)?.[visibility];
    if (own !== undefined) return own ?? undefined;
  }
  return days[visibility] ?? undefined;
}

/** Who is to be erased: a tenant with all that was its own, or a person. */
export type ErasureTarget =
  | { readonly kind: "tenant"; readonly label: string; readonly keys: readonly TenantKey[] }
  | {
      readonly kind: "user";
      readonly userId: string;
      /** Further words that name the person, to be taken out wherever they stand. */
      readonly words: readonly string[];
    };

/** What an erasure takes, or would take. */
export interface ErasureCounts {
  /** Events that go as a whole. */
  readonly events: number;
  /** Events that stay without what concerned the one who is erased. */
  readonly changed: number;
  readonly editions: number;
  readonly stormMembers: number;
  readonly setAside: number;
  readonly facts: number;
  /** Kept back by legal holds. */
  readonly held: number;
}

export const noErasureCounts: ErasureCounts = {
  events: 0,
  changed: 0,
  editions: 0,
  stormMembers: 0,
  setAside: 0,
  facts: 0,
  held: 0,
};
