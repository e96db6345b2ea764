import type { Config } from "./config.ts";
import { IsochronError } from "./errors.ts";
import type { JsonObject } from "./model/json.ts";
import { sourceLimits, type SourceLimits } from "./pipeline/protection/source-guard.ts";
import type { ReconcileSchedule } from "./pipeline/reconcile.ts";
import { stormThresholdUsual } from "./pipeline/storm-fold.ts";
import { findSource, sources } from "./sources/registry.ts";
import type { Connection } from "./sources/source.ts";

const hourMs = 3_600_000;

/** One configured use of a source, ready to run. */
export interface Configured extends Connection {
  readonly config: JsonObject;
  readonly intervalMs: number;
  readonly enabled: boolean;
  readonly limits: SourceLimits;
  /** Ranges beside the public ones that it may be led to; absent where nobody wrote any. */
  readonly allowNetworks?: readonly string[];
  readonly reconcile: ReconcileSchedule;
  readonly stormThreshold: number;
  /** Null for what its source implies; absent where nobody configured it. */
  readonly expectWithinMs?: number | null;
}

/** The connections of the configuration, and one of its own name for each source without any. */
export function configuredConnections(config: Config): ReadonlyMap<string, Configured> {
  const configured = config.connections.map((connection) => ({
    name: connection.name,
    source: connection.source,
    controlPlane: connection.controlPlane,
    config: connection.config,
    intervalMs: connection.intervalSeconds * 1000,
    enabled: connection.enabled,
    limits: connection.limits ?? sourceLimits,
    ...(connection.allowNetworks === undefined ? {} : { allowNetworks: connection.allowNetworks }),
    reconcile: toSchedule(connection.reconcileEveryHours, connection.reconcileSpanHours),
    stormThreshold: connection.stormThreshold ?? stormThresholdUsual,
    expectWithinMs:
      connection.expectWithinSeconds === undefined ? null : connection.expectWithinSeconds * 1000,
  }));
  const taken = new Set(configured.map((connection) => connection.source));
  const plain = sources
    .filter((source) => !taken.has(source.name))
    .map(({ name, delivery }) => ({
      name,
      source: name,
      controlPlane: "default",
      config: {},
      intervalMs: 60_000,
      // Only a webhook needs no setting to be of use; the others wait for a file or a recording.
      enabled: delivery === "webhook",
      limits: sourceLimits,
      reconcile: toSchedule(),
      stormThreshold: stormThresholdUsual,
    }));
  return new Map([...configured, ...plain].map((connection) => [connection.name, connection]));
}

function toSchedule(everyHours = 24, spanHours = 48): ReconcileSchedule {
  return { everyMs: everyHours * hourMs, spanMs: spanHours * hourMs };
}

export function findConnection(connections: ReadonlyMap<string, Configured>, name: string): Configured {
  const found = connections.get(name);
  if (found !== undefined) return found;
  throw new IsochronError(
    "usage",
    `There is no connection called ${name}.`,
    `Configured are: ${[...connections.keys()].join(", ")}. Add it to the configuration file, or name a --source.`,
  );
}

export function pullSource(connection: Configured) {
  const source = findSource(connection.source);
  if (source.delivery === "pull") return source;
  throw new IsochronError(
    "usage",
    `${connection.name} is not harvested by passes: ${source.title} arrives by itself.`,
    "Run `isochron serve` to receive it, or `isochron import` to read a file of it.",
  );
}

/** The names of those that records can be posted to. */
export function listPosted(connections: ReadonlyMap<string, Configured>): readonly string[] {
  const all = [...connections.values()];
  return all.filter(({ source }) => findSource(source).delivery === "webhook").map(({ name }) => name);
}
