import { createHash } from "node:crypto";
import pg from "pg";
import { serverUid } from "./embedded-data.ts";
import { IsochronError } from "../../errors.ts";
import type { EventStore } from "../event-store.ts";
import type { Store, StoreDescription } from "../store.ts";
import { appendPage, type AppendTools } from "./append.ts";
import {
  connect,
  forgetLane,
  readCursor,
  readWait,
  releaseLease,
  renewLease,
  reportHealth,
  takeLease,
} from "./connections.ts";
import { alertSplitStore } from "./alert-splits.ts";
import { openAudit, type OpenAudit } from "./audit.ts";
import { correlationReader } from "./correlation.ts";
import { decisionStore } from "./decisions.ts";
import { digestStore } from "./digest.ts";
import { startEmbedded, type StoreLog } from "./embedded.ts";
import { feedbackStore } from "./feedback.ts";
import { incidentStore } from "./incidents.ts";
import { openListener } from "./listener.ts";
import { maintenanceStore } from "./maintenance-windows.ts";
import { migrate } from "./migrate.ts";
import { operationStore } from "./operations.ts";
import { Partitions } from "./partitions.ts";
import { aliasKeyOf, noticeTemplateStore } from "./notice-templates.ts";
import { adminConfig, openPools, type Pools, type PoolSizes, type Target } from "./pools.ts";
import { eventReader } from "./reader.ts";
import { collectDue, writeAnswers } from "./reattribution.ts";
import { ensureRoles, loginPassword, logins, resetPassword } from "./roles.ts";
import { retentionStore } from "./retention-desk.ts";
import { Tombstones } from "./retention-tombstones.ts";
import { searchForRulings } from "./ruling-search.ts";
import { rulingStore } from "./rulings.ts";
import { sessionStore } from "./sessions.ts";
import { listSetAside, noteReplay } from "./set-aside.ts";
import { notificationStore } from "./notifications.ts";
import { noteHealth, noteReconcile, readLastHeard } from "./source-health.ts";
import { tokenStore } from "./tokens.ts";
import { typePairStore } from "./type-pairs.ts";
import { topologyReader } from "./topology.ts";
import { parseDatabaseUrl } from "./database-url.ts";

export interface StoreOptions {
  /** Folder for a PostgreSQL of Isochron's own. */
  readonly dataDir?: string;
  /** An existing server, as its owner: `postgresql://login:password@host:port/database`. */
  readonly databaseUrl?: string;
  readonly log?: StoreLog;
  readonly poolSizes?: PoolSizes;
  /** What the hashes of what was deleted are made with: 32 bytes or more that are not kept in the database. */
  readonly erasureKey?: Uint8Array;
  /** 32 bytes that the key of the audit trail's signatures is made of; absent, where the store is stands in for them. */
  readonly auditSeed?: Uint8Array;
}

interface Prepared {
  readonly schemaVersion: number;
  readonly claimKey: Uint8Array;
  readonly noticeSecret: Uint8Array;
  readonly serverVersion: string;
}

/**
 * Opens the store: starts or finds its server, makes roles, migrates, opens a pool for each login.
 * Throws `store-unavailable`, `store-in-use` and `migration-newer`.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const log: StoreLog = options.log ?? (() => undefined);
  const target = await findTarget(options, log);
  try {
    const prepared = await prepare(target);
    const pools = openPools(target, log, options.poolSizes);
    const audit = openAudit(pools, options.auditSeed ?? placeSeed("audit", options), log);
    const tombstones = new Tombstones(options.erasureKey ?? placeSeed("erasure", options));
    return assemble(target, prepared, { pools, audit, tombstones }, log);
  } catch (error) {
    await target.embedded?.stop();
    throw error;
  }
}

async function findTarget(options: StoreOptions, log: StoreLog): Promise<Target> {
  if (options.databaseUrl !== undefined) return parseDatabaseUrl(options.databaseUrl);
  if (options.dataDir === undefined) {
    throw new IsochronError("usage", "No store was named.", "Give --data DIR, or set ISOCHRON_DATABASE_URL.");
  }
  const embedded = await startEmbedded(options.dataDir, log);
  return {
    host: embedded.admin.host,
    port: embedded.admin.port,
    database: embedded.admin.database,
    ssl: undefined,
    adminUser: embedded.admin.user,
    adminPassword: undefined,
    embedded,
  };
}

/** What needs the administrator: once at opening, then never again. */
async function prepare(target: Target): Promise<Prepared> {
  const admin = new pg.Client(adminConfig(target));
  admin.on("error", () => undefined);
  try {
    await admin.connect();
  } catch (cause) {
    throw new IsochronError(
      "store-unavailable",
      `The database ${target.database} on ${target.host} cannot be opened: ${(cause as Error).message}.`,
      "Check ISOCHRON_DATABASE_URL and that the server runs.",
      { cause },
    );
  }
  try {
    await checkServer(admin);
    await ensureRoles(admin, target.adminPassword);
    await checkPasswords(target, admin);
    const schemaVersion = await migrate(admin);
    const { rows } = await admin.query<{ key: Buffer; notice_secret: Buffer; version: string }>(
      "SELECT key, notice_secret, current_setting('server_version') AS version FROM isochron.claim_key",
    );
    const [row] = rows;
    if (row === undefined) throw new Error("the store has lost its claim key");
    return { schemaVersion, claimKey: row.key, noticeSecret: row.notice_secret, serverVersion: row.version };
  } finally {
    await admin.end();
  }
}

