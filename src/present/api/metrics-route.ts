import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import { z } from "zod";
import { findingMeanings, mergeSpans } from "../../model/source-health.ts";
import type { ConnectionState } from "../../store/event-store.ts";
import type { ApiContext } from "./api-context.ts";
import { describeNotifications } from "./notification-metrics.ts";
import { describeProtection } from "./protection-metrics.ts";
import { admit } from "./provider-only.ts";
import { readingScope } from "./sign-in.ts";

/** Where Prometheus looks unless it is told otherwise. */
export const metricsPath = "/metrics";

const labelNames = ["connection", "source", "control_plane"] as const;
const states: readonly ConnectionState["state"][] = [
  "idle",
  "running",
  "failing",
  "degraded",
  "silent",
  "finished",
  "retired",
];

/** Counts over a connection's whole life, by the end of the metric's name. */
const counted: readonly (readonly [keyof ConnectionState["counts"], name: string, help: string])[] = [
  ["events", "events", "Events stored."],
  ["folded", "folded", "Second reports folded into an event that stood already."],
  ["repeated", "repeated", "Records delivered before, changed in nothing."],
  ["revised", "revised", "Records delivered before that said something else, kept as revisions."],
  ["late", "found_late", "Events that came after their time had been called complete."],
  ["setAside", "set_aside", "Records that could not be used and were set aside whole."],
  ["expired", "expired", "Records refused because what they tell was deleted for good."],
];

let processRegistry: Registry | undefined;

/** One for the process, however many servers are built in it, because its observers are never taken down. */
function processMetrics(): Registry {
  if (processRegistry === undefined) {
    processRegistry = new Registry();
    collectDefaultMetrics({ register: processRegistry });
  }
  return processRegistry;
}

/**
 * `GET /metrics` in Prometheus' text format (0.0.4), for the provider alone: names of connections and how much comes
 * from them are no tenant's business, and a token is asked for on loopback too, where proxies live.
 */
export function metricsRoute({
  store,
  clock,
  version,
  viewer,
  protection,
  notifications,
}: ApiContext): FastifyPluginAsyncZod {
  // A command that asks its own store has no use for observers of its short life.
  const ofProcess = viewer === undefined ? processMetrics() : new Registry();
  return async (app) => {
    app.get(
      metricsPath,
      { schema: { hide: true, querystring: z.strictObject({}) } },
      async (request, reply) => {
        admit(request, "read-workbench");
        const { connections } = await store.reader.coverage(readingScope(request).scope);
        const ofConnections = describeConnections(connections, clock(), version);
        const ofProtection = protection === undefined ? new Registry() : describeProtection(protection());
        const ofNotifications =
          notifications === undefined
            ? new Registry()
            : describeNotifications(await notifications.store.tally(), clock());
        const parts = [ofConnections, ofProcess, ofProtection, ofNotifications];
        const text = await Registry.merge(parts).metrics();
        return reply.header("content-type", ofConnections.contentType).serializer(String).send(text);
      },
    );
  };
}

/** Built anew for each answer, so that what is gone from the store is gone from the metrics. */
function describeConnections(
  connections: readonly ConnectionState[],
  now: number,
  version: string,
): Registry {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  new Gauge({ name: "isochron_build_info", help: "Always 1.", labelNames: ["version"], registers }).set(
    { version },
    1,
  );
  for (const [field, name, help] of counted) {
    const counter = new Counter({ name: `isochron_connection_${name}_total`, help, labelNames, registers });
    for (const connection of connections) counter.inc(labelsOf(connection), connection.counts[field] ?? 0);
  }
  describeTimes(connections, now, registers);
  describeHoles(connections, registers);
  describeFindings(connections, registers);
  const state = new Gauge({
    name: "isochron_connection_state",
    help: "1 for the state that the connection is in, 0 for the others.",
    labelNames: [...labelNames, "state"],
    registers,
  });
  for (const connection of connections) {
    for (const one of states) {
      state.set({ ...labelsOf(connection), state: one }, connection.state === one ? 1 : 0);
    }
  }
  return registry;
}

function describeHoles(connections: readonly ConnectionState[], registers: Registry[]): void {
  const holes = new Gauge({
    name: "isochron_connection_holes",
    help: "Open spans in which events are known or suspected to be missing.",
    labelNames,
    registers,
  });
  const length = new Gauge({
    name: "isochron_connection_hole_seconds",
    help: "How long these are together; a moment in several counts once.",
    labelNames,
    registers,
  });
  for (const connection of connections) {
    holes.set(labelsOf(connection), connection.holes.length);
    const spans = mergeSpans(connection.holes);
    length.set(labelsOf(connection), spans.reduce((sum, { from, to }) => sum + to - from, 0) / 1000);
  }
}

/** Every code has a sample, so that an alert on it needs no absence. */
function describeFindings(connections: readonly ConnectionState[], registers: Registry[]): void {
  const finding = new Gauge({
    name: "isochron_connection_finding",
    help: "1 while the source breaks its contract in this way, 0 while it does not.",
    labelNames: [...labelNames, "code"],
    registers,
  });
  for (const connection of connections) {
    for (const code of Object.keys(findingMeanings)) {
      const stands = connection.findings.some((one) => one.code === code);
      finding.set({ ...labelsOf(connection), code }, stands ? 1 : 0);
    }
  }
}

/** A time that never was has no sample: 0 would be read as 1970. */
function describeTimes(connections: readonly ConnectionState[], now: number, registers: Registry[]): void {
  const gauge = (
    name: string,
    help: string,
    secondsOf: (connection: ConnectionState) => number | undefined,
  ): void => {
    const times = new Gauge({ name: `isochron_connection_${name}`, help, labelNames, registers });
    for (const connection of connections) {
      const seconds = secondsOf(connection);
      if (seconds !== undefined) times.set(labelsOf(connection), seconds);
    }
  };
  const seconds = (at: number | undefined): number | undefined => (at === undefined ? undefined : at / 1000);
  gauge(
    "complete_to_timestamp_seconds",
    "Everything up to here has been read, but for the holes.",
    ({ completeTo }) => seconds(completeTo),
  );
  gauge("lag_seconds", "How long ago that was.", ({ completeTo }) =>
    completeTo === undefined ? undefined : Math.max(0, now - completeTo) / 1000,
  );
  gauge("last_heard_timestamp_seconds", "When its far end was last heard.", ({ lastHeardAt }) =>
    seconds(lastHeardAt),
  );
  gauge("last_event_timestamp_seconds", "When the latest event happened.", ({ lastEventAt }) =>
    seconds(lastEventAt),
  );
  gauge("last_success_timestamp_seconds", "When a pass last ended well.", ({ lastSuccessAt }) =>
    seconds(lastSuccessAt),
  );
  gauge(
    "last_error_timestamp_seconds",
    "When the error came up that still stands; absent when all is well.",
    ({ lastError }) => seconds(lastError?.at),
  );
}

function labelsOf({
  connection,
  source,
  controlPlane,
}: ConnectionState): Record<(typeof labelNames)[number], string> {
  return { connection, source, control_plane: controlPlane };
}
