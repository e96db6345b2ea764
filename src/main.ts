import { randomUUID } from "node:crypto";
import {
  auditSeed,
  auditTokens,
  auditTools,
  keepAudit,
  type AuditKeeping,
  type AuditTools,
} from "./audit-keeping.ts";
import type { Config } from "./config.ts";
import { concealInReports } from "./concealed-reports.ts";
import { resolveSecret } from "./config-secret.ts";
import { regionsOf } from "./config-tenancy.ts";
import {
  configuredConnections,
  findConnection,
  listPosted,
  pullSource,
  type Configured,
} from "./configured-connections.ts";
import { correlationAnswers } from "./correlation-answers.ts";
import { demoScenes, loadDemo } from "./demo.ts";
import type { Logger } from "./log.ts";
import { instant } from "./model/instant.ts";
import type { Instant } from "./model/instant.ts";
import type { SignInService } from "./model/sign-in-service.ts";
import { clean } from "./normalise/clean.ts";
import { decoders } from "./normalise/decode.ts";
import { disclosureClasses, redactionDiff } from "./normalise/redact-diff.ts";
import { keepNotifications, type NotificationKeeping } from "./notification-keeping.ts";
import { demoRoot, findWebPages } from "./package-folders.ts";
import { AddressGuard } from "./pipeline/address-guard.ts";
import { ContractWatch } from "./pipeline/contract-check.ts";
import { harvestOnce, type Pass } from "./pipeline/harvest.ts";
import { addIngested, importFile, nothingIngested } from "./pipeline/import-file.ts";
import type { Ingested, Stages } from "./pipeline/ingest.ts";
import { keepLearning } from "./pipeline/learn-pairs.ts";
import { createLiveIo } from "./pipeline/live-io.ts";
import { guardPull, guardSource } from "./pipeline/protection/guarded-source.ts";
import { createNotices, type Notices } from "./pipeline/notices.ts";
import type { Protection } from "./pipeline/protection/protection.ts";
import { startDelayMs } from "./pipeline/protection/ramp.ts";
import type { SourceGuard } from "./pipeline/protection/source-guard.ts";
import { noteTooLarge, receiveRequest } from "./pipeline/receive.ts";
import { reconcileAndCount, type Reconciliation } from "./pipeline/reconcile.ts";
import { replaySetAside } from "./pipeline/replay.ts";
import { openRulingDesk } from "./pipeline/ruling-desk.ts";
import { RulingBook } from "./pipeline/rulings.ts";
import { runConnections } from "./pipeline/run-connections.ts";
import { Settling } from "./pipeline/settling.ts";
import { createStormGate, stormThresholdUsual } from "./pipeline/storm-fold.ts";
import { tellContract } from "./pipeline/told-contract.ts";
import type { ApiParts } from "./present/api/api-parts.ts";
import { buildApi } from "./present/api/server.ts";
import { openSignInServices, probeSignInServices } from "./present/identity/open-sign-in-services.ts";
import { buildProtection } from "./process-protection.ts";
import { createRulingStep } from "./resolve/rulings.ts";
import { createResolver } from "./resolve/graph-resolver.ts";
import { buildTopologyView } from "./resolve/topology-view.ts";
import { recordedMoments } from "./sources/openstack-inventory/recorded-http.ts";
import { serverSecret } from "./server-secret.ts";
import { findSource, sources } from "./sources/registry.ts";
import type { SourceIo } from "./sources/source.ts";
import { erasureKey, keepStoreShort, type RetentionKeeping } from "./retention-keeping.ts";
import { watchOperations } from "./operation-keeping.ts";
import { openStore } from "./store/postgres/open.ts";
import type { Store } from "./store/store.ts";
import type { TokenScope } from "./store/token-store.ts";

export interface ApiOptions {
  /** Every request counts as this viewer's, for commands that look into their own store. */
  readonly viewer?: Exclude<TokenScope, { kind: "ingest" }>;
  readonly demo?: boolean;
}

/** Work on demand; the signal ends it in the middle, with the connection handed back. */
type OneOff = { readonly signal?: AbortSignal };
type HarvestOptions = { readonly recorded?: string; readonly anew?: boolean };

