import type { AccountWords } from "./account-words.ts";
import { byTime } from "./candidate-group.ts";
import { classOf, weighTime } from "./change-class.ts";
import type { Correlatable } from "./correlatable.ts";
import type { Impact, Opener, Reach, ReachReader } from "./impact.ts";
import { holdOf, isOpen, joinImpact, keepWords, linkTo, openImpact } from "./impact.ts";
import { soundsLikeBlunder, soundsLikeRemedy } from "./reaction.ts";

/** A change made while an impact was open on the same or a dependent thing. */
export interface Reaction {
  readonly impact: Impact;
  /** How surely it was one, in (0, 1]. */
  readonly strength: number;
  /** Of the things that it acted on, those that were well then: their trouble from then on is new. */
  readonly well: ReadonlySet<string>;
}

export interface ImpactTrace {
  readonly impacts: readonly Impact[];
  /** By the id of the change. */
  readonly reactions: ReadonlyMap<string, readonly Reaction[]>;
  readonly reachOf: ReachReader;
}

/** A recovery counts once the thing has stayed well for so long; before that it is a lull. */
const relapseMs = 15 * 60_000;

/** A link this firm makes a symptom part of an impact, and its thing part of what keeps the impact open. */
export const firmLink = 0.35;

/** What could have opened an impact is looked for so far back. */
const openersMs = 24 * 3_600_000;
const openersMax = 50;
const openerMin = 0.02;

/** Of what else an account tells, little is the act that broke something, but some is told as no more than that. */
const openerShare: Partial<Record<Correlatable["kind"], number>> = { change: 1, activity: 0.4, human: 0.3 };

/** People go on mending what seems well: a rollback so long after the last trouble is still one. */
const afterthoughtMs = 2 * 3_600_000;
const afterthought = 0.7;

/** A recovery that is still going on, or only hoped for, ends nothing. */
const underWay =
  /(?<![\p{L}])(recovering|in progress|process is|will take|(is|are) being|starts? to|started to|begins? to|partial(ly)?|slowly|should be|for a moment|briefly|seems? to|appears? to|for now|en cours|semble\p{L}*)(?![\p{L}])/iu;

/**
 * Follows the troubles told in `events` through time: which symptoms belong together, what may have opened them, what
 * was done about them, and what of it is still open at the end. Pure, and the same in whatever order they come.
 */
export function traceImpacts(events: readonly Correlatable[], reachOf: ReachReader): ImpactTrace {
  const ordered = events.toSorted(byTime);
  const tracer = new ImpactTracer(reachOf, indexTroubles(ordered));
  for (const event of ordered) tracer.take(event);
  return tracer;
}

class ImpactTracer implements ImpactTrace {
  readonly impacts: Impact[] = [];
  readonly reactions = new Map<string, readonly Reaction[]>();
  readonly reachOf: ReachReader;
  readonly #shared: Impact[] = [];
  readonly #byPlace = new Map<string, Set<Impact>>();
  readonly #troubleTimes: ReadonlyMap<string, readonly number[]>;
  readonly #changes = new Map<string, Correlatable[]>();
  readonly #told: { readonly event: Correlatable; readonly words: AccountWords }[] = [];

  constructor(reachOf: ReachReader, troubleTimes: ReadonlyMap<string, readonly number[]>) {
    this.reachOf = reachOf;
    this.#troubleTimes = troubleTimes;
  }

  take(event: Correlatable): void {
    const reach = this.reachOf(event);
    if (isTrouble(event)) this.#takeTrouble(event, reach);
    else if (event.kind === "recovery") this.#takeRecovery(event, reach);
    else if (event.kind !== "symptom") this.#takeAct(event, reach);
  }