async function checkServer(admin: pg.Client): Promise<void> {
  const { rows } = await admin.query<{ version: number; encoding: string }>(
    `SELECT current_setting('server_version_num')::integer AS version, pg_encoding_to_char(encoding) AS encoding
       FROM pg_database WHERE datname = current_database()`,
  );
  const [row] = rows;
  if (row === undefined || row.version < 150_000 || row.encoding !== "UTF8") {
    throw new IsochronError(
      "store-unavailable",
      `The server is PostgreSQL ${Math.floor((row?.version ?? 0) / 10_000)} with encoding ${row?.encoding}.`,
      "Isochron needs PostgreSQL 15 or later and a database with encoding UTF8.",
    );
  }
}

/** A login made under another administrator password cannot be used until it has the one that follows from this. */
async function checkPasswords(target: Target, admin: pg.Client): Promise<void> {
  for (const login of Object.values(logins)) {
    const password = loginPassword(target.adminPassword, login);
    if (password === undefined) continue;
    const probe = new pg.Client({ ...adminConfig(target), user: login, password });
    probe.on("error", () => undefined);
    try {
      await probe.connect();
      await probe.end();
    } catch (error) {
      if ((error as { code?: string }).code !== "28P01") throw error;
      await resetPassword(admin, login, password);
    }
  }
}

/** For programs that prove nothing to anybody: whoever knows where the store is knows the key. */
function placeSeed(purpose: string, { databaseUrl, dataDir }: StoreOptions): Uint8Array {
  return createHash("sha256")
    .update(`isochron ${purpose}\n${databaseUrl ?? dataDir}`)
    .digest();
}

function assemble(
  target: Target,
  prepared: Prepared,
  parts: { readonly pools: Pools; readonly audit: OpenAudit; readonly tombstones: Tombstones },
  log: StoreLog,
): Store {
  const { pools, audit, tombstones } = parts;
  const listener = openListener(pools, log);
  let closed: Promise<void> | undefined;
  const description: StoreDescription = {
    serverVersion: prepared.serverVersion,
    schemaVersion: prepared.schemaVersion,
    embedded: target.embedded !== undefined,
    location: target.embedded?.dataDir ?? `${target.host}:${target.port}/${target.database}`,
  };
  const tools = { pools, partitions: new Partitions(pools), noticeSecret: prepared.noticeSecret, tombstones };
  return {
    events: eventStore(tools),
    reader: eventReader(pools, prepared.claimKey, listener),
    topology: topologyReader(pools, prepared.claimKey),
    correlation: correlationReader(pools, prepared.claimKey),
    tokens: tokenStore(pools),
    sessions: sessionStore(pools),
    noticeTemplates: noticeTemplateStore(pools),
    aliasKey: aliasKeyOf(prepared.noticeSecret),
    audit,
    decisions: decisionStore(tools, audit),
    rulings: rulingStore(pools),
    retention: retentionStore(tools),
    notifications: notificationStore(pools, prepared.claimKey),
    incidents: incidentStore({ pools, audit, claimKey: prepared.claimKey, secret: prepared.noticeSecret }),
    maintenance: maintenanceStore(pools),
    feedback: feedbackStore(pools),
    typePairs: typePairStore(pools),
    alertSplits: alertSplitStore(pools),
    operations: operationStore(pools),
    digest: () => pools.transact("ingest", "read", digestStore),
    describe: async () => {
      const uid = target.embedded === undefined ? undefined : await serverUid(target.embedded.dataDir);
      return uid === undefined ? description : { ...description, serverUid: uid };
    },
    close: () =>
      (closed ??= (async () => {
        await listener.end();
        await audit.close();
        await pools.end();
        await target.embedded?.stop();
      })()),
  };
}

function eventStore(tools: AppendTools): EventStore {
  const { pools } = tools;
  const write = <T>(action: (client: pg.ClientBase) => Promise<T>): Promise<T> =>
    pools.transact("ingest", "write", action);
  const read = <T>(action: (client: pg.ClientBase) => Promise<T>): Promise<T> =>
    pools.transact("ingest", "read", action);
  return {
    connect: (connection) => write((client) => connect(client, connection)),
    append: (page) => appendPage(tools, page),
    cursor: (connection, stream) => read((client) => readCursor(client, connection, stream)),
    lease: (connection, holder, ttlMs, restMs) =>
      write((client) => takeLease(client, { connection, holder, ttlMs, restMs })),
    renew: (connection, epoch) =>
      pools.transact("lease", "write", (client) => renewLease(client, connection, epoch)),
    release: (connection, epoch, restMs) =>
      write((client) => releaseLease(client, connection, epoch, restMs)),
    waitFor: (connection, holder, restMs) => read((client) => readWait(client, connection, holder, restMs)),
    endLane: (connection, lane, epoch) => write((client) => forgetLane(client, { connection, lane, epoch })),
    report: (connection, error, epoch) => write((client) => reportHealth(client, connection, error, epoch)),
    noteHealth: (connection, health) => write((client) => noteHealth(client, connection, health)),
    lastHeard: (connection) => read((client) => readLastHeard(client, connection)),
    reconciled: (connection, outcome, epoch) =>
      write((client) => noteReconcile(client, connection, outcome, epoch)),
    dueForAttribution: async (limit) => {
      await searchForRulings(pools);
      return write((client) => collectDue(client, limit));
    },
    reattributed: (mark, answers, rulingsVersion) =>
      write((client) => writeAnswers(client, tools, mark, answers, rulingsVersion)),
    setAside: (connection, limit, after) => read((client) => listSetAside(client, connection, limit, after)),
    replayed: (id, outcome) => write((client) => noteReplay(client, id, outcome)),
  };
}
