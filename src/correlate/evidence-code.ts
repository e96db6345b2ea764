import type { Addend } from "./addend.ts";
import type { Correlatable } from "./correlatable.ts";
import { blameOf, layerOf, orderFiles, type Blame, type Layer } from "./evidence-blame.ts";
import { packageOf } from "./evidence-files.ts";
import { stacksOf, type Frame } from "./evidence-stack.ts";

/** Where in the installation's own code a failure began, as its stacks tell. */
export interface CodeCause {
  readonly blame: Blame;
  /** The files that were under way, the likeliest origin first; empty where no stack was recorded. */
  readonly files: readonly Frame[];
  /** Files under way in the processes that the failure came to afterwards. */
  readonly downstream: ReadonlySet<string>;
  /** The package of the first error. */
  readonly package: string | undefined;
  /** The words of the program's name beside its package's: `scheduler` of `cinder-scheduler`. */
  readonly programWords: ReadonlySet<string>;
  readonly program: string | undefined;
}

/** Hand-set, in natural logarithms of odds; `isochron tune` tells what labelled pairs would make of them. */
const weights = {
  raised: { first: 4.8, second: 0.9, further: 0.9 },
  value: { first: 2.7, second: -0.6, further: -0.6 },
  argument: { first: 4.8, second: 3.6, further: 1.5 },
  beneath: 3.2,
  perhapsBeneath: 1,
  implementation: 0.3,
  aside: -2.4,
  namesake: 1.35,
  downstream: 0.45,
  package: 3.6,
  program: 1.2,
  words: 2,
  atWork: 2.4,
  /** Of the logarithm of how many files were changed at once: one of hundreds says less. */
  dilution: 0.25,
} as const;

/**
 * Reads the first failure's own code out of the stacks of `failures`, which are in the order of time. Where a stack is
 * only quoted by another process it counts only if there is no other.
 */
export function readCause(
  failures: readonly Correlatable[],
  packages: ReadonlySet<string>,
  firstError: Correlatable | undefined,
): CodeCause | undefined {
  const found = failures.flatMap((event) =>
    stacksOf(event).map((stack) => ({
      event,
      stack: { ...stack, frames: stack.frames.filter(({ file }) => packages.has(packageOf(file))) },
    })),
  );
  const ours = found.filter(({ stack }) => stack.frames.length > 0);
  const told = ours.some(({ stack }) => !stack.quoted) ? ours.filter(({ stack }) => !stack.quoted) : ours;
  const [first] = told;
  const program = programOf(first?.event ?? firstError);
  const fromProgram = wordsOf(program ?? "").find((word) => packages.has(word));
  if (first === undefined && fromProgram === undefined) return undefined;
  const blame = blameOf(first?.stack.exception ?? "");
  const files: Frame[] = [];
  const downstream = new Set<string>();
  for (const { event, stack } of told) {
    for (const frame of orderFiles(stack, blame)) {
      if (programOf(event) !== program) downstream.add(frame.file);
      else if (!files.some(({ file }) => file === frame.file)) files.push(frame);
    }
  }
  const [origin] = files;
  return {
    blame,
    files,
    downstream,
    package: origin === undefined ? fromProgram : packageOf(origin.file),
    program,
    programWords: new Set(wordsOf(program ?? "").filter((word) => !packages.has(word))),
  };
}

/** What the failure's code says of a change to `files`: of the file that fits best, less for one of many. */
export function weighFiles(cause: CodeCause, files: readonly string[]): readonly Addend[] {
  const weighed = files.map((file) => weighFile(cause, file));
  const best = weighed.toSorted((a, b) => total(b) - total(a))[0] ?? [];
  if (files.length === 1 || total(best) <= 0) return best;
  const value = -weights.dilution * Math.log(files.length);
  return [...best, { name: "one of many", value, says: `one of ${files.length} files changed` }];
}

/** Where no error tells anything: how much of a changed file's path the symptom itself speaks of. */
export function weighWords(said: string, files: readonly string[]): readonly Addend[] {
  const spoken = new Set(wordsOf(said).map(stemOfWord));
  const shares = files.map((file) => {
    const words = new Set(wordsOf(file.replace(/\.[a-z]+$/, "")).map(stemOfWord));
    return [...words].filter((word) => word.length > 3 && spoken.has(word)).length / words.size;
  });
  const value = weights.words * Math.max(0, ...shares);
  return value === 0 ? [] : [{ name: "words", value, says: "its files are named as the symptom speaks" }];
}

/** Whose records spoke last of what the symptom speaks of, where no error tells anything. */
export interface AtWork {
  readonly package: string;
  /** The symptom's words that the record speaks of too. */
  readonly words: readonly string[];
}

/** One word alone is shared by chance. */
const sharedWordsMin = 2;

/** What every failure is called says nothing of which. */
const failureWords = /^(?:fail|error|exception|timeout|critical|warning)/;

/**
 * Reads which package was at work on what the symptom speaks of: the record that shares most of its words, the latest of
 * such. `earlier` is read for its summaries alone.
 */
