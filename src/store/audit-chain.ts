import { createHash, createHmac, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { canonicalJson, type JsonObject } from "../model/json.ts";

/** What the entry's hash is made over; docs/audit.md tells how, byte by byte. */
export interface AuditBody {
  readonly v: 1;
  /** The store's id, so that no entry passes for one of another store's. */
  readonly store: string;
  /** 1 for the first, without a gap. */
  readonly sequence: number;
  /** RFC 3339 in UTC with milliseconds. */
  readonly at: string;
  readonly action: string;
  readonly outcome: string;
  readonly object: string;
  readonly count: number;
  readonly details: JsonObject;
  /** A keyed hash for each field that can be erased, in hex. */
  readonly sealed: Readonly<Record<string, string>>;
  /** The hash of the entry before; zeros for the first. */
  readonly previous: string;
}

/** An entry as it is stored and exported. */
export interface AuditEntry extends AuditBody {
  readonly hash: string;
  /** The id of the public key that the signature belongs to. */
  readonly key: string;
  readonly signature: string;
  /** What is not erased of the sealed fields: each value with the random key of its keyed hash, in hex. */
  readonly personal: Readonly<Record<string, { readonly key: string; readonly value: string }>>;
}

/** Where the trail stood at a moment; sequence 0 and a hash of zeros for an empty one. */
export interface AuditHead {
  readonly format: typeof headFormat;
  readonly store: string;
  readonly sequence: number;
  readonly hash: string;
  readonly at: string;
  readonly key: string;
  /** Of the key, in hex: 32 bytes of Ed25519. */
  readonly public_key: string;
  readonly signature: string;
}

/** A public key and its id, which follows from it. */
export interface TrustedKey {
  readonly id: string;
  readonly publicKey: string;
}

/** What a verifier found: the number of entries that hold, or the first place where something is wrong. */
export type AuditVerdict =
  | { readonly ok: true; readonly entries: number; readonly erased: number; readonly head: string }
  | {
      readonly ok: false;
      /** Where the entry should have stood; 0 for the file's first line or for the head. */
      readonly sequence: number;
      readonly what: AuditFault;
      readonly says: string;
    };

export const auditFaults = [
  "format",
  "content",
  "order",
  "missing",
  "inserted",
  "signature",
  "erased",
  "head",
] as const;
export type AuditFault = (typeof auditFaults)[number];

export const exportFormat = "isochron-audit/1";
export const headFormat = "isochron-audit-head/1";
const entryDomain = "isochron-audit-entry/1";
const signatureDomain = "isochron-audit-signature/1";
export const noHash = "0".repeat(64);

/** SHA-256 over the version's name, a line break, and the body as canonical JSON (RFC 8785); in hex. */
export function hashBody(body: AuditBody): string {
  const { v, store, sequence, at, action, outcome, object, count, details, sealed, previous } = body;
  const hashed = { v, store, sequence, at, action, outcome, object, count, details, sealed, previous };
  return createHash("sha256")
    .update(`${entryDomain}\n${canonicalJson(hashed)}`)
    .digest("hex");
}

/** HMAC-SHA256, with the field's own random key, over the field's name, a NUL and the value; in hex. */
export function sealField(field: string, key: string, value: string): string {
  return createHmac("sha256", Buffer.from(key, "hex")).update(`${field}\0${value}`).digest("hex");
}

/** What signs: an Ed25519 key made from 32 bytes of a secret. */
export interface AuditSigner {
  readonly key: TrustedKey;
  signEntry(body: Pick<AuditEntry, "store" | "sequence" | "hash">): string;
  signHead(head: Pick<AuditHead, "store" | "sequence" | "hash" | "at">): AuditHead;
}

/** The fixed bytes before the 32 of a private (RFC 8410, PKCS #8) and of a public key (SPKI). */
const privatePrefix = Buffer.from("302e020100300506032b657004220420", "hex");
const publicPrefix = Buffer.from("302a300506032b6570032100", "hex");

/** Makes the signer of a 32-byte seed. */
export function createSigner(seed: Uint8Array): AuditSigner {
  const secret = createPrivateKey({
    key: Buffer.concat([privatePrefix, seed]),
    format: "der",
    type: "pkcs8",
  });
  const spki = createPublicKey(secret).export({ format: "der", type: "spki" });
  const publicKey = spki.subarray(publicPrefix.length).toString("hex");
  const key = { id: keyId(publicKey), publicKey };
  return {
    key,
    signEntry: (entry) => sign(null, Buffer.from(entryMessage(entry)), secret).toString("hex"),
    signHead: ({ store, sequence, hash, at }) => {
      const head = {
        format: headFormat,
        store,
        sequence,
        hash,
        at,
        key: key.id,
        public_key: publicKey,
      } as const;
      return { ...head, signature: sign(null, Buffer.from(canonicalJson(head)), secret).toString("hex") };
    },
  };
}

/** The first 16 hex digits of the SHA-256 of the public key. */
export function keyId(publicKey: string): string {
  return createHash("sha256").update(Buffer.from(publicKey, "hex")).digest("hex").slice(0, 16);
}

function entryMessage({ store, sequence, hash }: Pick<AuditEntry, "store" | "sequence" | "hash">): string {
  return `${signatureDomain}\n${store}\n${sequence}\n${hash}`;
}

/** Whether the signature over the entry's place and hash is the key's. */
export function isSigned(entry: AuditEntry, publicKey: string): boolean {
  return verifyBytes(entryMessage(entry), publicKey, entry.signature);
}

/** Whether the head is signed with the key that it names, and that key's id is right. */
export function isHeadSigned({ signature, ...head }: AuditHead): boolean {
  return head.key === keyId(head.public_key) && verifyBytes(canonicalJson(head), head.public_key, signature);
}

function verifyBytes(message: string, publicKey: string, signature: string): boolean {
  const key = createPublicKey({
    key: Buffer.concat([publicPrefix, Buffer.from(publicKey, "hex")]),
    format: "der",
    type: "spki",
  });
  return verify(null, Buffer.from(message), key, Buffer.from(signature, "hex"));
}
