import { entityKey } from "../model/entity.ts";
import type { WordLink } from "./account-words.ts";
import type { Addend } from "./addend.ts";
import type { ChangeClass } from "./change-class.ts";
import { classOf, weighTime } from "./change-class.ts";
import type { Correlatable } from "./correlatable.ts";
import type { Direction } from "./direction.ts";
import type { EvidenceContext } from "./evidence.ts";
import { weighEvidence } from "./evidence.ts";
import { describeGap } from "./gap-words.ts";
import type { ImpactRoot } from "./impact-sight.ts";
import { surpriseOf } from "./rarity.ts";
import { isNotice, isShared } from "./shared-thing.ts";
import type { TopologyPath } from "./topology-paths.ts";
import type { TypePair, UsualRate, Verdict } from "./what-else-input.ts";

/** What is known about a candidate when it is scored. */
export interface Weighing {
  readonly target: Correlatable | undefined;
  readonly candidate: Correlatable;
  /** Whether there is anything that a way could lead to; from a moment alone there is not. */
  readonly asked: boolean;
  /** From the candidate's end to the target, in ms; 0 while it surely ran, slightly negative inside the clocks' error. */
  readonly gapMs: number;
  readonly direction: Direction;
  readonly path: TopologyPath | undefined;
  /** How the records' words relate the two, where they are told in words. */
  readonly words: WordLink | undefined;
  readonly rate: UsualRate | undefined;
  readonly pair: TypePair | undefined;
  readonly root: ImpactRoot | undefined;
  /** How surely it was an attempt to help with what the target shows, in [0, 1]. */
  readonly reaction: number;
  /** Planned work that covers it, in words. */
  readonly planned: string | undefined;
  readonly verdict: Verdict | undefined;
  /** On how many things the target's actor was seen to act. */
  readonly actorThings: number;
  readonly evidence: EvidenceContext;
}

/** The strength that "no way found" stands for. */
const noPathStrength = 0.01;

/** A way this strong is told, though a later one in the list may be stronger. */
const tellableStrength = 0.3;

/** A membership this firm lets an impact's root count in full. */
const fullMembership = 0.5;

/** All weights set by hand, in natural logarithms of odds; each is one opinion, kept in one place to be fitted. */
export const weights = {
  surprise: 0.6,
  sharedTrouble: 1.5,
  ownSymptom: -0.5,
  opened: 1,
  stillOpen: 1.5,
  reaction: -2,
  pairMax: 1.5,
  pair: 0.5,
  sameRequest: 1.5,
  sameWorkflow: 1,
  sameActor: 0.3,
  plannedAlert: -2,
  unordered: -0.2,
  /** Seen after the symptom, though the clocks would allow that it was not. */
  seenAfter: -1.5,
  verdict: { confirmed: 4, suspected: 1, "ruled-out": -4 },
} as const;

/** The addends of a candidate's score, in the order in which they are told. */
export function weigh(weighing: Weighing): readonly Addend[] {
  const own = classOf(weighing.candidate);
  return [
    timeAddend(weighing, own),
    orderAddend(weighing),
    pathAddend(weighing),
    rarityAddend(weighing),
    classAddend(weighing, own),
    impactAddend(weighing, own),
    reactionAddend(weighing),
    pairAddend(weighing),
    requestAddend(weighing),
    actorAddend(weighing),
    plannedAddend(weighing),
    verdictAddend(weighing),
    // What the records themselves say joins here.
    ...weighEvidence(weighing.evidence, weighing.candidate),
  ].filter((addend) => addend !== undefined);
}

function timeAddend({ gapMs, direction }: Weighing, own: ChangeClass): Addend {
  const says = direction === "in-progress" && gapMs === 0 ? "running then" : `${describeGap(gapMs)} before`;
  return { name: "time", value: weighTime(gapMs, own), says };
}

function orderAddend({ direction, gapMs }: Weighing): Addend | undefined {
  if (direction !== "unordered") return undefined;
  const value = gapMs < 0 ? weights.seenAfter : weights.unordered;
  return { name: "order", value, says: "order unknown inside the clocks' error" };
}

/** The strongest of three ways: through the topology, by what the records say, or with an impact that it opened. */
function pathAddend({ path, words, root, target, candidate, asked }: Weighing): Addend | undefined {
  if (!asked) return undefined;
  const ways = [
    { strength: path?.strength ?? 0, says: path === undefined ? "" : tellPath(path, target, candidate) },
    { strength: words?.strength ?? 0, says: words?.says ?? "" },
    {
      strength: root === undefined ? 0 : root.membership * root.hold,
      says: root === undefined ? "" : `through trouble of ${tellPlace(root.impact.opening)}`,
    },
  ];
  const best = ways.reduce((most, way) => (way.strength > most.strength ? way : most));
  if (best.strength <= noPathStrength) {
    return { name: "path", value: Math.log(noPathStrength), says: "no path found" };
  }
  // What stands on what is easier to check than what an impact reached.
  const told = ways.find(({ strength }) => strength >= tellableStrength) ?? best;
  return { name: "path", value: Math.log(best.strength), says: told.says };
}

function tellPlace({ subject, subjectName }: Correlatable): string {
  return subject.kind === "component"
    ? (subjectName ?? subject.id)
    : `${subject.kind.replaceAll("_", " ")} ${subjectName ?? subject.id}`;
}

function tellPath(path: TopologyPath, target: Correlatable | undefined, candidate: Correlatable): string {
  if (path.hops.length > 0) return pathWords(path);
  if (target === undefined || entityKey(target.subject) === entityKey(candidate.subject))
    return "same resource";
  return isNotice(candidate) ? "affects this resource" : `mentions the same ${sharedKind(target, candidate)}`;
}