/** The whole program over one store. */
export interface Isochron {
  readonly store: Store;
  readonly audit: AuditTools;
  /** Names of the connections that records can be posted to. */
  readonly connections: readonly string[];
  /** Whether the built web pages are there to be served. */
  readonly webPages: boolean;
  importFile(options: {
    readonly source: string;
    readonly connection: string;
    readonly controlPlane: string;
    readonly path: string;
    readonly timeZone?: string;
    readonly onProgress?: (done: number, total: number) => void;
  }): Promise<Ingested>;
  harvestOnce(connection: string, options: OneOff & HarvestOptions): Promise<Ingested>;
  /** Compares a connection with what its source still knows. Throws `usage` where nobody can be asked. */
  reconcile(connection: string, options: OneOff & { readonly hours?: number }): Promise<Reconciliation>;
  /** Undefined when the store knows no such connection. */
  replaySetAside(connection: string): Promise<Ingested | undefined>;
  /** Expects nothing of it any more, until it is read again; false when the store knows no such connection. */
  forget(connection: string): Promise<boolean>;
  startHarvest(signal: AbortSignal): Promise<void>;
  /** Asks each identity provider once. */
  probeIdentityProviders(): Promise<readonly { readonly name: string; readonly problem?: string }[]>;
  api(options: ApiOptions): ReturnType<typeof buildApi>;
  loadDemo(onProgress: (done: number, total: number) => void): Promise<void>;
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly version: string;
}

const hourMs = 3_600_000;
const now = (): Instant => instant(Date.now());

/** Opens the store and builds every stage over it; the only place that knows them all. */
export async function openIsochron(config: Config, log: Logger, options: OpenOptions): Promise<Isochron> {
  const seed = await auditSeed(config);
  const store = await openStore({
    auditSeed: seed,
    erasureKey: await erasureKey(config),
    ...(config.databaseUrl === undefined ? { dataDir: config.data } : { databaseUrl: config.databaseUrl }),
    log: (level, message, fields) => log[level](fields ?? {}, message),
  });
  const connections = configuredConnections(config);
  const protection = buildProtection(config, connections);
  const notices = createNotices(store, clean, now);
  const stages = buildStages(config, log, { connections, protection, store, notices });
  const settling = new Settling(stages, (err) => log.error({ err }, "events were not answered again"));
  const audit = keepAudit(config, store.audit, { seed, stages, log });
  const holder = randomUUID();
  const retention = keepStoreShort(config, store, { holder, log });
  const notifications = await keepNotifications(config, store, log);
  const signInServices = await openSignInServices(config.identityProviders, (one) => resolveSecret(one));
  const served = {
    signInServices,
    audit,
    retention,
    notifications,
    config,
    log,
    store,
    stages,
    notices,
    settling,
    connections,
    protection,
  };

  const isochron: Isochron = {
    store: { ...store, tokens: auditTokens(store.tokens, store.audit) },
    audit: auditTools(store.audit),
    connections: listPosted(connections),
    webPages: findWebPages() !== undefined,
    ...sourceWork({ ...served, version: options.version }, holder),
    startHarvest: async (signal) => {
      const running = { log, signal, holder, protection };
      await Promise.all([
        runAll(stages, connections, running),
        retention.keep(signal),
        watchOperations(store, { stages, holder, log }, signal),
        notifications.keep(signal),
        keepLearning(
          { ...store, now, onError: (err) => log.error({ err }, "types that come together were not learnt") },
          signal,
        ),
      ]);
    },
    probeIdentityProviders: () => probeSignInServices(signInServices),
    api: async (request) => buildApiFor(request, { ...served, version: options.version }),
    loadDemo: (onProgress) => loadDemo({ isochron, store: store.events, demoRoot: demoRoot() }, onProgress),
    close: async () => {
      await settling.end();
      await notifications.end();
      await audit.end();
      await store.close();
    },
  };
  return isochron;
}

