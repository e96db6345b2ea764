import type { EntityRef } from "../../model/entity.ts";
import { entityKey } from "../../model/entity.ts";
import type { JsonObject } from "../../model/json.ts";
import { compareText } from "./canonical.ts";
import { iso } from "./event-writes.ts";

/** How many members a fold shows by themselves. */
export const samplesMax = 5;
export const kindsMax = 8;

/** A member as its fold shows it. */
export interface StormSample {
  readonly id: string;
  readonly at: number;
  readonly subject: EntityRef;
  readonly name?: string;
  readonly summary: string;
}

/** What one audience knows of a fold's members. It stands in the fold's details, and is the same in whatever order they came. */
export interface StormState {
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** Different subjects. */
  readonly subjects: number;
  readonly kinds: readonly string[];
  /** The earliest members, by (time, id). */
  readonly samples: readonly StormSample[];
}

/** The state with `members` added, of whose subjects `newSubjects` were not in it. There is at least one member. */
export function addMembers(
  standing: StormState | undefined,
  members: readonly StormSample[],
  newSubjects: number,
): StormState {
  const times = members.map(({ at }) => at);
  if (standing !== undefined) times.push(standing.firstAt, standing.lastAt);
  const kinds = new Set([...(standing?.kinds ?? []), ...members.map(({ subject }) => subject.kind)]);
  return {
    count: (standing?.count ?? 0) + members.length,
    firstAt: times.reduce((a, b) => Math.min(a, b)),
    lastAt: times.reduce((a, b) => Math.max(a, b)),
    subjects: (standing?.subjects ?? 0) + newSubjects,
    kinds: [...kinds].sort(compareText).slice(0, kindsMax),
    samples: earliest([...(standing?.samples ?? []), ...members]),
  };
}

function earliest(samples: readonly StormSample[]): readonly StormSample[] {
  return samples.toSorted((a, b) => a.at - b.at || compareText(a.id, b.id)).slice(0, samplesMax);
}

/** The state as it stands in the details of an event or an edition. */
export function toStormDetails(state: StormState): JsonObject {
  return {
    storm: {
      count: state.count,
      first: iso(state.firstAt),
      last: iso(state.lastAt),
      subjects: state.subjects,
      subject_kinds: state.kinds,
      samples: state.samples.map(({ id, at, subject, name, summary }) => ({
        id,
        occurred_at: iso(at),
        subject: { kind: subject.kind, id: subject.id, ...(name === undefined ? {} : { name }) },
        summary,
      })),
    },
  };
}

interface StormDetails {
  readonly count: number;
  readonly first: string;
  readonly last: string;
  readonly subjects: number;
  readonly subject_kinds: readonly string[];
  readonly samples: readonly {
    readonly id: string;
    readonly occurred_at: string;
    readonly subject: { readonly kind: string; readonly id: string; readonly name?: string };
    readonly summary: string;
  }[];
}

/** The inverse of {@link toStormDetails}, for details that this store wrote. */
export function readStormDetails(details: JsonObject): StormState {
  const storm = details["storm"] as unknown as StormDetails;
  return {
    count: storm.count,
    firstAt: Date.parse(storm.first),
    lastAt: Date.parse(storm.last),
    subjects: storm.subjects,
    kinds: storm.subject_kinds,
    samples: storm.samples.map(({ id, occurred_at, subject: { kind, id: subjectId, name }, summary }) => ({
      id,
      at: Date.parse(occurred_at),
      subject: { kind, id: subjectId },
      ...(name === undefined ? {} : { name }),
      summary,
    })),
  };
}

const numbers = new Intl.NumberFormat("en");

/** What is counted, for one and for more of it. */
export type CountedWords = readonly [one: string, many: string];

/** `4,212 alerts on 31 servers within a minute`. */
export function tellStorm(state: StormState, [one, many]: CountedWords): string {
  return `${numbers.format(state.count)} ${state.count === 1 ? one : many} on ${tellSubjects(state)} within a minute`;
}

function tellSubjects({ subjects, kinds, samples }: StormState): string {
  const [kind] = kinds;
  const word = kinds.length === 1 && kind !== undefined ? kind.replaceAll("_", " ") : "resource";
  const [first] = samples;
  if (subjects === 1 && first !== undefined) return `${word} ${first.name ?? first.subject.id}`;
  return `${numbers.format(subjects)} ${plural(word)}`;
}

function plural(word: string): string {
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`;
  return /(s|x|ch|sh)$/.test(word) ? `${word}es` : `${word}s`;
}

/** The samples' subjects, each once. */
export function sampledSubjects(state: StormState): readonly { ref: EntityRef; name?: string }[] {
  const subjects = new Map(
    state.samples.map(({ subject, name }) => [
      entityKey(subject),
      { ref: subject, ...(name === undefined ? {} : { name }) },
    ]),
  );
  return [...subjects.entries()].sort(([a], [b]) => compareText(a, b)).map(([, subject]) => subject);
}
