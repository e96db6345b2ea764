import { createHash } from "node:crypto";
import type { Attribution, StoredEvent } from "../model/event.ts";
import type { Ruling, RulingAnswer, RulingMatch } from "../model/ruling.ts";
import { matchesEvent } from "../model/ruling-index.ts";
import { tenantKey, type TenantKey, type TenantRef } from "../model/tenant.ts";
import { unprovenReason } from "../model/unproven.ts";
import type { MatchPlace, RulingSet, RulingStore } from "../store/ruling-store.ts";
import type { Stages } from "./ingest.ts";
import { groupByPlace, resolveStored } from "./reattribute.ts";

const eventsPerPage = 500;

/** So many events are looked at, and so many pages: beyond either the answer says that there is more. */
export const lookedAtMax = 10_000;
const pagesMax = 1_000;

const examplesMax = 10;

export interface DryRunRequest {
  readonly match: RulingMatch;
  readonly answer: RulingAnswer;
  /** The ruling that this would be a further version of. */
  readonly revises?: string;
}

/** What one tenant would own, and how many of those it would not be shown. */
export interface TenantShare {
  readonly tenant: TenantRef;
  readonly events: number;
  readonly notShown: number;
}

/** What a ruling would do. The numbers are at least what they say where `truncated`. */
export interface DryRun {
  /** Of all that is told here: it changes with any of it. */
  readonly digest: string;
  readonly rulingsVersion: number;
  readonly truncated: boolean;
  /** Events that the match is about and that no rule proves an owner of. */
  readonly matching: number;
  readonly leave: number;
  readonly stay: number;
  /** By reason, the most frequent first. */
  readonly stayBecause: readonly { readonly reason: string; readonly events: number }[];
  /** The most events first. */
  readonly byTenant: readonly TenantShare[];
  /** Events that a tenant would own and not be shown, for they are the provider's alone to see. */
  readonly notShown: number;
  readonly provider: number;
  /** Events that another tenant was shown before. */
  readonly secondTenant: number;
  /** Events with a proven owner who would lose them. */
  readonly contradicted: number;
  readonly examples: readonly { readonly event: StoredEvent; readonly wouldBe: Attribution }[];
}

export interface DryRunStages extends Pick<Stages, "topology" | "buildView" | "resolve" | "rulings" | "now"> {
  readonly ruled: Pick<RulingStore, "current" | "matched" | "earlierAnswers">;
}

/** Tells what a ruling would do, by the real resolver over the stored events under the set of rulings that would stand. */
export async function dryRun(stages: DryRunStages, request: DryRunRequest): Promise<DryRun> {
  const set = await stages.ruled.current();
  const supposed = suppose(stages, set, request);
  const tally = new Tally(request);
  let after: MatchPlace | undefined;
  let looked = 0;
  for (let page = 0; ; page += 1) {
    const limit = Math.min(eventsPerPage, lookedAtMax - looked);
    if (page === pagesMax || limit === 0) {
      tally.truncated = true;
      break;
    }
    const { events, next } = await stages.ruled.matched(request.match, limit, after);
    looked += events.length;
    await lookAt(stages, events, supposed, tally);
    if (next === undefined) break;
    after = next;
  }
  return tally.conclude(set.version);
}

/** The set of rulings as it would stand. */
function suppose(
  { now }: Pick<Stages, "now">,
  { version, rulings }: RulingSet,
  request: DryRunRequest,
): RulingSet {
  const { match, answer, revises } = request;
  // An id that no ruling has and that comes in the same place whenever it is asked for.
  const id = revises ?? "rul_~";
  const ruling: Ruling = { id, version: 1, match, answer, by: "", why: "", decidedAt: now() };
  return { version, rulings: [...rulings.filter((one) => one.id !== id), ruling] };
}