export function readAtWork(
  symptom: string,
  earlier: readonly Correlatable[],
  packages: ReadonlySet<string>,
): AtWork | undefined {
  const spoken = [...new Set(wordsOf(symptom))].filter((word) => word.length > 3 && !failureWords.test(word));
  let best: { readonly at: number; readonly id: string; readonly found: AtWork } | undefined;
  for (const event of earlier) {
    if (event.kind !== "activity") continue;
    const own = wordsOf(programOf(event) ?? "").find((word) => packages.has(word));
    if (own === undefined) continue;
    const theirs = [...new Set(wordsOf(event.summary).map(stemOfWord))];
    const words = spoken.filter((word) => theirs.some((other) => isSameWord(stemOfWord(word), other)));
    if (words.length < sharedWordsMin) continue;
    const more = words.length - (best?.found.words.length ?? 0);
    const later = best === undefined ? 1 : event.occurredAt - best.at || (event.id < best.id ? -1 : 1);
    if (more > 0 || (more === 0 && later > 0)) {
      best = { at: event.occurredAt, id: event.id, found: { package: own, words } };
    }
  }
  return best?.found;
}

export function weighAtWork(atWork: AtWork | undefined, files: readonly string[]): readonly Addend[] {
  if (atWork === undefined || !files.some((file) => packageOf(file) === atWork.package)) return [];
  const says = `${atWork.package} was at work on ${atWork.words.slice(0, 3).join(" and ")}, as the symptom says`;
  return [{ name: "at work", value: weights.atWork, says }];
}

/** `attachment` and `attach` are one word; short ones must be equal. */
function isSameWord(one: string, other: string): boolean {
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  return short === long || (short.length > 4 && long.startsWith(short));
}

function total(addends: readonly Addend[]): number {
  return addends.reduce((sum, { value }) => sum + value, 0);
}

function weighFile(cause: CodeCause, file: string): readonly Addend[] {
  const own = packageOf(file) === cause.package;
  const place = cause.files.findIndex((frame) => frame.file === file);
  const layer = layerOf(file);
  return [
    stackAddend(cause, file, place),
    ...(place < 0 && own && cause.files.length > 0 ? besideAddends(cause, file, layer) : []),
    implementationAddend(file, layer),
    own
      ? { name: "service", value: weights.package, says: `the error began in ${cause.package}` }
      : undefined,
    own && inProgram(cause, file)
      ? { name: "program", value: weights.program, says: `part of what ${cause.program} runs` }
      : undefined,
  ].filter((addend) => addend !== undefined);
}

function stackAddend(cause: CodeCause, file: string, place: number): Addend | undefined {
  if (place < 0) {
    return cause.downstream.has(file)
      ? { name: "stack", value: weights.downstream, says: `the error later passed ${file}` }
      : undefined;
  }
  const { first, second, further } = weights[cause.blame];
  const value = place === 0 ? first : place === 1 ? second : further * 0.8 ** (place - 2);
  const name = cause.files[place]!.function;
  const says = place === 0 ? `the error began in ${file}, ${name}` : `the error passed ${file}, ${name}`;
  return { name: "stack", value, says };
}

/** Of a file that no stack shows: it may have returned before the error, or was never asked. */
function besideAddends(cause: CodeCause, file: string, layer: Layer): readonly Addend[] {
  const origin = cause.files[0]!;
  const addends: Addend[] = [];
  if (cause.blame === "value" && layer === "data") {
    const readsData = layerOf(origin.file) === "object" || /(?:^|_)db(?:_|$)/.test(origin.function);
    addends.push({
      name: "beneath",
      value: readsData ? weights.beneath : weights.perhapsBeneath,
      says: readsData
        ? `gives ${origin.file} the data over which the error arose`
        : "may have given the value over which the error arose",
    });
  }
  if (layer === "entry")
    addends.push({ name: "aside", value: weights.aside, says: "the error passed nothing that it changed" });
  const shared = sharedName(cause.files.slice(0, 2), file);
  if (shared > 0) {
    const value = weights.namesake * shared;
    addends.push({ name: "namesake", value, says: "named as what the error passed" });
  }
  return addends;
}

/** What does the work has more that can break than what passes a call on to it. */
function implementationAddend(file: string, layer: Layer): Addend | undefined {
  if (layer !== "data" || file.split("/").length < 4) return undefined;
  return { name: "implementation", value: weights.implementation, says: "" };
}

function inProgram({ programWords }: CodeCause, file: string): boolean {
  const folders = file.split("/").slice(1, -1);
  return folders.some((folder) => programWords.has(folder));
}

/** How much of a file's name the innermost calls bear: 1 for all of it. A short name, such as `api`, is every package's. */
function sharedName(frames: readonly Frame[], file: string): number {
  const base = stemOf(file);
  const called = frames.map((frame) => stem(frame.function)).join("_");
  if (base.length > 6 && (frames.some((frame) => stemOf(frame.file) === base) || called.includes(base)))
    return 1;
  const words = base.split("_");
  return words.length > 1 && words.some((word) => word.length > 6 && called.split("_").includes(word))
    ? 1 / 2
    : 0;
}

function stemOf(file: string): string {
  return stem(file.slice(file.lastIndexOf("/") + 1).replace(/\.[a-z]+$/, ""));
}

/** `volume_typ` of `volume_types`. */
function stem(name: string): string {
  return wordsOf(name).map(stemOfWord).join("_");
}

/** `creat` of `created`, `create` and `creates`; nothing of short words. */
function stemOfWord(word: string): string {
  return word.length > 3 ? word.replace(/(?:ed|es|s|e)$/, "") : word;
}

function wordsOf(name: string): readonly string[] {
  return name
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
}

function programOf(event: Correlatable | undefined): string | undefined {
  const told = event?.details["program"];
  if (typeof told === "string") return told;
  return event?.subject.kind === "component" ? event.subject.id.split("@")[0] : undefined;
}
