import type { EventJson } from "../../api/contract.ts";

/** What an event of a storm says of the single events that it stands for. */
export interface Storm {
  readonly count: number;
  /** Moments of the first and the last of them. */
  readonly first: number;
  readonly last: number;
  /** How many different resources they are about. */
  readonly subjects: number;
  /** Their kinds. */
  readonly subjectKinds: readonly string[];
  /** The earliest of them. */
  readonly samples: readonly StormSample[];
}

export interface StormSample {
  readonly id: string;
  readonly at: number;
  readonly subject: EventJson["subject"];
  readonly summary: string;
}

interface Told {
  readonly count?: unknown;
  readonly first?: unknown;
  readonly last?: unknown;
  readonly subjects?: unknown;
  readonly subject_kinds?: unknown;
  readonly samples?: unknown;
}

/** Undefined for an event that stands for itself, and for details that only look like a storm's. */
export function stormOf(event: Pick<EventJson, "details">): Storm | undefined {
  const told = event.details["storm"] as Told | null | undefined;
  if (typeof told !== "object" || told === null) return undefined;
  const { count, subjects } = told;
  const [first, last] = [readMoment(told.first), readMoment(told.last)];
  if (typeof count !== "number" || typeof subjects !== "number") return undefined;
  if (first === undefined || last === undefined) return undefined;
  const kinds: readonly unknown[] = Array.isArray(told.subject_kinds) ? told.subject_kinds : [];
  const samples: readonly unknown[] = Array.isArray(told.samples) ? told.samples : [];
  return {
    count,
    first,
    last,
    subjects,
    subjectKinds: kinds.filter((kind) => typeof kind === "string"),
    samples: samples.flatMap(readSample),
  };
}

function readMoment(value: unknown): number | undefined {
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

function readSample(value: unknown): StormSample[] {
  if (typeof value !== "object" || value === null) return [];
  const { id, occurred_at, subject, summary } = value as Readonly<Record<string, unknown>>;
  const at = readMoment(occurred_at);
  if (typeof id !== "string" || typeof summary !== "string" || at === undefined) return [];
  if (typeof subject !== "object" || subject === null) return [];
  return [{ id, at, subject: subject as EventJson["subject"], summary }];
}

/** `31 servers`, `1 server`; `resources` where they are of several kinds. */
export function subjectWords({ subjects, subjectKinds }: Storm): string {
  const [kind] = subjectKinds;
  const word = subjectKinds.length === 1 && kind !== undefined ? kind.replaceAll("_", " ") : "resource";
  const many = /[^aeiou]y$/.test(word)
    ? `${word.slice(0, -1)}ies`
    : /(s|x|ch|sh)$/.test(word)
      ? `${word}es`
      : `${word}s`;
  return `${subjects.toLocaleString("en")} ${subjects === 1 ? word : many}`;
}