  #takeTrouble(event: Correlatable, reach: Reach): void {
    const open = this.#around(reach).filter((impact) => isOpen(impact, event.occurredAt));
    const links = open.map((impact) => ({ impact, link: linkTo(impact, reach, event.occurredAt) }));
    const openers = this.#findOpeners(event, reach);
    const belongs = Math.max(0, ...links.map(({ link }) => link));
    for (const { impact, link } of links) if (link >= firmLink) this.#join(impact, event, reach, link);
    if (belongs < firmLink || (openers[0]?.weight ?? 0) > belongs) {
      const impact = openImpact(event, reach, openers);
      this.impacts.push(impact);
      if (impact.shared) this.#shared.push(impact);
      this.#index(impact, reach);
    }
  }

  #join(impact: Impact, event: Correlatable, reach: Reach, link: number): void {
    joinImpact(impact, event, reach, link);
    this.#index(impact, reach);
  }

  #index(impact: Impact, { own }: Reach): void {
    for (const key of own) this.#byPlace.set(key, (this.#byPlace.get(key) ?? new Set()).add(impact));
  }

  /** The impacts that what is touched may be linked to firmly: by a thing, or by what is written of it. */
  #around({ near, words }: Reach): readonly Impact[] {
    const around = new Set<Impact>(words === undefined ? [] : this.#shared);
    for (const key of near.keys()) for (const impact of this.#byPlace.get(key) ?? []) around.add(impact);
    return [...around];
  }

  #takeRecovery(event: Correlatable, reach: Reach): void {
    const relapses = reach.own.some((key) =>
      (this.#troubleTimes.get(key) ?? []).some((time) => {
        const laterMs = time - event.occurredAt;
        return laterMs > 0 && laterMs <= relapseMs;
      }),
    );
    if (relapses || (reach.words !== undefined && underWay.test(event.summary))) return;
    const whole = isWholeAccount(event);
    for (const impact of this.impacts) {
      const sameAccount = whole && impact.accounts.some(({ account }) => account === reach.words?.account);
      for (const [key, trouble] of impact.troubles) {
        if (sameAccount || reach.own.includes(key)) trouble.open = false;
      }
    }
  }

  /** A change, or what people and jobs did: perhaps a reaction, perhaps what opens the next impact. */
  #takeAct(event: Correlatable, reach: Reach): void {
    const reactions: Reaction[] = [];
    for (const impact of this.#around(reach)) {
      const open = isOpen(impact, event.occurredAt);
      const ails = open && reach.own.some((key) => impact.troubles.get(key)?.open === true);
      if (event.kind === "human" && ails) keepWords(impact, reach);
      const link = open ? linkTo(impact, reach, event.occurredAt) : 0;
      const strength = Math.max(
        reactionStrength(event, link, ails, reach.words !== undefined),
        ailedLately(impact, reach, event) && soundsLikeRemedy(event) ? afterthought : 0,
      );
      const well = new Set(
        reach.own.filter(
          (key) => impact.troubles.get(key)?.open !== true && !ailedLately(impact, reach, event),
        ),
      );
      if (strength > 0) reactions.push({ impact, strength, well });
    }
    if (reactions.length > 0) this.reactions.set(event.id, reactions);
    if (reach.words !== undefined) this.#told.push({ event, words: reach.words });
    if (event.kind !== "change") return;
    for (const key of reach.own) {
      const list = this.#changes.get(key);
      if (list === undefined) this.#changes.set(key, [event]);
      else list.push(event);
    }
  }

  #findOpeners(symptom: Correlatable, reach: Reach): readonly Opener[] {
    const near = [...reach.near.keys()].flatMap((key) => this.#changes.get(key)?.slice(-openersMax) ?? []);
    const told = reach.words === undefined ? [] : this.#told.slice(-4 * openersMax).map(({ event }) => event);
    return [...new Set([...near, ...told])]
      .filter((event) => symptom.occurredAt - event.occurredAt <= openersMs)
      .map((event) => this.#toOpener(event, symptom, reach))
      .filter(({ weight }) => weight >= openerMin)
      .toSorted((a, b) => b.weight - a.weight || byTime(a.event, b.event))
      .slice(0, openersMax);
  }

  #toOpener(event: Correlatable, symptom: Correlatable, reach: Reach): Opener {
    const hold = holdOf(this.reachOf(event), reach) * (openerShare[event.kind] ?? 0);
    const time = Math.exp(weighTime(symptom.occurredAt - event.occurredAt, classOf(event)));
    const helped = (this.reactions.get(event.id) ?? [])
      .filter(({ well }) => !reach.own.some((key) => well.has(key)))
      .reduce((most, { strength }) => Math.max(most, strength), 0);
    return { event, hold, weight: hold * time * (1 - helped) };
  }
}

/** Surely, where it acts on what ails and sounds like help; less where only one of the two holds; hardly where it was a mistake. */
function reactionStrength(event: Correlatable, link: number, ails: boolean, told: boolean): number {
  if (soundsLikeBlunder(event)) return 0.2 * link;
  if (ails) return soundsLikeRemedy(event) ? 1 : 0.8;
  if (link === 0 || (link < firmLink && !told)) return 0;
  return soundsLikeRemedy(event) ? Math.max(0.6, link) : 0.3 * link;
}

function ailedLately(impact: Impact, reach: Reach, { occurredAt }: Correlatable): boolean {
  return reach.own.some((key) => {
    const trouble = impact.troubles.get(key);
    return trouble !== undefined && occurredAt - trouble.lastAt <= afterthoughtMs;
  });
}

function isTrouble(event: Correlatable): boolean {
  return event.kind === "symptom" && event.severity !== "info";
}

/** A row without a component is told of the whole. */
function isWholeAccount({ subject, details }: Correlatable): boolean {
  return subject.kind === "component" && [details["title"], details["document"]].includes(subject.id);
}

function indexTroubles(ordered: readonly Correlatable[]): ReadonlyMap<string, readonly number[]> {
  const times = new Map<string, number[]>();
  for (const event of ordered) {
    if (!isTrouble(event)) continue;
    for (const key of new Set(
      [event.subject, ...event.related.map((item) => item.ref)].map(({ kind, id }) => `${kind}:${id}`),
    )) {
      const list = times.get(key);
      if (list === undefined) times.set(key, [event.occurredAt]);
      else list.push(event.occurredAt);
    }
  }
  return times;
}
