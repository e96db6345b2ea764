import { Counter, Gauge, Registry } from "prom-client";
import type { ProtectionState } from "./api-parts.ts";

const breakerStates = ["closed", "half-open", "open"] as const;

/** What protects the sources and this process, as metrics; built anew for each answer. */
export function describeProtection(state: ProtectionState): Registry {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  describeSources(state, registers);
  const refused = new Counter({
    name: "isochron_push_refused_total",
    help: "Posted requests refused for want of room, by what was full: the connection's share or the whole.",
    labelNames: ["connection", "full"],
    registers,
  });
  for (const { connection, share, whole } of state.refused) {
    refused.inc({ connection, full: "share" }, share);
    refused.inc({ connection, full: "whole" }, whole);
  }
  new Gauge({
    name: "isochron_in_flight_bytes",
    help: "Bytes held between arriving and being stored.",
    registers,
  }).set(state.inFlightBytes);
  new Gauge({
    name: "isochron_in_flight_bytes_max",
    help: "How many may be held at most.",
    registers,
  }).set(state.inFlightBytesMax);
  return registry;
}

function describeSources({ guards }: ProtectionState, registers: Registry[]): void {
  const labelNames = ["connection"];
  const requests = new Counter({
    name: "isochron_source_requests_total",
    help: "Requests sent to the source, retries included.",
    labelNames,
    registers,
  });
  const retries = new Counter({
    name: "isochron_source_retries_total",
    help: "Requests that were sent again.",
    labelNames,
    registers,
  });
  const throttled = new Counter({
    name: "isochron_source_throttled_seconds_total",
    help: "Time that requests waited for their turn or for room.",
    labelNames,
    registers,
  });
  const atOnce = new Gauge({
    name: "isochron_source_requests_at_once",
    help: "Requests that may be under way at the source now.",
    labelNames,
    registers,
  });
  const breaker = new Gauge({
    name: "isochron_source_breaker_state",
    help: "1 for the state that the way to the source is in, 0 for the others; open when it is left alone.",
    labelNames: [...labelNames, "state"],
    registers,
  });
  for (const { connection, ...guard } of guards) {
    requests.inc({ connection }, guard.requests);
    retries.inc({ connection }, guard.retries);
    throttled.inc({ connection }, guard.throttledMs / 1000);
    atOnce.set({ connection }, guard.requestsAtOnce);
    for (const state of breakerStates) breaker.set({ connection, state }, guard.breaker === state ? 1 : 0);
  }
}
