import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import type { Customer } from "../../src/model/customer.ts";
import { duration, instant, type Instant } from "../../src/model/instant.ts";
import type { EntityRef } from "../../src/model/entity.ts";
import type { Relation } from "../../src/model/topology.ts";
import { decoders } from "../../src/normalise/decode.ts";
import { ingest } from "../../src/pipeline/ingest.ts";
import { reattribute } from "../../src/pipeline/reattribute.ts";
import { createStormGate } from "../../src/pipeline/storm-fold.ts";
import { findWhatElse } from "../../src/pipeline/what-else.ts";
import type { ContractJson } from "../../src/present/api/contract.ts";
import { buildApi } from "../../src/present/api/server.ts";
import { buildTopologyView } from "../../src/resolve/topology-view.ts";
import { alertmanager } from "../../src/sources/alertmanager.ts";
import { sources } from "../../src/sources/registry.ts";
import type { StatedFact, StorableEvent } from "../../src/store/event-store.ts";
import { startEmbedded } from "../../src/store/postgres/embedded.ts";
import { openStore } from "../../src/store/postgres/open.ts";
import type { Store } from "../../src/store/store.ts";
import { stagesOver } from "../stages.ts";

/** A night in which much went wrong with the sources themselves: holes, a storm, silence, a failure. */
export interface TroubledWorld {
  readonly url: string;
  /** The hour that it is about, in milliseconds: all moments are told from here. */
  readonly at: number;
  readonly stop: () => Promise<void>;
}

/** How many alerts the storm has, and on how many servers. */
export const stormAlerts = 4212;
export const stormServers = 31;
const stormThreshold = 12;
const alertsPerPage = 400;

const minuteMs = 60_000;
const controlPlane = "region-1";

/** Three o'clock of the latest night that is over for good. */
function latestNight(now: number): number {
  const dayMs = 86_400_000;
  const today = Math.floor(now / dayMs) * dayMs + 3 * 3_600_000;
  return today + 2 * 3_600_000 < now ? today : today - dayMs;
}

const projects = {
  prod: { id: "5b1c0000000000000000000000000001", domain: "7d000000000000000000000000000001" },
  payroll: { id: "5b1c0000000000000000000000000002", domain: "7d000000000000000000000000000002" },
} as const;
const names: Readonly<Record<string, string>> = {
  [projects.prod.id]: "prod",
  [projects.payroll.id]: "payroll",
  [projects.prod.domain]: "contoso",
  [projects.payroll.domain]: "northwind",
};

/** One of the two domains is a customer's. */
const customers: readonly Customer[] = [
  { id: "adatum", name: "Adatum Group", members: [{ controlPlane, domainId: projects.prod.domain }] },
];

const serverOf = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
/** Every fourth server is payroll's. */
const projectOf = (number: number) => (number % 4 === 3 ? projects.payroll : projects.prod);