function sharedKind(target: Correlatable, candidate: Correlatable): string {
  const own = new Set([target.subject, ...target.related.map((item) => item.ref)].map(entityKey));
  const shared = [candidate.subject, ...candidate.related.map((item) => item.ref)].find((ref) =>
    own.has(entityKey(ref)),
  );
  return shared?.kind.replaceAll("_", " ") ?? "resource";
}

/** Names the entity through which the way leads: `same host compute-02`, else the hops' kinds. */
function pathWords(path: TopologyPath): string {
  const kinds = path.hops.map((hop) => hop.relation);
  const host = path.hops.flatMap((hop) => [hop.from, hop.to]).find((ref) => ref.kind === "host");
  if (host !== undefined) return `same host ${host.id}`;
  if (kinds.includes("owned_by")) return "same project";
  if (kinds.includes("on_network")) return "same network";
  return `through ${kinds.map((kind) => kind.replaceAll("_", " ")).join(", then ")}`;
}

function rarityAddend({ rate, gapMs }: Weighing): Addend {
  const surprise = surpriseOf(rate, gapMs);
  const says = surprise >= 1.3 ? "rarely seen" : surprise <= 0.1 ? "often seen" : "";
  return { name: "rarity", value: weights.surprise * surprise, says };
}

function classAddend({ candidate, target, path }: Weighing, { value, says }: ChangeClass): Addend {
  if (candidate.kind !== "symptom") return { name: "class", value, says };
  if (isNotice(candidate) && path !== undefined) {
    return { name: "class", value: weights.sharedTrouble, says: "trouble of a shared part of the platform" };
  }
  const { subject } = candidate;
  if (isShared(subject) && path !== undefined && target?.subject.kind !== subject.kind) {
    return { name: "class", value: weights.sharedTrouble, says: "trouble of shared infrastructure" };
  }
  const fellow = target === undefined || entityKey(target.subject) !== entityKey(subject);
  return fellow
    ? { name: "class", value, says }
    : { name: "class", value: weights.ownSymptom, says: "an earlier symptom" };
}

/**
 * A floor: while an impact is open, the time of what opened it is counted to its opening, not to the symptom. What
 * stood closest before the opening, or opened it by its own trouble, has more.
 */
function impactAddend({ root, candidate, gapMs }: Weighing, own: ChangeClass): Addend | undefined {
  if (root === undefined) return undefined;
  const firm = Math.min(1, root.membership / fullMembership);
  if (root.impact.opening.id === candidate.id) {
    return { name: "open impact", value: weights.stillOpen * firm, says: root.says };
  }
  const toOpening = weighTime(root.impact.opening.occurredAt - candidate.occurredAt, own);
  const kept = Math.max(0, toOpening - weighTime(gapMs, own)) * root.hold;
  const value = firm * (kept + (root.foremost ? weights.opened * root.hold : 0));
  return value === 0 ? undefined : { name: "open impact", value, says: root.says };
}

function reactionAddend({ reaction }: Weighing): Addend | undefined {
  const says = reaction >= 0.3 ? "made while an impact was open, as attempts to help are" : "";
  return reaction === 0 ? undefined : { name: "reaction", value: weights.reaction * reaction, says };
}

/** Learnt over types; three times together is little, and beyond chance only where it is rare by chance. */
function pairAddend({ pair }: Weighing): Addend | undefined {
  if (pair === undefined || pair.together < 3 || pair.pValue > 0.01 || pair.lift <= 0) return undefined;
  const learnt = weights.pair * Math.log(pair.lift) * pair.direction;
  const value = Math.max(-weights.pairMax, Math.min(weights.pairMax, learnt));
  const says =
    value > 0 ? `such a symptom followed ${pair.together} times` : "usually comes after such symptoms";
  return { name: "pair", value, says };
}

function requestAddend({ target, candidate }: Weighing): Addend | undefined {
  const own = target?.operation;
  const theirs = candidate.operation;
  if (own === undefined || theirs === undefined) return undefined;
  const ids = [own.requestId, own.globalRequestId].filter((id) => id !== undefined);
  if (ids.some((id) => id === theirs.requestId || id === theirs.globalRequestId)) {
    return { name: "request", value: weights.sameRequest, says: "same request" };
  }
  return own.workflowId !== undefined && own.workflowId === theirs.workflowId
    ? { name: "request", value: weights.sameWorkflow, says: "same workflow" }
    : undefined;
}

/** Who works on everything, as administrators and services do, relates everything: each of many things counts for less. */
function actorAddend({ target, candidate, actorThings }: Weighing): Addend | undefined {
  const user = target?.actor?.userId;
  if (user === undefined || user !== candidate.actor?.userId) return undefined;
  const value = weights.sameActor / Math.log2(1 + Math.max(1, actorThings));
  return { name: "actor", value, says: "by the same user" };
}

/** Planned work explains its alerts; the work itself stays as likely a cause as any. */
function plannedAddend({ planned, candidate }: Weighing): Addend | undefined {
  if (planned === undefined) return undefined;
  const value = candidate.kind === "symptom" ? weights.plannedAlert : 0;
  return { name: "planned", value, says: planned };
}

function verdictAddend({ verdict }: Weighing): Addend | undefined {
  if (verdict === undefined) return undefined;
  return { name: "verdict", value: weights.verdict[verdict], says: `${verdict.replace("-", " ")} by people` };
}
