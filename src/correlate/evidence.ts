import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Addend } from "./addend.ts";
import type { Correlatable } from "./correlatable.ts";
import type { AtWork, CodeCause } from "./evidence-code.ts";
import { readAtWork, readCause, weighAtWork, weighFiles, weighWords } from "./evidence-code.ts";
import { changedFiles, packagesOf } from "./evidence-files.ts";
import { textsOf } from "./evidence-stack.ts";

/** What the records around a symptom say, read once per symptom and asked once per candidate. */
export interface EvidenceContext {
  readonly target: Correlatable | undefined;
  /** The symptom's own words in lower case, between spaces. */
  readonly said: string;
  /** The words of the first error that hangs together with it, where that is another record. */
  readonly failed: string;
  /** Where in the code it began; undefined where no record holds a stack. */
  readonly code: CodeCause | undefined;
  /** Which package was at work on what the symptom speaks of; looked for only where no error tells of code. */
  readonly atWork: AtWork | undefined;
}

/** An error tells of a symptom for so long after it; an older one was somebody else's. */
const failureMs = 20 * 60_000;

const failuresMax = 200;
const wordsMax = 20_000;

/** Reads what the symptom, and what was recorded up to it, say by themselves. */
export function gatherEvidence(
  target: Correlatable | undefined,
  earlier: readonly Correlatable[],
): EvidenceContext {
  if (target === undefined) return { target, said: "", failed: "", code: undefined, atWork: undefined };
  const failures = failuresBefore(target, earlier);
  const packages = packagesOf(earlier);
  const first = failures.find((event) => event.severity === "error" || event.severity === "critical");
  const code = readCause(failures, packages, first);
  const lately = earlier.filter((event) => event.occurredAt >= target.occurredAt - failureMs);
  return {
    target,
    said: wordsOf(target),
    failed: first === undefined || first === target ? "" : wordsOf(first),
    code,
    atWork: code === undefined ? readAtWork(target.summary, lately, packages) : undefined,
  };
}

/**
 * The addends that a candidate owes to the words of the records, not to time or topology; none where they say nothing
 * of it.
 */
export function weighEvidence(context: EvidenceContext, candidate: Correlatable): readonly Addend[] {
  const named = namedAddend(context, candidate);
  const files = candidate.kind === "change" ? changedFiles(candidate) : [];
  const code =
    context.code === undefined
      ? [...weighAtWork(context.atWork, files), ...weighWords(context.said, files)]
      : weighFiles(context.code, files);
  return [...(named === undefined ? [] : [named]), ...code];
}

/**
 * The errors that may tell how the symptom came about, oldest first: those of its own request and of the requests that
 * these name; else those on the same things; else all of the last while.
 */
function failuresBefore(target: Correlatable, earlier: readonly Correlatable[]): readonly Correlatable[] {
  const near = [...earlier.filter((event) => event.id !== target.id), target]
    .filter(
      (event) =>
        event.kind === "symptom" &&
        event.occurredAt <= target.occurredAt + target.precision &&
        event.occurredAt >= target.occurredAt - failureMs,
    )
    .toSorted((a, b) => a.occurredAt - b.occurredAt || (a.id < b.id ? -1 : 1));
  const linked = ofSameRequest(target, near);
  if (linked.length > 1) return linked.slice(0, failuresMax);
  const things = new Set(thingsOf(target));
  const shared = near.filter((event) => thingsOf(event).some((key) => things.has(key)));
  // The first error is the nearest to the origin, so a flood loses its end.
  return (shared.length > 1 ? shared : near).slice(0, failuresMax);
}

function ofSameRequest(target: Correlatable, near: readonly Correlatable[]): readonly Correlatable[] {
  const requests = new Set(requestsOf(target));
  let linked: readonly Correlatable[] = [target];
  // Services name the request that they made of one another, so the chain is short.
  for (let hop = 0; hop < 4; hop++) {
    const found = near.filter(
      (event) => event === target || requestsOf(event).some((id) => requests.has(id)),
    );
    if (found.length === linked.length) break;
    linked = found;
    for (const event of found) for (const id of requestsOf(event)) requests.add(id);
  }
  return linked;
}

const requestPattern = /\breq-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;

function requestsOf(event: Correlatable): readonly string[] {
  const { requestId, globalRequestId } = event.operation ?? {};
  const own = [requestId, globalRequestId].filter((id) => id !== undefined);
  return [...own, ...(event.summary.match(requestPattern) ?? [])];
}

/** What is neither a place nor a person: those are everybody's. */
function thingsOf(event: Correlatable): readonly string[] {
  const common = new Set(["project", "domain", "user", "request", "host", "component", "service", "flavor"]);
  return [event.subject, ...event.related.map((item) => item.ref)]
    .filter((ref) => !common.has(ref.kind))
    .map(entityKey);
}

function wordsOf(event: Correlatable): string {
  const texts = [event.summary, ...textsOf(event.details)];
  return ` ${texts.join(" ").slice(0, wordsMax).toLowerCase()} `;
}

/** Roles of things that a change is made to or with, beside its subject. */
const changedRoles = /^(?:host|image|flavor|backend|volume_type|package|network|router)$/;

/**
 * The symptom's own words, or those of the error that it came of, name what the candidate changed: less where that is one of
 * several of its kind, such as a host of an aggregate.
 */
function namedAddend({ target, said, failed }: EvidenceContext, candidate: Correlatable): Addend | undefined {
  const related = candidate.related.filter(
    (item) => changedRoles.test(item.role) || changedRoles.test(item.ref.kind),
  );
  const things = [
    { ref: candidate.subject, share: 1 },
    ...related.map(({ ref }) => ({
      ref,
      share: 1 / related.filter((one) => one.ref.kind === ref.kind).length,
    })),
  ];
  const names = [
    ...things
      .filter(({ ref }) => isTelling(ref) && !isSubject(ref, target))
      .map(({ ref, share }) => ({ name: ref.id, share })),
    ...packageNames(candidate).map((name) => ({ name, share: 1 })),
  ].toSorted((a, b) => b.share - a.share);
  const inSymptom = names.find(({ name }) => isNamed(said, name));
  if (inSymptom !== undefined) {
    return { name: "named", value: inSymptom.share, says: `the symptom names ${inSymptom.name}` };
  }
  const inError = names.find(({ name }) => isNamed(failed, name));
  return inError === undefined
    ? undefined
    : {
        name: "named",
        value: 0.8 * inError.share,
        says: `the error before the symptom names ${inError.name}`,
      };
}

/** A record names its own subject always; that it is the same thing the way to it tells. */
function isSubject(ref: EntityRef, target: Correlatable | undefined): boolean {
  return target !== undefined && entityKey(ref) === entityKey(target.subject);
}

function isTelling(ref: EntityRef): boolean {
  return ref.kind !== "project" && ref.kind !== "domain";
}

/** Packages are told by their names, which are their ids. */
function packageNames({ details }: Correlatable): readonly string[] {
  const told = [details["package"], details["packages"]].flat();
  return told.filter((name): name is string => typeof name === "string");
}

/** Whether the words hold the name whole: `rack-07` is not named by `rack-071`, nor by `rack-07.example`. */
function isNamed(said: string, name: string): boolean {
  const word = name.toLowerCase();
  if (word.length < 4) return false;
  const at = said.indexOf(word);
  return (
    at > 0 &&
    !/[\w-]/.test(said[at - 1]!) &&
    !/^(?:[\w-]|\.\w)/.test(said.slice(at + word.length, at + word.length + 2))
  );
}