async function lookAt(
  stages: DryRunStages,
  events: readonly StoredEvent[],
  supposed: RulingSet,
  tally: Tally,
): Promise<void> {
  // The store finds more than the match is about: names are compared here.
  const about = events.filter((event) => matchesEvent(tally.request.match, event, event));
  if (about.length === 0) return;
  const earlier = Map.groupBy(
    await stages.ruled.earlierAnswers(about.map(({ id }) => id)),
    ({ eventId }) => eventId,
  );
  for (const [place, group] of groupByPlace(about)) {
    const resolved = await resolveStored(stages, place, group, supposed);
    for (const [index, event] of group.entries()) {
      const before = [event.attribution, ...(earlier.get(event.id) ?? []).map((one) => one.attribution)];
      tally.add(event, resolved[index]!.attribution, before);
    }
  }
}

/** The keys of the tenants whom the answer showed the event to. */
function shownTo(attribution: Attribution): readonly TenantKey[] {
  if (attribution.status === "owned") return [tenantKey(attribution.tenant)];
  return attribution.status === "shared" ? attribution.affected.map(({ tenant }) => tenantKey(tenant)) : [];
}

class Tally {
  readonly request: DryRunRequest;
  truncated = false;
  #matching = 0;
  #provider = 0;
  #secondTenant = 0;
  #contradicted = 0;
  readonly #stay = new Map<string, number>();
  readonly #tenants = new Map<TenantKey, TenantShare>();
  readonly #examples: { event: StoredEvent; wouldBe: Attribution }[] = [];

  constructor(request: DryRunRequest) {
    this.request = request;
  }

  add(event: StoredEvent, wouldBe: Attribution, before: readonly Attribution[]): void {
    const reason = unprovenReason(wouldBe);
    if (unprovenReason(event.attribution) === undefined) {
      if (event.attribution.status === "owned" && reason === "ruling-contradicted") {
        this.#contradicted += 1;
        this.#show(event, wouldBe);
      }
      return;
    }
    this.#matching += 1;
    this.#show(event, wouldBe);
    if (wouldBe.status === "owned") this.#own(event, wouldBe.tenant, before);
    else if (wouldBe.status === "ambiguous" || wouldBe.status === "unresolved") {
      const word = reason ?? wouldBe.status;
      this.#stay.set(word, (this.#stay.get(word) ?? 0) + 1);
    } else this.#provider += 1;
  }

  #own({ visibility }: StoredEvent, tenant: TenantRef, before: readonly Attribution[]): void {
    const key = tenantKey(tenant);
    const known = this.#tenants.get(key) ?? { tenant, events: 0, notShown: 0 };
    const notShown = known.notShown + (visibility === "provider" ? 1 : 0);
    this.#tenants.set(key, { tenant: known.tenant, events: known.events + 1, notShown });
    if (before.flatMap(shownTo).some((other) => other !== key)) this.#secondTenant += 1;
  }

  #show(event: StoredEvent, wouldBe: Attribution): void {
    if (this.#examples.length < examplesMax) this.#examples.push({ event, wouldBe });
  }

  conclude(rulingsVersion: number): DryRun {
    const byTenant = [...this.#tenants]
      .toSorted(([a, one], [b, other]) => other.events - one.events || (a < b ? -1 : 1))
      .map(([, count]) => count);
    const stayBecause = [...this.#stay]
      .toSorted(([a, one], [b, other]) => other - one || (a < b ? -1 : 1))
      .map(([reason, events]) => ({ reason, events }));
    const stay = stayBecause.reduce((sum, { events }) => sum + events, 0);
    const told = {
      rulingsVersion,
      truncated: this.truncated,
      matching: this.#matching,
      leave: this.#matching - stay,
      stay,
      stayBecause,
      byTenant,
      notShown: byTenant.reduce((sum, share) => sum + share.notShown, 0),
      provider: this.#provider,
      secondTenant: this.#secondTenant,
      contradicted: this.#contradicted,
    };
    const { match, answer, revises = "" } = this.request;
    const text = JSON.stringify([Object.entries(match).toSorted(byName), answer, revises, told]);
    const digest = createHash("sha256").update(text).digest("base64url").slice(0, 32);
    return { ...told, digest, examples: this.#examples };
  }
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
