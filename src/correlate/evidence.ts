import type { EntityRef } from "../model/entity.ts";
import type { Addend } from "./addend.ts";
import type { Correlatable } from "./correlatable.ts";

/** What the records around a symptom say, read once per symptom and asked once per candidate. */
export interface EvidenceContext {
  readonly target: Correlatable | undefined;
  /** The symptom's own words in lower case, between spaces. */
  readonly said: string;
}

/** Reads what the symptom, and what was recorded up to it, say by themselves; undefined where only a moment or a resource is asked about. */
export function gatherEvidence(
  target: Correlatable | undefined,
  _earlier: readonly Correlatable[],
): EvidenceContext {
  return { target, said: target === undefined ? "" : ` ${target.summary.toLowerCase()} ` };
}

/** The addends that a candidate owes to the words of the records, not to time or topology; none where they say nothing of it. */
export function weighEvidence(context: EvidenceContext, candidate: Correlatable): readonly Addend[] {
  const named = namedAddend(context, candidate);
  return named === undefined ? [] : [named];
}

/** The symptom's own words name the candidate's entity: evidence inside the record. */
function namedAddend({ said }: EvidenceContext, candidate: Correlatable): Addend | undefined {
  const names = [
    candidate.subject,
    ...candidate.related.filter((item) => item.role === "host").map((item) => item.ref),
  ];
  const named = names.find((ref) => isNamed(said, ref));
  return named === undefined ? undefined : { name: "named", value: 1, says: `the symptom names ${named.id}` };
}

function isNamed(said: string, ref: EntityRef): boolean {
  const id = ref.id.toLowerCase();
  if (id.length < 4 || ref.kind === "project" || ref.kind === "domain") return false;
  const at = said.indexOf(id);
  return at > 0 && !/[\w-]/.test(said[at - 1]!) && !/[\w-]/.test(said[at + id.length] ?? " ");
}
