import {
  createSigner,
  type AuditEntry,
  type AuditFault,
  type AuditHead,
  type AuditSigner,
} from "../../src/store/audit-chain.ts";
import { toLine, verifyExport } from "../../src/store/audit-export.ts";
import { makeEntry } from "../../src/store/postgres/audit-entry.ts";
import type { SeededRandom } from "../faults/seeded-random.ts";
import { headOf, linesOf, makeTrail, randomRecord, storeId } from "./audit-trail-world.ts";

/** A changed file, and the places that are right to name: two only where the first line itself is at fault. */
export interface Tampering {
  readonly name: string;
  readonly lines: readonly string[];
  readonly places: readonly number[];
  /** What it is to be called, where only one name is right. */
  readonly what?: AuditFault;
  /** What somebody else had kept, without which it could not be seen. */
  readonly head?: AuditHead;
}

interface Given {
  readonly random: SeededRandom;
  readonly entries: readonly AuditEntry[];
  readonly lines: readonly string[];
  readonly signer: AuditSigner;
}

/** Somebody who can write everything and has a key, but not the one. */
const stranger = createSigner(Buffer.alloc(32, 0xee));

const kinds: readonly ((given: Given) => Tampering | undefined)[] = [
  ({ random, lines, entries }) => {
    const at = random.whole(0, lines.length - 1);
    const line = lines[at]!;
    const place = random.whole(0, line.length - 1);
    const sign = random.pick([...'0123456789abcdefxyzXYZ {}[]",:\\-.é'].filter((one) => one !== line[place]));
    const changed = `${line.slice(0, place)}${sign}${line.slice(place + 1)}`;
    const places = at === 0 ? [0, 1] : [Math.min(at, entries.length + 1)];
    return { name: "one character changed", lines: lines.with(at, changed), places };
  },
  ({ random, lines, entries }) => {
    const at = random.whole(1, entries.length);
    const entry = entries[at - 1]!;
    const [field] = random.shuffled(Object.keys(entry.personal));
    const held = field === undefined ? undefined : entry.personal[field];
    if (field === undefined || held === undefined) return undefined;
    const personal = { ...entry.personal, [field]: { ...held, value: `${held.value}?` } };
    return {
      name: "somebody else's name",
      lines: lines.with(at, spell({ ...entry, personal })),
      places: [at],
    };
  },
  ({ random, lines, entries }) => {
    const at = random.whole(1, entries.length);
    const entry = entries[at - 1]!;
    const changed = { ...entry, count: entry.count + 1 };
    return { name: "a field changed", lines: lines.with(at, spell(changed)), places: [at] };
  },
  ({ random, lines, entries }) => {
    if (entries.length < 2) return undefined;
    const [a, b] = twoOf(random, entries.length);
    const swapped = lines.with(a, lines[b]!).with(b, lines[a]!);
    return { name: "two entries swapped", lines: swapped, places: [a], what: "order" };
  },
  ({ random, lines, entries }) => {
    const from = random.whole(1, entries.length);
    const count = random.whole(1, Math.min(3, entries.length - from + 1));
    const left = lines.toSpliced(from, count);
    return { name: "entries deleted", lines: left, places: [from], what: "missing" };
  },
  ({ random, lines, entries }) => {
    const copy = random.whole(1, entries.length);
    const at = random.whole(1, entries.length + 1);
    const places = [copy === at ? at + 1 : at];
    return { name: "an entry copied in", lines: lines.toSpliced(at, 0, lines[copy]!), places };
  },
  ({ random, lines, entries }) => {
    const at = random.whole(1, entries.length + 1);
    const tail = { store: storeId, sequence: at - 1, hash: entries[at - 2]?.hash ?? "0".repeat(64) };
    const forged = makeEntry(randomRecord(random), tail, stranger);
    return { name: "an entry forged in", lines: lines.toSpliced(at, 0, spell(forged)), places: [at] };
  },
  ({ random, lines, entries, signer }) => {
    const at = random.whole(1, entries.length + 1);
    const tail = {
      store: storeId.replace("6", "7"),
      sequence: at - 1,
      hash: entries[at - 2]?.hash ?? "0".repeat(64),
    };
    const foreign = makeEntry(randomRecord(random), tail, signer);
    return { name: "another store's entry", lines: lines.toSpliced(at, 0, spell(foreign)), places: [at] };
  },
  ({ random, lines, entries }) => {
    const kept = random.whole(0, entries.length);
    return {
      name: "the tail and the head cut",
      lines: lines.slice(0, kept + 1),
      places: [kept + 1],
      what: "missing",
    };
  },
  ({ random, lines, entries, signer }) => {
    const kept = random.whole(0, entries.length - 1);
    const left = entries.slice(0, kept);
    const cut = [...lines.slice(0, kept + 1), toLine(headOf(left, signer)).trimEnd()];
    const head = headOf(entries, signer);
    return { name: "the tail cut, with an older head", lines: cut, places: [kept + 1], head };
  },
  ({ random, entries, signer }) => {
    const from = random.whole(1, entries.length);
    const rewritten = entries.slice(0, from - 1);
    for (let at = from; at <= entries.length; at += 1) {
      const tail = { store: storeId, sequence: at - 1, hash: rewritten.at(-1)?.hash ?? "0".repeat(64) };
      rewritten.push(makeEntry(randomRecord(random), tail, stranger));
    }
    const lines = linesOf(rewritten, stranger);
    const kept = headOf(entries, signer);
    return { name: "everything from a place on rewritten", lines, places: [from], head: kept };
  },
  ({ random, lines, entries }) => {
    const at = random.whole(1, entries.length);
    const entry = entries[at - 1]!;
    if (Object.keys(entry.personal).length === 0) return undefined;
    const changed = spell({ ...entry, personal: {} });
    return { name: "erased without a word", lines: lines.with(at, changed), places: [at], what: "erased" };
  },
  ({ random, lines }) => {
    const at = random.whole(0, lines.length - 1);
    const line = lines[at]!;
    const changed = random.pick([
      ` ${line}`,
      `${line} `,
      line.replace(":", ": "),
      line.replace("{", '{"a":1,'),
    ]);
    return { name: "a line spelt otherwise", lines: lines.with(at, changed), places: [at], what: "format" };
  },
];

