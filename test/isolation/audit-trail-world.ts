import { instant } from "../../src/model/instant.ts";
import { noHash, type AuditEntry, type AuditHead, type AuditSigner } from "../../src/store/audit-chain.ts";
import { toLine } from "../../src/store/audit-export.ts";
import { auditActions, type AuditRecord } from "../../src/store/audit-store.ts";
import { makeEntry } from "../../src/store/postgres/audit-entry.ts";
import { minute } from "../drafts.ts";
import type { SeededRandom } from "../faults/seeded-random.ts";

export const storeId = "6a1c1f0e-9a52-4d0b-8f6e-0d1b2c3d4e5f";

/** A record as somebody might make it, with words of several scripts and numbers that are hard to keep. */
export function randomRecord(random: SeededRandom): AuditRecord {
  const words = [
    "to see",
    "Störung №7",
    "",
    "a\u0000b",
    "\ud800",
    "日本",
    'quo"te\\',
    "line\nbreak",
    "\u2028",
  ];
  const action = random.pick(auditActions.filter((one) => one !== "erasure"));
  return {
    at: instant(minute(0) + random.whole(0, 10 ** 9)),
    action,
    outcome: "done",
    actor: {
      id: `user-${random.whole(1, 6)}`,
      ...(random.chance(0.7) ? { name: random.pick(words) } : {}),
      ...(random.chance(0.5) ? { address: `192.0.2.${random.whole(1, 254)}` } : {}),
    },
    object: random.pick(["session", "token:tok_1", "GET /api/v1/events/{id}"]),
    ...(random.chance(0.5) ? { why: random.pick(words) } : {}),
    ...(random.chance(0.5) ? { details: randomDetails(random, words) } : {}),
    ...(random.chance(0.2) ? { personal: { reason: random.pick(words) } } : {}),
    ...(random.chance(0.2) ? { count: random.whole(2, 10_000) } : {}),
  };
}

function randomDetails(random: SeededRandom, words: readonly string[]): NonNullable<AuditRecord["details"]> {
  const numbers = [0, -0, 0.1, 1e21, 1e-7, 2 ** 53, -1.5, 123456789.123];
  return {
    [random.pick(["z", "a", "ä", "10", "9"])]: random.pick(numbers),
    text: random.pick(words),
    deep: [{ b: null, a: [true, random.pick(numbers)] }],
  };
}

/** A trail as a store would hold it: the first of its actors may have been erased, and an entry tells so. */
export function makeTrail(random: SeededRandom, signer: AuditSigner, length: number): AuditEntry[] {
  const entries: AuditEntry[] = [];
  const add = (record: AuditRecord): void => {
    const last = entries.at(-1);
    const tail = { store: storeId, sequence: last?.sequence ?? 0, hash: last?.hash ?? noHash };
    entries.push(makeEntry(record, tail, signer));
  };
  for (let count = 0; count < length; count += 1) add(randomRecord(random));
  if (length < 3 || random.chance(0.5)) return entries;
  const actor = entries[0]?.personal["actor.id"]?.value;
  const of = entries.filter(({ personal }) => personal["actor.id"]?.value === actor);
  const erased = of.map(({ sequence }) => [sequence, sequence]);
  for (const entry of of) entries[entry.sequence - 1] = { ...entry, personal: {} };
  add({ ...randomRecord(random), action: "erasure", object: "person", details: { erased } });
  return entries;
}

export function headOf(entries: readonly AuditEntry[], signer: AuditSigner): AuditHead {
  const last = entries.at(-1);
  const at = "2026-11-21T12:00:00.000Z";
  return signer.signHead({ store: storeId, sequence: last?.sequence ?? 0, hash: last?.hash ?? noHash, at });
}

/** The lines of an export, without line breaks. */
export function linesOf(entries: readonly AuditEntry[], signer: AuditSigner): string[] {
  const { id, publicKey } = signer.key;
  const start = { format: "isochron-audit/1", store: storeId, keys: { [id]: publicKey } } as const;
  return [start, ...entries, headOf(entries, signer)].map((part) => toLine(part).trimEnd());
}
