import type { EntityJson, EvidenceJson } from "../../api/contract.ts";

/** One hop of the chain as it is drawn, downward from the thing above it. */
export interface PathHop {
  readonly step: EvidenceJson;
  /** How the one thing stands to the other: `belongs to`; the step's whole sentence where it has no such form. */
  readonly words: string;
  /** True where the record states it of the lower thing: a port has an address, and the event knows the address. */
  readonly turned: boolean;
  /** The thing below; absent where the step is a statement about the thing above only. */
  readonly to: EntityJson | undefined;
}

/** A stretch of the chain in which every hop goes on where the one before ended. */
export interface PathStretch {
  readonly start: EntityJson | undefined;
  readonly hops: readonly PathHop[];
}

const tenantKinds: readonly string[] = ["project", "domain"];

/** The steps as stretches, each to be read from top to bottom; a stretch begins at what the event itself `names`. */
export function layPath(
  evidence: readonly EvidenceJson[],
  names: readonly EntityJson[],
): readonly PathStretch[] {
  const stretches: { start: EntityJson | undefined; hops: PathHop[] }[] = [];
  const passed: EntityJson[] = [];
  let end: EntityJson | undefined;
  for (const step of evidence) {
    // What else an owner has is no way on from the owner.
    const leadsOn = (thing: EntityJson | undefined) =>
      isSame(thing, end) || names.some((named) => isSame(thing, named));
    const known = passed.some((thing) => isSame(thing, step.from));
    const turned =
      leadsOn(step.to) && !leadsOn(step.from) && !known && !tenantKinds.includes(step.to?.kind ?? "");
    const [from, to] = turned ? [step.to, step.from] : [step.from ?? step.to, step.to];
    const hop: PathHop = { step, words: relationWords(step), turned, to: isSame(from, to) ? undefined : to };
    const current = stretches.at(-1);
    if (current !== undefined && (from === undefined || isSame(from, end))) current.hops.push(hop);
    else stretches.push({ start: from, hops: [hop] });
    end = hop.to ?? from ?? end;
    passed.push(...[from, hop.to].filter((thing) => thing !== undefined));
  }
  return stretches;
}

function isSame(one: EntityJson | undefined, other: EntityJson | undefined): boolean {
  return one !== undefined && other !== undefined && one.kind === other.kind && one.id === other.id;
}

/** The words between the two things of a hop's sentence; the whole sentence where it is built otherwise. */
export function relationWords({ says, from, to }: Pick<EvidenceJson, "says" | "from" | "to">): string {
  if (from === undefined || to === undefined) return says;
  const sentence = says.replace(/: not used, .*$/s, "").replace(/\.$/, "");
  const [head, tail] = [`${from.kind} ${from.id} `, ` ${to.kind} ${to.id}`];
  if (!sentence.startsWith(head) || !sentence.endsWith(tail)) return says;
  return sentence.slice(head.length, sentence.length - tail.length) || says;
}

/** Why a step was not used: what its sentence says after `not used,`, else the whole of it. */
export function rejectionWords({ says }: Pick<EvidenceJson, "says">): string {
  return /: not used, (.*?)\.?$/s.exec(says)?.[1] ?? says.replace(/\.$/, "");
}