/** What commands do with one connection by themselves. */
function sourceWork(
  { connections, protection, stages, store, log }: ApiContext,
  holder: string,
): Pick<Isochron, "importFile" | "harvestOnce" | "reconcile" | "replaySetAside" | "forget"> {
  return {
    async importFile({ source: name, connection, controlPlane, path, timeZone, onProgress }) {
      const source = findSource(name);
      const target = { name: connection, source: name, controlPlane };
      // A document is finished when it has been read; nothing is missing after its end.
      await store.events.connect({ ...target, config: source.delivery === "file" ? { finished: true } : {} });
      return importFile(stages, {
        connection: target,
        source,
        path,
        ...(timeZone === undefined ? {} : { timeZone }),
        ...(onProgress === undefined ? {} : { onProgress }),
      });
    },
    async harvestOnce(name, { recorded, anew = false, signal = new AbortController().signal }) {
      const connection = findConnection(connections, name);
      const guard = protection.guard(name, connection.limits, false);
      const source = guardPull(pullSource(connection), guard);
      const live = liveIo(log, guard, connection, signal, stages);
      const ios = recorded === undefined ? [live] : await recordedIos(live, recorded);
      return harvestEach(stages, { connection, source, config: connection.config, holder, anew }, ios);
    },
    reconcile: (name, { hours, signal = new AbortController().signal }) => {
      const connection = findConnection(connections, name);
      const { config: given, intervalMs, limits, reconcile } = connection;
      const guard = protection.guard(name, limits, false);
      const source = guardSource(findSource(connection.source), guard);
      const io = liveIo(log, guard, connection, signal, stages);
      const spanMs = hours === undefined ? reconcile.spanMs : hours * hourMs;
      const pass = { connection, source, config: given, io, holder, intervalMs };
      return reconcileAndCount(stages, store.reader, pass, spanMs);
    },
    async replaySetAside(name) {
      const coverage = await store.reader.coverage({ kind: "provider" });
      const isKnown = coverage.connections.some(({ connection }) => connection === name);
      return isKnown ? replaySetAside(stages, findSource, name) : undefined;
    },
    async forget(name) {
      const { connections: known } = await store.reader.coverage({ kind: "provider" });
      const state = known.find(({ connection }) => connection === name);
      if (state === undefined) return false;
      const { source, controlPlane } = state;
      const config = { retired: true };
      await store.events.connect({ name, source, controlPlane, config, expectWithinMs: null });
      return true;
    },
  };
}

function buildStages(
  config: Config,
  log: Logger,
  over: Pick<ApiContext, "connections" | "protection" | "store" | "notices">,
): Stages {
  const { connections, protection, store, notices } = over;
  const providerDomains = new Set(config.providerDomains);
  return {
    decoders,
    clean,
    resolve: createResolver({ providerDomains }),
    rulings: { book: new RulingBook(store.rulings), apply: createRulingStep({ providerDomains }) },
    buildView: buildTopologyView,
    redact: notices.redact,
    refreshTexts: notices.refreshTexts,
    store: concealInReports(protection.guardStore(store.events)),
    topology: store.topology,
    reader: store.reader,
    contractWatch: new ContractWatch(),
    storms: createStormGate((name) => connections.get(name)?.stormThreshold ?? stormThresholdUsual),
    now,
    onDefect: ({ name }, { position }, err) =>
      log.error({ connection: name, position, err }, "a record was set aside for a defect of ours"),
  };
}

async function harvestEach(
  stages: Stages,
  pass: Omit<Pass, "io">,
  ios: readonly SourceIo[],
): Promise<Ingested> {
  let total = nothingIngested;
  for (const io of ios) total = addIngested(total, await harvestOnce(stages, { ...pass, io }));
  return total;
}

function liveIo(
  log: Logger,
  guard: SourceGuard,
  connection: Configured,
  signal: AbortSignal,
  stages: Stages,
): SourceIo {
  const { name, config, allowNetworks } = connection;
  const allowed = allowNetworks === undefined ? {} : { allowNetworks };
  const addresses = new AddressGuard({ connection: name, config, ...allowed });
  const warn: SourceIo["warn"] = (message, fields) => log.warn({ connection: name, ...fields }, message);
  const noteClock: SourceIo["noteClock"] = (reading) => stages.contractWatch?.noteClock(name, reading);
  const secret: SourceIo["secret"] = (reference) => resolveSecret(reference);
  return createLiveIo({ guard, addresses, now, signal, warn, secret, noteClock });
}

/** One set of answers per recorded moment, in the order of time. */
async function recordedIos(live: SourceIo, dir: string): Promise<readonly SourceIo[]> {
  const { noteClock: _, ...unclocked } = live;
  const moments = await recordedMoments(dir);
  return moments.map((moment) => ({ ...unclocked, http: moment.http, now: moment.now }));
}

