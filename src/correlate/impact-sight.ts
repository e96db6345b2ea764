import type { Instant } from "../model/instant.ts";
import type { Correlatable } from "./correlatable.ts";
import { describeGap } from "./gap-words.ts";
import type { Impact, Reach } from "./impact.ts";
import { holdOf, isOpen, linkTo } from "./impact.ts";
import type { ImpactTrace } from "./impact-trace.ts";

/** What an event has to do with an impact that is open at the target's moment and that the target may be part of. */
export interface ImpactRoot {
  readonly impact: Impact;
  /** How firmly the target belongs to it, in (0, 1]. */
  readonly membership: number;
  /** How firmly the event is tied to the impact's opening. */
  readonly hold: number;
  /** Whether nothing else stands closer before the opening. */
  readonly foremost: boolean;
  readonly says: string;
}

/** The impacts as they stand before one symptom. */
export interface ImpactSight {
  rootOf(event: Correlatable): ImpactRoot | undefined;
  /** How much less it should count as a root of the target, in [0, 1]. */
  reactionOf(event: Correlatable): number;
}

/** The least that a change must weigh at an impact's opening; where none does, the trouble stands for itself. */
const openerMin = 0.1;

/** What was well before somebody acted on it, and ailed after, has perhaps been hurt by it. */
const newTroubleShare = 0.15;

/** Where the impact does not explain the target, an act near it may. */
const membershipMin = 0.3;
const tiedMin = 0.6;

export function seeImpacts(
  trace: ImpactTrace,
  target: {
    readonly event: Correlatable | undefined;
    readonly reach: Pick<Reach, "near" | "words">;
    readonly at: Instant;
    readonly asked: boolean;
  },
): ImpactSight {
  const memberships = new Map<Impact, number>();
  for (const impact of trace.impacts) {
    if (impact.opening.id === target.event?.id || !isOpen(impact, target.at)) continue;
    const membership = target.asked ? linkTo(impact, target.reach, target.at) : Number(impact.shared);
    if (membership > 0) memberships.set(impact, membership);
  }
  const roots = findRoots(memberships, target.at);
  return {
    rootOf: (event) => roots.get(event.id),
    reactionOf(event) {
      let most = 0;
      const own = roots.get(event.id);
      for (const { impact, strength, well } of trace.reactions.get(event.id) ?? []) {
        const membership = memberships.get(impact) ?? 0;
        // What it broke anew explains the target at least as well as what it was to mend.
        const broke = own !== undefined && own.impact !== impact && own.foremost && own.hold >= tiedMin;
        const share =
          broke && own.membership >= membership ? newTroubleShare : shareOf(event, well, membership);
        most = Math.max(most, strength * share);
      }
      return most;
    },
  };

  function shareOf(event: Correlatable, well: ReadonlySet<string>, membership: number): number {
    if (target.event === undefined) return 1;
    const own = trace.reachOf(target.event);
    if (own.own.some((key) => well.has(key))) return newTroubleShare;
    const tied = holdOf(trace.reachOf(event), { ...own, near: target.reach.near });
    return tied >= tiedMin ? Math.max(membershipMin, membership) : 1;
  }
}

function findRoots(memberships: ReadonlyMap<Impact, number>, at: Instant): ReadonlyMap<string, ImpactRoot> {
  const roots = new Map<string, ImpactRoot>();
  const put = (id: string, root: ImpactRoot) => {
    const known = roots.get(id);
    const better =
      known === undefined ||
      Number(root.foremost) * root.membership > Number(known.foremost) * known.membership ||
      (root.foremost === known.foremost && root.membership * root.hold > known.membership * known.hold);
    if (better) roots.set(id, root);
  };
  for (const [impact, membership] of memberships) {
    const [first] = impact.openers;
    for (const { event, hold } of impact.openers) {
      const foremost = event === first?.event && first.weight >= openerMin;
      const says = foremost ? "opened an impact that is still open" : "";
      put(event.id, { impact, membership, hold, foremost, says });
    }
    // What many stand on and is down explains what stands on it, whatever opened its own trouble.
    const isPlace = impact.opening.subject.kind !== "component";
    if (impact.shared && (isPlace || first === undefined || first.weight < openerMin)) {
      const says = `still open after ${describeGap(at - impact.opening.occurredAt)}`;
      put(impact.opening.id, { impact, membership, hold: 1, foremost: true, says });
    }
  }
  return roots;
}
