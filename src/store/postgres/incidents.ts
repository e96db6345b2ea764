import { createHash, createHmac, randomBytes } from "node:crypto";
import type pg from "pg";
import { IsochronError } from "../../errors.ts";
import {
  extendIncident,
  foldIncident,
  refusalOf,
  type FoldedIncident,
  type IncidentOpened,
  type IncidentRefusal,
} from "../../model/incident-fold.ts";
import type { Incident, IncidentChange, IncidentEntry } from "../../model/incident.ts";
import type { Instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import type { TenantKey } from "../../model/tenant.ts";
import {
  incidentChanged,
  type IncidentAppend,
  type IncidentOpening,
  type IncidentStore,
} from "../incident-store.ts";
import type { OpenAudit } from "./audit.ts";
import { writeAudit } from "./audit-writes.ts";
import { iso } from "./event-writes.ts";
import { listHeads, readEditions, readEntries, readFrozen, readIncidents } from "./incident-reads.ts";
import { openView, poolOf } from "./view.ts";
import type { Pools } from "./pools.ts";

export interface IncidentTools {
  readonly pools: Pools;
  readonly audit: Pick<OpenAudit, "signer" | "tellAppended">;
  readonly claimKey: Uint8Array;
  /** What tenants' ids of incidents are made with. */
  readonly secret: Uint8Array;
}

const editionsMax = 500;

export function incidentStore(tools: IncidentTools): IncidentStore {
  const { pools, claimKey, secret } = tools;
  const asProvider = <T>(scope: Scope, empty: T, read: (client: pg.ClientBase) => Promise<T>): Promise<T> =>
    scope.kind === "provider" ? pools.transact(poolOf(scope), "read", read) : Promise.resolve(empty);
  return {
    open: (opening) => openIncident(tools, opening),
    append: (id, entries) => appendEntries(tools, id, entries),
    find: (scope, id) =>
      asProvider<Incident | undefined>(
        scope,
        undefined,
        async (client) => (await readIncidents(client, [id]))[0],
      ),
    list: (scope, filter, limit) =>
      asProvider<readonly Incident[]>(scope, [], async (client) =>
        readIncidents(client, await listHeads(client, filter, limit)),
      ),
    history: (scope, id) =>
      asProvider<readonly IncidentEntry[]>(scope, [], async (client) =>
        (await readEntries(client, [id])).map(({ entry }) => entry),
      ),
    frozen: (scope, id) => asProvider(scope, undefined, (client) => readFrozen(client, id)),
    editions: (scope, limit) =>
      openView(pools, claimKey, scope, [], (client, view) => readEditions(client, view, { limit })),
    edition: (scope, id) =>
      openView(pools, claimKey, scope, [], (client, view) =>
        readEditions(client, view, { id, limit: editionsMax }),
      ),
    editionId: (incident, tenant) => editionId(secret, incident, tenant),
  };
}

async function openIncident(
  tools: IncidentTools,
  opening: IncidentOpening,
): Promise<{ readonly incident: Incident; readonly fresh: boolean }> {
  const { pools, audit } = tools;
  const outcome = await pools.transact("ingest", "write", async (client) => {
    const { origin, by, at, key } = opening;
    const opened: IncidentOpened = { id: newId(), origin, openedAt: at, openedBy: by };
    const { rowCount } = await client.query(
      `INSERT INTO isochron.incident (id, origin, opened_by, opened_at, opening_key)
       VALUES ($1, $2, $3, $4::timestamptz, $5) ON CONFLICT (opening_key) DO NOTHING`,
      [opened.id, origin, by, iso(at), key ?? null],
    );
    if (rowCount === 0) return { incident: await readOpenedBy(client, key ?? ""), fresh: false };
    const start = foldIncident(opened, []);
    const incident = take(start, entriesOf(start, opening));
    await writeEntries(client, incident.id, entriesOf(start, opening));
    await client.query(
      `INSERT INTO isochron.incident_head (incident_id, version, state, window_from, window_to)
       VALUES ($1, $2, $3, $4::timestamptz, $5::timestamptz)`,
      headOf(incident),
    );
    if (opening.audit !== undefined) await writeAudit(client, audit.signer, [opening.audit(incident)]);
    return { incident, fresh: true };
  });
  if (outcome.fresh) audit.tellAppended();
  return outcome;
}

/** Whoever opened it first has committed: until then the insertion waited. */
async function readOpenedBy(client: pg.ClientBase, key: string): Promise<Incident> {
  const { rows } = await client.query<{ id: string }>(
    "SELECT id FROM isochron.incident WHERE opening_key = $1",
    [key],
  );
  const [found] = await readIncidents(
    client,
    rows.map(({ id }) => id),
  );
  if (found === undefined) throw new Error("the incident of an opening key is gone");
  return found;
}

async function appendEntries(
  tools: IncidentTools,
  id: string,
  given: IncidentAppend,
): Promise<Incident | undefined> {
  const { pools, audit, secret } = tools;
  const incident = await pools.transact("ingest", "write", async (client) => {
    // Held until the commit, so that two who write at once write one after the other.
    const held = await client.query<{ version: number }>(
      "SELECT version FROM isochron.incident_head WHERE incident_id = $1 FOR UPDATE",
      [id],
    );
    const [before] = held.rows.length === 0 ? [] : await readIncidents(client, [id]);
    if (before === undefined) return undefined;
    if (before.version !== given.expectedVersion)
      throw incidentChanged(before.version, given.expectedVersion);
    const entries = entriesOf(before, given);
    const after = take(before, entries);
    await writeEntries(client, id, entries);
    await client.query(
      `UPDATE isochron.incident_head SET version = $2, state = $3, window_from = $4::timestamptz,
              window_to = $5::timestamptz WHERE incident_id = $1`,
      headOf(after),
    );
    await freeze(client, after, given);
    await writeEditions(client, secret, id, given);
    if (given.audit !== undefined) await writeAudit(client, audit.signer, [given.audit(after)]);
    return after;
  });
  if (incident !== undefined) audit.tellAppended();
  return incident;
}

function entriesOf(
  before: FoldedIncident,
  { by, at, changes }: Pick<IncidentAppend, "by" | "at" | "changes">,
): readonly IncidentEntry[] {
  return changes.map((change, index) => {
    return { sequence: before.version + 1 + index, recordedAt: at, by, change };
  });
}

/** The incident with the entries, each of which it has to take. */
function take(before: FoldedIncident, entries: readonly IncidentEntry[]): FoldedIncident {
  let incident = before;
  for (let at = 0; at < entries.length;) {
    const { change } = entries[at]!;
    const refusal = refusalOf(incident, change);
    if (refusal !== undefined) throw refused(refusal, change);
    let until = at + 1;
    // Of a document's rows one is taken as the other.
    while (change.kind === "row" && entries[until]?.change.kind === "row") until += 1;
    incident = extendIncident(incident, entries.slice(at, until));
    at = until;
  }
  return incident;
}

async function writeEntries(
  client: pg.ClientBase,
  id: string,
  entries: readonly IncidentEntry[],
): Promise<void> {
  await client.query(
    `INSERT INTO isochron.incident_entry (incident_id, sequence, recorded_at, recorded_by, change)
     SELECT $1, e.sequence, e.at, e.by, e.change
       FROM jsonb_to_recordset($2::jsonb) AS e (sequence integer, at timestamptz, by text, change jsonb)`,
    [
      id,
      JSON.stringify(
        entries.map(({ sequence, recordedAt, by, change }) => ({
          sequence,
          at: iso(recordedAt),
          by,
          change,
        })),
      ),
    ],
  );
}

async function freeze(client: pg.ClientBase, incident: Incident, given: IncidentAppend): Promise<void> {
  const step = given.changes.find((change) => change.kind === "state" && change.state === "published");
  if (step === undefined) return;
  const { frozen = "", at } = given;
  if (incident.published?.hash !== sha256(frozen))
    throw new Error("the hash of a published incident is not that of what is frozen");
  await client.query(
    `INSERT INTO isochron.incident_publication (incident_id, published_at, hash, export)
     VALUES ($1, $2::timestamptz, $3, $4)`,
    [incident.id, iso(at), incident.published.hash, frozen],
  );
}

async function writeEditions(
  client: pg.ClientBase,
  secret: Uint8Array,
  incident: string,
  { at, editions = [] }: IncidentAppend,
): Promise<void> {
  for (const { tenant, domain, title, markdown } of editions) {
    await client.query(
      // A later edition holds the earlier ones, so that a domain which was not told those is not told it either.
      `INSERT INTO isochron.incident_edition
         (tenant_key, domain_key, id, edition, visibility, published_at, title, markdown, hash)
       SELECT $1, CASE WHEN bool_and(domain_key IS NOT DISTINCT FROM $2) IS NOT FALSE THEN $2::text END, $3,
              1 + coalesce(max(edition), 0), 'operational', $4::timestamptz, $5, $6, $7
         FROM isochron.incident_edition WHERE tenant_key = $1 AND id = $3`,
      [
        tenant,
        domain ?? null,
        editionId(secret, incident, tenant),
        iso(at),
        title,
        markdown,
        sha256(markdown),
      ],
    );
  }
}

function headOf(incident: Incident): readonly unknown[] & unknown[] {
  const { id, version, state, window } = incident;
  const at = (moment: Instant | undefined): string | null => (moment === undefined ? null : iso(moment));
  return [id, version, state, at(window.from), at(window.to)];
}

const reasons: Readonly<Record<Exclude<IncidentRefusal, "published">, readonly [string, string]>> = {
  "not-published": ["Only a published incident is amended.", "Write a note, or change the text itself."],
  "no-such-step": [
    "From its state there is no such step.",
    "A draft is reviewed, and what was reviewed is published or taken back.",
  ],
  "no-hash": ["What is to be frozen has no hash.", "Publish it through the API, which makes one."],
  "no-such-pin": ["The event is not pinned.", "Look at what is pinned to it."],
  "no-such-thing": ["It has no measured thing of that id.", "Add the thing first."],
  "no-such-time": ["That time was neither set nor imported.", "What was inferred can be set, not cleared."],
};

function refused(refusal: IncidentRefusal, { kind }: IncidentChange): IsochronError {
  if (refusal === "published") {
    return new IsochronError(
      "incident-published",
      `It is published, and takes no ${kind} any more.`,
      "Write an amendment.",
    );
  }
  return new IsochronError("incident-invalid", ...reasons[refusal]);
}

const letters = "0123456789abcdefghjkmnpqrstvwxyz";

function newId(): string {
  return spell(randomBytes(26));
}

/** Known to one tenant: whoever does not have the store's secret cannot tell that two are of one incident. */
function editionId(secret: Uint8Array, incident: string, tenant: TenantKey): string {
  return spell(createHmac("sha256", secret).update(`isochron/incident\n${tenant}\n${incident}`).digest());
}

function spell(bytes: Uint8Array): string {
  return `inc_${[...bytes.subarray(0, 26)].map((byte) => letters[byte % letters.length]).join("")}`;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