/** Serves the world from a store of its own; the caller stops it. */
export async function serveTroubledWorld(): Promise<TroubledWorld> {
  const folder = await mkdtemp(join(tmpdir(), "isochron-troubled-"));
  const server = await startEmbedded(folder, () => undefined, ["fsync=off", "synchronous_commit=off"]);
  const { host, port, user, database } = server.admin;
  const databaseUrl = `postgresql://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`;
  const store = await openStore({ databaseUrl });
  const at = latestNight(Date.now());
  await tellFacts(store, at);
  await tellStorm(store, at);
  await tellChanges(store, at);
  await tellHealth(store, at, databaseUrl);
  const app = await buildApi({
    store,
    whatElse: (scope, query) =>
      findWhatElse(
        { reader: store.reader, correlation: store.correlation, buildView: buildTopologyView },
        scope,
        query,
      ),
    ingest: async () => undefined,
    noteTooLarge: async () => {},
    contractOf,
    tenantSettings: { customers, regions: new Map([[controlPlane, "west"]]) },
    clock: () => instant(Date.now()),
    secret: new Uint8Array(32).fill(7),
    version: "0.0.0",
    webRoot: fileURLToPath(new URL("../../dist/web/", import.meta.url)),
    demo: { scenes: [] },
    openDemo: true,
    log: false,
  });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  const stop = async () => {
    await app.close();
    await store.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { url, at, stop };
}

function contractOf(name: string): ContractJson | undefined {
  const contract = sources.find((source) => source.name === name)?.contract;
  if (contract === undefined) return undefined;
  return {
    identity: contract.identity,
    version: contract.version,
    ordering: contract.ordering,
    commit_delay_max_ms: contract.commitDelayMax,
    clock_error_max_ms: contract.clockErrorMax,
    retention_ms: contract.retention ?? null,
    delivery: contract.delivery,
    revisions: contract.revisions,
    blind_spots: contract.blindSpots,
  };
}

const connections = {
  nova: { name: "nova@region-1", source: "openstack-notifications", controlPlane },
  alerts: { name: "prometheus@region-1", source: "alertmanager", controlPlane },
  workflows: { name: "workflows@region-1", source: "sql", controlPlane },
  zabbix: { name: "zabbix@region-1", source: "zabbix", controlPlane },
  tickets: { name: "tickets@region-1", source: "rest", controlPlane },
  inventory: { name: "inventory@region-1", source: "openstack-inventory", controlPlane },
} as const;

async function tellFacts(store: Store, at: number): Promise<void> {
  for (const connection of Object.values(connections)) {
    await store.events.connect({ ...connection, config: {} });
  }
  const facts: StatedFact[] = [];
  const say = (from: EntityRef, relation: Relation, to: EntityRef) =>
    facts.push({
      from,
      relation,
      to,
      at: instant(at - 86_400_000),
      holds: true,
      sourceId: `fact-${facts.length}`,
    });
  for (const { id, domain } of Object.values(projects)) {
    say({ kind: "project", id }, "part_of", { kind: "domain", id: domain });
  }
  for (const [id, name] of Object.entries(names)) {
    const kind = id.startsWith("7d") ? "domain" : "project";
    say({ kind, id }, "named", { kind: "name", id: name });
  }
  for (let number = 0; number < stormServers; number++) {
    const server = { kind: "server", id: serverOf(number) } as const;
    say(server, "owned_by", { kind: "project", id: projectOf(number).id });
    say(server, "named", { kind: "name", id: `web-${number}` });
    say(server, "runs_on", { kind: "host", id: `compute-0${number % 4}` });
  }
  const page = { stream: "main", controlPlane, events: [], rejects: [], cursor: 1 };
  await store.events.append({ ...page, connection: connections.inventory.name, facts });
}

/** The storm through the real source and resolver, with a few alerts before and after it. */
async function tellStorm(store: Store, at: number): Promise<void> {
  const stages = { ...stagesOver(store), storms: createStormGate(() => stormThreshold) };
  const post = async (alerts: readonly object[]) => {
    const body = Buffer.from(JSON.stringify({ version: "4", status: "firing", receiver: "r", alerts }));
    const request = { headers: {}, body, receivedAt: instant(at + 40 * minuteMs), path: "" };
    const records = alertmanager.split(request as never, decoders);
    await ingest(stages, {
      connection: connections.alerts,
      source: alertmanager,
      stream: "webhook",
      records,
    });
  };
  const storm = Array.from({ length: stormAlerts }, (_, number) =>
    alertOf(number, at + 12 * minuteMs + ((number * 19) % minuteMs), number % stormServers),
  );
  for (let from = 0; from < storm.length; from += alertsPerPage) {
    await post(storm.slice(from, from + alertsPerPage));
  }
  const lone = [2, 5, 7, 27, 29, 34].map((minute, number) =>
    alertOf(stormAlerts + number, at + minute * minuteMs + 17_000, number),
  );
  await post(lone);
  await reattribute(stages);
}

/** What little is known of the servers themselves on both sides of the hole. */
async function tellChanges(store: Store, at: number): Promise<void> {
  const moves = [1, 3, 4.5, 6, 9, 26, 28, 31].map((minute, number) =>
    moveOf(number, instant(at + minute * minuteMs)),
  );
  const page = { stream: "main", controlPlane, facts: [], rejects: [], cursor: 1 };
  await store.events.append({ ...page, connection: connections.nova.name, events: moves });
}

function moveOf(number: number, occurredAt: Instant): StorableEvent {
  const project = projectOf(number);
  const tenant = { controlPlane, domainId: project.domain, projectId: project.id };
  const subject = { kind: "server", id: serverOf(number) } as const;
  const shown = {
    type: "compute.instance.live_migration.post.end",
    kind: "change",
    category: "lifecycle",
    severity: "info",
    visibility: "operational",
    subject,
    subjectName: `web-${number}`,
    related: [],
    summary: `Server web-${number}: live migration finished`,
    details: {},
  } as const;
  const draft = {
    ...shown,
    key: `move-${number}`,
    sourceIds: [`move-${number}`],
    occurredAt,
    precision: duration(0),
  };
  const edition = { ...shown, tenant, notice: false, because: "Shown because it is about your server." };
  return {
    draft,
    attribution: { status: "owned", tenant, evidence: [] },
    dependsOn: [],
    editions: [edition],
  };
}

function alertOf(number: number, startsAt: number, server: number) {
  return {
    status: "firing",
    labels: {
      alertname: "DiskLatencyHigh",
      severity: "warning",
      device: `vd${number}`,
      server_id: serverOf(server),
    },
    annotations: { summary: `Disk latency of web-${server} is above 200 ms (vd${number})` },
    startsAt: new Date(startsAt).toISOString(),
    fingerprint: `f-${number}`,
  };
}

async function tellHealth(store: Store, at: number, databaseUrl: string): Promise<void> {
  const { events } = store;
  const now = instant(Date.now());
  const minute = (number: number): Instant => instant(at + number * minuteMs);
  const { nova, alerts, workflows, zabbix, tickets, inventory } = connections;
  await events.noteHealth(nova.name, {
    heard: true,
    completeTo: now,
    findings: [
      {
        code: "place-lost",
        says: "The queue had vanished and was declared anew; what it held is not known.",
      },
    ],
    holes: [
      { from: minute(-110), to: minute(-95), reason: "outage", says: "The broker could not be reached." },
      { from: minute(10), to: minute(25), reason: "place-lost", says: "The queue had vanished." },
    ],
  });
  await events.noteHealth(alerts.name, { heard: true, completeTo: now });
  await events.reconciled(workflows.name, {
    from: minute(-1440),
    to: minute(-180),
    records: 18_204,
    foundLate: 3,
  });
  await events.noteHealth(workflows.name, {
    heard: true,
    completeTo: now,
    findings: [
      {
        code: "late-commit",
        says: "A row of 03:18 became readable 31 min later, of at most 15 min that are promised.",
      },
    ],
    holes: [
      {
        from: minute(18),
        to: minute(21),
        reason: "late-commit",
        says: "One transaction held its rows back.",
      },
    ],
  });
  await events.noteHealth(zabbix.name, { heard: true, completeTo: minute(60) });
  await events.noteHealth(tickets.name, { heard: true, completeTo: minute(32) });
  await events.report(tickets.name, "The server answered 503 (attempt 6; next in 30 s).");
  await events.noteHealth(inventory.name, { heard: true, completeTo: now });
  const admin = new pg.Client({ connectionString: databaseUrl });
  await admin.connect();
  try {
    // Nobody can wait for silence: the far end was heard 25 minutes ago, and every minute is expected.
    await admin.query(
      `UPDATE isochron.connection SET expect_within_ms = 60000, expect_since = NULL,
              last_heard_at = clock_timestamp() - interval '25 minutes' WHERE name = $1`,
      [zabbix.name],
    );
  } finally {
    await admin.end();
  }
}
