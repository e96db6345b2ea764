import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Addend } from "./addend.ts";
import type { Correlatable } from "./correlatable.ts";
import type { EvidenceContext } from "./evidence.ts";
import { weighEvidence } from "./evidence.ts";
import type { TopologyPath } from "./topology-paths.ts";

/** What is known about a candidate when it is scored. */
export interface Weighing {
  readonly target: Correlatable | undefined;
  readonly candidate: Correlatable;
  /** Whether there is anything that a way could lead to; from a moment alone there is not. */
  readonly asked: boolean;
  /** From the candidate's time to the target's, in ms; slightly negative inside the clocks' error. */
  readonly gapMs: number;
  readonly path: TopologyPath | undefined;
  /** Expected events of the candidate's type in a span as long as the gap, from its usual rate. */
  readonly expected: number;
  readonly openImpact: string | undefined;
  readonly evidence: EvidenceContext;
}

/** Half of the weight of time is gone after so long; heavy-tailed, so that an old cause is not lost. */
const timeScaleMs = 20 * 60_000;

/** The strength that "no way found" stands for. */
const noPathStrength = 0.01;

const infrastructure = new Set(["host", "service", "agent", "backend", "hypervisor", "component"]);

/** Whether many depend on it: its trouble is a cause worth naming, where a server's is a fellow symptom. */
export function isShared(ref: EntityRef): boolean {
  return infrastructure.has(ref.kind);
}

/** The addends of a candidate's score, in the order in which they are told. Hand-set weights. */
export function weigh(weighing: Weighing): readonly Addend[] {
  return [
    timeAddend(weighing.gapMs),
    pathAddend(weighing),
    rarityAddend(weighing.expected),
    classAddend(weighing),
    impactAddend(weighing),
    requestAddend(weighing),
    ...weighEvidence(weighing.evidence, weighing.candidate),
  ].filter((addend) => addend !== undefined);
}

function timeAddend(gapMs: number): Addend {
  const value = -Math.log(1 + Math.max(0, gapMs) / timeScaleMs);
  return { name: "time", value, says: `${describeGap(gapMs)} before` };
}

/** `4 min`, `2 h 29`, `25 s`. */
export function describeGap(gapMs: number): string {
  const seconds = Math.round(Math.abs(gapMs) / 1000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")}`;
}

function pathAddend({ path, target, candidate, asked }: Weighing): Addend | undefined {
  if (!asked) return undefined;
  const value = Math.log(path?.strength ?? noPathStrength);
  if (path === undefined) return { name: "path", value, says: "no path found" };
  const last = path.hops.at(-1);
  if (last === undefined) {
    const same = target !== undefined && entityKey(target.subject) === entityKey(candidate.subject);
    return {
      name: "path",
      value,
      says: same ? "same resource" : `mentions the same ${sharedKind(target, candidate)}`,
    };
  }
  return { name: "path", value, says: pathWords(path) };
}

function sharedKind(target: Correlatable | undefined, candidate: Correlatable): string {
  const own = new Set(
    [target?.subject, ...(target?.related ?? []).map((item) => item.ref)].map((ref) => ref && entityKey(ref)),
  );
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

/** How surprising it is to see this type at all in such a span, as −log10 of the Poisson tail; at most 3. */
function rarityAddend(expected: number): Addend {
  const surprise = Math.min(3, -Math.log10(Math.max(1e-9, 1 - Math.exp(-Math.max(1e-9, expected)))));
  const value = 0.6 * surprise;
  const says = surprise >= 1.3 ? "rare" : surprise <= 0.1 ? "routine" : "";
  return { name: "rarity", value, says };
}

function classAddend({ candidate, target, path }: Weighing): Addend {
  const { kind, subject } = candidate;
  if (kind === "change") return { name: "class", value: 0.5, says: "a change" };
  if (kind === "recovery") return { name: "class", value: -0.8, says: "a recovery" };
  if (kind === "human") return { name: "class", value: -0.3, says: "people's work" };
  if (kind === "activity")
    return { name: "class", value: -1, says: "started, not known to have changed anything" };
  if (isShared(subject) && path !== undefined && target?.subject.kind !== subject.kind) {
    return { name: "class", value: 1.5, says: "trouble of shared infrastructure" };
  }
  const fellow = target === undefined || entityKey(target.subject) !== entityKey(subject);
  return fellow
    ? { name: "class", value: -1.5, says: "another symptom" }
    : { name: "class", value: -0.5, says: "an earlier symptom" };
}

/** A floor: what opened an impact that is still open does not fade while it lasts. */
function impactAddend({ openImpact, candidate, gapMs }: Weighing): Addend | undefined {
  if (openImpact === undefined) return undefined;
  const value = candidate.kind === "change" ? 1 - timeAddend(gapMs).value : 1.5;
  return { name: "open impact", value, says: openImpact };
}

function requestAddend({ target, candidate }: Weighing): Addend | undefined {
  const own = [target?.operation?.requestId, target?.operation?.globalRequestId].filter(
    (id) => id !== undefined,
  );
  const theirs = [candidate.operation?.requestId, candidate.operation?.globalRequestId];
  return own.some((id) => theirs.includes(id))
    ? { name: "request", value: 1.5, says: "same request" }
    : undefined;
}
