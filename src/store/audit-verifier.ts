import {
  hashBody,
  isHeadSigned,
  isSigned,
  keyId,
  noHash,
  sealField,
  type AuditEntry,
  type AuditFault,
  type AuditHead,
  type AuditVerdict,
  type TrustedKey,
} from "./audit-chain.ts";

/** The first place where something is wrong. */
export type AuditFaultFound = Extract<AuditVerdict, { ok: false }>;
type Fault = AuditFaultFound;

/** What the entries are held against. */
export interface AuditTrust {
  /** Of these keys alone. */
  readonly keys: readonly TrustedKey[];
  /** Where the trail stood at some time, as somebody else has kept it. */
  readonly head?: AuditHead;
}

/**
 * Follows a trail from its first entry and finds the first place where it is not as it was written: changed, out of
 * order, gone, put in, signed by nobody who is trusted, or erased without an entry that tells of it.
 */
export class AuditVerifier {
  readonly #keys: ReadonlyMap<string, string>;
  readonly #head: AuditHead | undefined;
  readonly #stretches: (readonly [number, number])[] = [];
  readonly #blank: number[] = [];
  #store: string | undefined;
  #sequence = 0;
  #hash = noHash;
  #fault: Fault | undefined;
  /** The entry that should stand where the fault is, looked for in what follows. */
  #isFoundLater = false;
  #isNextGenuine: boolean | undefined;

  constructor({ keys, head }: AuditTrust, store?: string) {
    this.#keys = new Map(keys.map(({ id, publicKey }) => [id, publicKey]));
    this.#head = head;
    this.#store = store ?? head?.store;
  }

  /** Where the trail stands as far as it was followed. */
  get end(): { readonly sequence: number; readonly hash: string } {
    return { sequence: this.#sequence, hash: this.#hash };
  }

  /** The next entry; undefined where there is something that is no entry. */
  take(entry: AuditEntry | undefined): void {
    if (this.#fault !== undefined) {
      this.#lookAround(entry);
      return;
    }
    const place = this.#sequence + 1;
    const fault = entry === undefined ? unreadable(place) : this.#check(entry, place);
    if (fault !== undefined || entry === undefined) {
      this.#fault = fault;
      return;
    }
    this.#store = entry.store;
    this.#sequence = place;
    this.#hash = entry.hash;
    this.#noteErasure(entry);
    if (Object.keys(entry.sealed).some((field) => entry.personal[field] === undefined))
      this.#blank.push(place);
    if (this.#head?.sequence === place && this.#head.hash !== entry.hash) {
      this.#fault = {
        ok: false,
        sequence: place,
        what: "head",
        says: "It is not the entry that the kept head names.",
      };
    }
  }

  /** The verdict, after the last entry; `cut` is what whoever read them found wrong at the end. */
  verdict(cut?: AuditFaultFound): AuditVerdict {
    const fault = this.#classified() ?? this.#checkEnd() ?? cut;
    // What is wrong may be just the entry that told of an erasure, so that nothing can be said of those before it.
    if (fault !== undefined) return fault;
    const untold = this.#blank.find((place) => !this.#isTold(place));
    if (untold !== undefined) {
      return {
        ok: false,
        sequence: untold,
        what: "erased",
        says: "Something is erased that no entry tells of.",
      };
    }
    return { ok: true, entries: this.#sequence, erased: this.#blank.length, head: this.#hash };
  }

  #check(entry: AuditEntry, place: number): Fault | undefined {
    const fault = (what: AuditFault, says: string): Fault => ({ ok: false, sequence: place, what, says });
    const isWhole = hashBody(entry) === entry.hash;
    if (!isWhole) return fault("content", "Its content does not have its hash.");
    const publicKey = this.#keys.get(entry.key);
    if (publicKey === undefined)
      return fault("signature", `It is signed with the key ${entry.key}, which is not trusted.`);
    if (!isSigned(entry, publicKey)) return fault("signature", "Its signature is not the key's.");
    // From here on it is an entry that was once written, if perhaps not here.
    if (this.#store !== undefined && entry.store !== this.#store)
      return fault("inserted", "It is another store's entry.");
    if (entry.sequence > place) return fault("missing", `Entry ${entry.sequence} stands in its place.`);
    if (entry.sequence < place) return fault("inserted", `Entry ${entry.sequence} stands there once more.`);
    if (entry.previous !== this.#hash) return fault("content", "It does not follow the entry before it.");
    for (const [field, { key, value }] of Object.entries(entry.personal)) {
      if (entry.sealed[field] !== sealField(field, key, value)) {
        return fault("content", `Its ${field} does not have its keyed hash.`);
      }
    }
    return undefined;
  }

  #isGenuine(entry: AuditEntry): boolean {
    const publicKey = this.#keys.get(entry.key);
    return publicKey !== undefined && hashBody(entry) === entry.hash && isSigned(entry, publicKey);
  }

  /** Tells by what follows what happened at the place of the fault. */
  #lookAround(entry: AuditEntry | undefined): void {
    const isGenuine = entry !== undefined && this.#isGenuine(entry);
    const isExpected = isGenuine && entry.sequence === this.#fault?.sequence;
    this.#isNextGenuine ??= isExpected;
    if (isExpected) this.#isFoundLater = true;
  }

  #classified(): Fault | undefined {
    const fault = this.#fault;
    if (fault === undefined || !this.#isFoundLater) return fault;
    if (fault.what === "missing") return { ...fault, what: "order", says: "It stands further down." };
    if (this.#isNextGenuine === true && ["content", "signature", "format"].includes(fault.what)) {
      return {
        ...fault,
        what: "inserted",
        says: "What stands there was never written; the true one follows.",
      };
    }
    return fault;
  }

  #checkEnd(): Fault | undefined {
    const head = this.#head;
    if (head === undefined) return undefined;
    if (!isHeadSigned(head) || this.#keys.get(head.key) !== head.public_key) {
      return { ok: false, sequence: 0, what: "head", says: "The head is not signed with a trusted key." };
    }
    if (this.#store !== undefined && head.store !== this.#store) {
      return { ok: false, sequence: 0, what: "head", says: "The head is another store's." };
    }
    if (head.sequence <= this.#sequence) return undefined;
    return {
      ok: false,
      sequence: this.#sequence + 1,
      what: "missing",
      says: `The trail ends before it; it went on to entry ${head.sequence} at ${head.at}.`,
    };
  }

  #noteErasure({ action, details }: AuditEntry): void {
    const erased = details["erased"];
    if (action !== "erasure" || !Array.isArray(erased)) return;
    for (const stretch of erased as unknown[]) {
      if (!Array.isArray(stretch)) continue;
      const [first, last] = stretch as unknown[];
      if (typeof first === "number" && typeof last === "number") this.#stretches.push([first, last]);
    }
  }

  #isTold(place: number): boolean {
    return this.#stretches.some(([first, last]) => first <= place && place <= last);
  }
}

function unreadable(place: number): Fault {
  return { ok: false, sequence: place, what: "format", says: "There is no entry that can be read." };
}

/** Whether a key's id is the one that follows from it. */
export function isSoundKey({ id, publicKey }: TrustedKey): boolean {
  return /^[0-9a-f]{64}$/.test(publicKey) && keyId(publicKey) === id;
}