function spell(entry: AuditEntry): string {
  return toLine(entry).trimEnd();
}

function twoOf(random: SeededRandom, length: number): readonly [number, number] {
  const a = random.whole(1, length);
  const b = 1 + ((a - 1 + random.whole(1, length - 1)) % length);
  return a < b ? [a, b] : [b, a];
}

/** Changes exports of random trails, and gives what was not found, or found elsewhere. */
export async function tamperWithFiles(
  random: SeededRandom,
  count: number,
): Promise<{ readonly missed: string[]; readonly misplaced: string[]; readonly kinds: number }> {
  const signer = createSigner(Buffer.alloc(32, 1));
  const missed: string[] = [];
  const misplaced: string[] = [];
  for (let tried = 0; tried < count;) {
    const entries = makeTrail(random, signer, random.whole(1, 30));
    const given = { random, entries, lines: linesOf(entries, signer), signer };
    const tampering = kinds[tried % kinds.length]!(given);
    if (tampering === undefined) continue;
    tried += 1;
    const { name, lines, places, what, head } = tampering;
    const verdict = await verifyExport(lines, head === undefined ? {} : { head });
    if (verdict.ok) missed.push(`${name}, of ${entries.length} entries`);
    else if (!places.includes(verdict.sequence) || (what !== undefined && what !== verdict.what)) {
      misplaced.push(
        `${name}: ${verdict.what} at ${verdict.sequence} (${verdict.says}), not ${what ?? ""} ${places.join()}`,
      );
    }
  }
  return { missed, misplaced, kinds: kinds.length };
}

/** Verifies exports of random trails as they are; gives the alarms. */
export async function leaveFilesAlone(random: SeededRandom, count: number): Promise<string[]> {
  const signer = createSigner(Buffer.alloc(32, 1));
  const alarms: string[] = [];
  for (let tried = 0; tried < count; tried += 1) {
    const entries = makeTrail(random, signer, random.whole(0, 40));
    const kept = headOf(entries.slice(0, random.whole(0, entries.length)), signer);
    for (const trust of [{}, { head: kept }]) {
      const verdict = await verifyExport(linesOf(entries, signer), trust);
      if (!verdict.ok) alarms.push(`${verdict.what} at ${verdict.sequence}: ${verdict.says}`);
    }
  }
  return alarms;
}