/** Everything that runs by itself while the server is up. */
function runAll(
  stages: Stages,
  connections: ReadonlyMap<string, Configured>,
  running: {
    readonly log: Logger;
    readonly signal: AbortSignal;
    readonly holder: string;
    readonly protection: Protection;
  },
): Promise<void> {
  const { log, signal, holder, protection } = running;
  const enabled = [...connections.values()].filter((connection) => connection.enabled);
  const polled = enabled.filter(({ source }) => findSource(source).delivery === "pull");
  const runnings = enabled.map((connection) => {
    const { name, intervalMs, reconcile } = connection;
    const guard = protection.guard(name, connection.limits, true);
    const place = { index: polled.indexOf(connection), count: polled.length, intervalMs };
    return {
      connection,
      source: guardSource(findSource(connection.source), guard),
      config: connection.config,
      io: liveIo(log, guard, connection, signal, stages),
      intervalMs,
      startDelayMs: place.index < 0 ? 0 : startDelayMs(place, Math.random),
      credits: protection.credits.account(`stream ${name}`),
      ...(reconcile.everyMs === 0 ? {} : { reconcile }),
      ...(connection.expectWithinMs === undefined ? {} : { expectWithinMs: connection.expectWithinMs }),
    };
  });
  const onError = (error: unknown, connection?: string): void =>
    log.error({ ...(connection === undefined ? {} : { connection }), err: error }, "a pass failed");
  const resting = [...connections.values()].filter((one) => !one.enabled && one.expectWithinMs !== undefined);
  return runConnections(stages, runnings, { holder, signal, onError, resting });
}

interface ApiContext {
  readonly audit: AuditKeeping;
  readonly retention: RetentionKeeping;
  readonly notifications: NotificationKeeping;
  readonly config: Config;
  readonly log: Logger;
  readonly store: Store;
  readonly stages: Stages;
  readonly notices: Notices;
  readonly settling: Settling;
  readonly connections: ReadonlyMap<string, Configured>;
  readonly protection: Protection;
  readonly signInServices: readonly SignInService[];
  readonly version: string;
}

async function buildApiFor(request: ApiOptions, context: ApiContext): ReturnType<typeof buildApi> {
  const { audit, config, log, store, stages, notices, settling, connections, protection } = context;
  // The demo's timeline ends where its recording does.
  if (request.viewer === undefined && request.demo !== true) await audit.serve();
  const pages = findWebPages();
  const parts: ApiParts = {
    store,
    ...correlationAnswers(context),
    ingest: (name, { takeBytes, ...posted }) => {
      const connection = connections.get(name);
      const settings = {
        config: connection?.config ?? {},
        secret: (reference: string) => resolveSecret(reference),
      };
      return receiveRequest(stages, findSource, connection, posted, settings, takeBytes);
    },
    pushRoom: protection.pushRoom,
    protection: () => protection.state(),
    noteTooLarge: (name, posted) => noteTooLarge(stages, findSource, connections.get(name), posted),
    contractOf,
    notices: notices.desk,
    redaction: { compare: redactionDiff, classes: disclosureClasses },
    // A command ends with its answer; a server goes on.
    rulings: openRulingDesk(stages, store, () => settling.settle(request.viewer !== undefined)),
    notifications: context.notifications.desk,
    erasures: context.retention.desk(request.viewer !== undefined),
    tenantSettings: { customers: config.customers, regions: regionsOf(config.connections) },
    identityProviders: context.signInServices,
    clock: now,
    secret: await serverSecret(config),
    version: context.version,
    ...(pages === undefined ? {} : { webRoot: pages }),
    ...(request.demo === true ? { demo: { scenes: await demoScenes(store.reader, demoRoot()) } } : {}),
    log: request.viewer === undefined ? (log as unknown as Exclude<ApiParts["log"], false>) : false,
    trustedProxies: config.trustedProxies,
    openDemo: request.demo === true,
    ...(request.viewer === undefined ? {} : { viewer: request.viewer }),
  };
  return buildApi(parts);
}

/** What a source promises, as the API tells it; undefined for a source that this version does not have. */
function contractOf(name: string): ReturnType<NonNullable<ApiParts["contractOf"]>> {
  const source = sources.find((one) => one.name === name);
  return source === undefined ? undefined : tellContract(source.contract);
}
