import { createHmac } from "node:crypto";
import type pg from "pg";
import { IsochronError } from "../../errors.ts";

/** What a tombstone stands for, with the words that name it. */
type Named =
  | readonly ["delivery", connection: string, sourceId: string, key: string]
  | readonly ["event", id: string]
  | readonly ["edition", tenantKey: string, eventId: string]
  | readonly ["set-aside", id: string]
  | readonly ["set-aside-bytes", connection: string, sha256: string]
  /** The control plane is empty for people, whom all clouds may know by one id. */
  | readonly ["entity", controlPlane: string, entityKey: string]
  | readonly ["target", words: string];

export type TombstoneReason = "expired" | "erased";

/** Makes and finds the keyed hashes of what is gone. The key is not in the database, so that a dump of it tells nothing. */
export class Tombstones {
  readonly #key: Uint8Array;
  #isChecked = false;

  /** 32 bytes or more, the same in every process that serves the store. */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  hash(named: Named): Buffer {
    return createHmac("sha256", this.#key).update(JSON.stringify(named)).digest();
  }

  /** Throws `erasure-unready` unless the key is the one that the store's tombstones were made with. */
  async check(client: pg.ClientBase): Promise<void> {
    if (this.#isChecked) return;
    const mine = this.hash(["target", "check"]);
    const { rows } = await client.query<{ key_check: Buffer }>(
      `UPDATE isochron.retention_state SET key_check = coalesce(key_check, $1) RETURNING key_check`,
      [mine],
    );
    if (rows[0]?.key_check.equals(mine) !== true) throw otherKey();
    this.#isChecked = true;
  }

  /** Whether anything was ever deleted for good; most stores never ask further. */
  async any(client: pg.ClientBase): Promise<boolean> {
    const { rows } = await client.query<{ any: boolean; key_check: Buffer | null }>(
      `SELECT EXISTS (SELECT FROM isochron.tombstone) OR EXISTS (SELECT FROM isochron.erased_entity) AS any, key_check
         FROM isochron.retention_state`,
    );
    if (rows[0]?.any !== true) return false;
    if (rows[0].key_check?.equals(this.hash(["target", "check"])) !== true) throw otherKey();
    return true;
  }

  async write(client: pg.ClientBase, named: readonly Named[], reason: TombstoneReason): Promise<void> {
    if (named.length === 0) return;
    await this.check(client);
    const hashes = named.map((one) => this.hash(one)).sort(Buffer.compare);
    await client.query(
      "INSERT INTO isochron.tombstone (hash, reason) SELECT hash, $2 FROM unnest($1::bytea[]) AS hash ON CONFLICT DO NOTHING",
      [hashes, reason],
    );
  }

  /** Which of them are gone, in hex, with the reason. */
  async find(
    client: pg.ClientBase,
    named: readonly Named[],
  ): Promise<(one: Named) => TombstoneReason | undefined> {
    if (named.length === 0) return () => undefined;
    const { rows } = await client.query<{ hash: Buffer; reason: TombstoneReason }>(
      "SELECT hash, reason FROM isochron.tombstone WHERE hash = ANY($1::bytea[])",
      [named.map((one) => this.hash(one))],
    );
    // Of most pages nothing is gone: a second hash of every name would be for nothing.
    if (rows.length === 0) return () => undefined;
    const found = new Map(rows.map(({ hash, reason }) => [hash.toString("hex"), reason]));
    return (one) => found.get(this.hash(one).toString("hex"));
  }

  /** Up to when each of these was erased, if it was. */
  async erased(
    client: pg.ClientBase,
    entities: Iterable<EntityName>,
  ): Promise<(entity: EntityName) => number | undefined> {
    const distinct = new Map([...entities].map((one) => [one.join("\n"), one]));
    if (distinct.size === 0) return () => undefined;
    const hashes = new Map(
      [...distinct].map(([name, one]) => [name, this.hash(["entity", ...one]).toString("hex")]),
    );
    const { rows } = await client.query<{ hash: Buffer; until: number }>(
      "SELECT hash, until FROM isochron.erased_entity WHERE hash = ANY($1::bytea[])",
      [[...hashes.values()].map((hash) => Buffer.from(hash, "hex"))],
    );
    const found = new Map(rows.map(({ hash, until }) => [hash.toString("hex"), until]));
    return (entity) => found.get(hashes.get(entity.join("\n")) ?? "");
  }

  async erase(client: pg.ClientBase, entities: readonly EntityName[], until: string): Promise<void> {
    await this.check(client);
    await client.query(
      `INSERT INTO isochron.erased_entity (hash, until) SELECT DISTINCT hash, $2::timestamptz FROM unnest($1::bytea[]) AS hash
       ON CONFLICT (hash) DO UPDATE SET until = greatest(isochron.erased_entity.until, excluded.until)`,
      [entities.map((one) => this.hash(["entity", ...one])), until],
    );
  }
}

/** A control plane and an entity's key within it. */
export type EntityName = readonly [controlPlane: string, entityKey: string];

function otherKey(): IsochronError {
  return new IsochronError(
    "erasure-unready",
    "The erasure key is not the one that this store's deletions were noted with, so what was deleted could come back.",
    "Set `erasure_key`, or `secret`, to what it was, the same in every process.",
  );
}
