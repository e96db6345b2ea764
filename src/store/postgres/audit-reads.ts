import type pg from "pg";
import { formatInstant, type Instant } from "../../model/instant.ts";
import {
  exportFormat,
  type AuditEntry,
  type AuditHead,
  type AuditSigner,
  type AuditVerdict,
  type TrustedKey,
} from "../audit-chain.ts";
import { toLine } from "../audit-export.ts";
import type { AuditFilter } from "../audit-store.ts";
import { AuditVerifier, type AuditFaultFound } from "../audit-verifier.ts";
import { auditColumns, toEntry, type AuditRow, type AuditTail } from "./audit-entry.ts";
import { iso } from "./event-writes.ts";
import { Parameters } from "./filter.ts";
import type { Pools } from "./pools.ts";

const pageRows = 500;

export async function listEntries(
  client: pg.ClientBase,
  filter: AuditFilter,
  limit: number,
  before?: number,
): Promise<{ readonly entries: readonly AuditEntry[]; readonly more: boolean }> {
  const parameters = new Parameters();
  const { action, actor, object, from, to } = filter;
  const conditions = ["true"];
  if (before !== undefined) conditions.push(`e.sequence < ${parameters.add(before, "bigint")}`);
  if (action !== undefined) conditions.push(`e.action = ${parameters.add(action, "text")}`);
  if (object !== undefined) conditions.push(`e.object = ${parameters.add(object, "text")}`);
  if (from !== undefined) conditions.push(`e.at >= ${parameters.add(iso(from), "timestamptz")}`);
  if (to !== undefined) conditions.push(`e.at < ${parameters.add(iso(to), "timestamptz")}`);
  if (actor !== undefined) {
    const value = parameters.add(actor, "text");
    conditions.push(`e.sequence IN (SELECT p.sequence FROM isochron.audit_personal p
      WHERE p.field IN ('actor.id', 'actor.name') AND hashtextextended(p.value, 0) = hashtextextended(${value}, 0)
        AND p.value = ${value})`);
  }
  const { rows } = await client.query<AuditRow>(
    `SELECT ${auditColumns} FROM isochron.audit_entry e WHERE ${conditions.join(" AND ")}
      ORDER BY e.sequence DESC LIMIT ${parameters.add(limit + 1, "integer")}`,
    parameters.values,
  );
  return { entries: rows.slice(0, limit).map(toEntry), more: rows.length > limit };
}

export async function findEntry(client: pg.ClientBase, sequence: number): Promise<AuditEntry | undefined> {
  const { rows } = await client.query<AuditRow>(
    `SELECT ${auditColumns} FROM isochron.audit_entry e WHERE e.sequence = $1`,
    [sequence],
  );
  return rows[0] === undefined ? undefined : toEntry(rows[0]);
}

export async function listFollowing(
  client: pg.ClientBase,
  sequence: number,
  limit: number,
): Promise<readonly AuditEntry[]> {
  const { rows } = await client.query<AuditRow>(
    `SELECT ${auditColumns} FROM isochron.audit_entry e WHERE e.sequence > $1 ORDER BY e.sequence LIMIT $2`,
    [sequence, limit],
  );
  return rows.map(toEntry);
}

export async function readTail(client: pg.ClientBase): Promise<AuditTail> {
  const { rows } = await client.query<{ store: string; sequence: number; hash: string }>(
    "SELECT store_id::text AS store, sequence, encode(hash, 'hex') AS hash FROM isochron.audit_tail",
  );
  const [tail] = rows;
  if (tail === undefined) throw new Error("the audit trail has lost its end");
  return tail;
}

/** Everything in one snapshot, so that no erasure meanwhile looks like one that nobody told of. */
async function holdSnapshot(client: pg.ClientBase): Promise<void> {
  await client.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
}

async function* readAll(client: pg.ClientBase): AsyncGenerator<AuditEntry> {
  for (let after = -1; ;) {
    const entries = await listFollowing(client, after, pageRows);
    yield* entries;
    const last = entries.at(-1);
    if (last === undefined) return;
    after = last.sequence;
  }
}

export async function verifyStored(
  pools: Pick<Pools, "transact">,
  own: TrustedKey,
  { keys = [], head }: { readonly keys?: readonly TrustedKey[]; readonly head?: AuditHead },
): Promise<AuditVerdict> {
  return pools.transact("provider", "read", async (client) => {
    await holdSnapshot(client);
    const tail = await readTail(client);
    const verifier = new AuditVerifier(
      { keys: [own, ...keys], ...(head === undefined ? {} : { head }) },
      tail.store,
    );
    for await (const entry of readAll(client)) verifier.take(entry);
    return verifier.verdict(checkTail(tail, verifier.end));
  });
}

/** Whether the trail ends where the store says that it does. */
function checkTail(tail: AuditTail, end: AuditVerifier["end"]): AuditFaultFound | undefined {
  const { sequence, hash } = end;
  if (tail.sequence > sequence) {
    const says = `The trail ends before it; the store was at entry ${tail.sequence}.`;
    return { ok: false, sequence: sequence + 1, what: "missing", says };
  }
  if (tail.sequence < sequence)
    return { ok: false, sequence: tail.sequence + 1, what: "inserted", says: "The trail ended before it." };
  if (tail.hash === hash) return undefined;
  return { ok: false, sequence, what: "head", says: "It is not the entry that the store ended with." };
}

/** On a connection of its own, because whoever takes the lines may take its time. */
export async function* exportAudit(
  pools: Pools,
  signer: AuditSigner,
  now: () => Instant,
): AsyncGenerator<string> {
  const client = await pools.dedicated("provider");
  try {
    await client.query("SET idle_in_transaction_session_timeout = 0");
    await client.query("BEGIN TRANSACTION READ ONLY");
    await holdSnapshot(client);
    const tail = await readTail(client);
    const { rows } = await client.query<{ id: string; key: string }>(
      "SELECT id, encode(public_key, 'hex') AS key FROM isochron.audit_key",
    );
    const keys = [...rows, { id: signer.key.id, key: signer.key.publicKey }];
    yield toLine({
      format: exportFormat,
      store: tail.store,
      keys: Object.fromEntries(keys.map(({ id, key }) => [id, key])),
    });
    for await (const entry of readAll(client)) yield toLine(entry);
    yield toLine(signer.signHead({ ...tail, at: formatInstant(now()) }));
  } finally {
    await client.end();
  }
}
