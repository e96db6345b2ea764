import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { EventDraft } from "../../model/event.ts";
import { instant } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import { decoders } from "../../normalise/decode.ts";
import { readComputeService, readHypervisor } from "./compute-items.ts";
import type { Kept } from "./health.ts";
import { rememberHealth, serviceHealth } from "./health.ts";
import { listingNamed } from "./listings.ts";
import { readAgent } from "./network-items.ts";
import { readVolumeService } from "./storage-items.ts";

const beginning = Date.UTC(2026, 10, 21);
const heartbeatMs = 10_000;

/** A service as Nova tells it `second` seconds after the beginning, having died at `diedAt`. */
function serviceAt(second: number, diedAt: number): JsonObject {
  const lastBeat = Math.floor((Math.min(second, diedAt) * 1000) / heartbeatMs) * heartbeatMs;
  return {
    id: "s1",
    binary: "nova-compute",
    host: "compute-02",
    status: "enabled",
    state: second * 1000 - lastBeat > 60_000 ? "down" : "up",
    forced_down: false,
    disabled_reason: null,
    updated_at: new Date(beginning + lastBeat).toISOString().replace("Z", "000"),
  };
}

/** What passes at these seconds tell, each knowing what the one before remembered. */
function poll(seconds: readonly number[], itemAt: (second: number) => JsonObject): EventDraft[] {
  const remember = rememberHealth(serviceHealth, () => "s1");
  const events: EventDraft[] = [];
  let previous: readonly Kept[] | undefined;
  let previousSeenAt: number | undefined;
  for (const second of seconds) {
    const item = itemAt(second);
    const seenAt = beginning + second * 1000;
    const record = {
      listing: "services",
      item,
      seenAt: instant(seenAt),
      ...(previous === undefined ? {} : { previous }),
      ...(previousSeenAt === undefined ? {} : { previousSeenAt: instant(previousSeenAt) }),
    };
    events.push(...readComputeService(record, decoders).events);
    previous = remember(item, previous)?.state;
    previousSeenAt = seenAt;
  }
  return events;
}

test("a service that goes down gives exactly one event with one key, whenever it is polled", () => {
  const moments = fc.uniqueArray(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(moments, fc.integer({ min: 10, max: 1500 }), (seconds, diedAt) => {
      const polls = [...seconds, 3100].toSorted((a, b) => a - b);
      const events = poll(polls, (second) => serviceAt(second, diedAt));
      const lastBeat = beginning + Math.floor((diedAt * 1000) / heartbeatMs) * heartbeatMs;
      expect(events.map(({ key }) => key)).toEqual([`compute.service:s1:down:${lastBeat}`]);
      const [down] = events;
      expect(down!.occurredAt).toBeLessThanOrEqual(beginning + diedAt * 1000);
      expect(down!.occurredAt + down!.precision).toBeGreaterThanOrEqual(beginning + diedAt * 1000);
    }),
  );
});

test("a service that comes back gives one recovery, whose key does not depend on the polls", () => {
  const keys = [
    [0, 200, 400],
    [0, 150, 200, 250, 301, 400],
    [180, 600],
  ].map((polls) =>
    poll(polls, (second) => (second > 300 ? serviceAt(second, 10_000) : serviceAt(second, 100)))
      .filter(({ kind }) => kind === "recovery")
      .map(({ key }) => key),
  );
  expect(keys).toEqual(
    Array.from({ length: 3 }, () => ["compute.service:s1:up:after:2026-11-21T00:01:40.000000"]),
  );
});

test("disabling and enabling are changes with their states before and after, between the two looks", () => {
  const events = poll([0, 60, 120], (second) => ({
    ...serviceAt(second, 10_000),
    ...(second === 60 ? { status: "disabled", disabled_reason: "kernel update" } : {}),
  }));
  expect(events).toMatchObject([
    {
      type: "compute.service.disabled",
      kind: "change",
      summary: "nova-compute on compute-02: disabled (kernel update)",
      changes: [{ field: "status", before: "enabled", after: "disabled" }],
      occurredAt: beginning,
      precision: 60_000,
    },
    { type: "compute.service.enabled", changes: [{ field: "status", before: "disabled", after: "enabled" }] },
  ]);
});

test("a service that beats on while it is forced down is told once, and its recovery once", () => {
  const events = poll([0, 60, 120, 180, 240], (second) => ({
    ...serviceAt(second, 10_000),
    ...(second > 0 && second < 240 ? { forced_down: true, state: "down" } : {}),
  }));
  expect(events.map(({ type }) => type)).toEqual([
    "compute.service.forced_down",
    "compute.service.down",
    "compute.service.force_lifted",
    "compute.service.up",
  ]);
});

test("a hypervisor speaks for itself only where services were not read", () => {
  const item = {
    id: "h1",
    hypervisor_hostname: "node-2.example",
    state: "down",
    status: "enabled",
    service: { host: "compute-02" },
  };
  const record = { listing: "hypervisors", item, seenAt: instant(beginning) };
  expect(readHypervisor(record, decoders).events).toMatchObject([
    { type: "compute.hypervisor.down", subject: { kind: "host", id: "compute-02" }, platform: true },
  ]);
  expect(readHypervisor({ ...record, reportedElsewhere: true }, decoders).events).toEqual([]);
});

test("a volume service's silence is its own, and harms no server on the same host", () => {
  const item = {
    binary: "cinder-volume",
    host: "compute-02@lvm",
    state: "down",
    status: "enabled",
    updated_at: "2026-11-20T23:00:00.000000",
  };
  const seen = readVolumeService({ listing: "volume-services", item, seenAt: instant(beginning) }, decoders);
  expect(seen.events).toMatchObject([
    {
      type: "volume.service.down",
      severity: "critical",
      subject: { kind: "service", id: "cinder-volume@compute-02@lvm" },
    },
  ]);
  expect(seen.facts.map(({ relation }) => relation)).toEqual(["known_as"]);
});

test("an agent or service that is no longer registered is a change", () => {
  const gone = {
    gone: true,
    item: { id: "a1" },
    previous: ["up", "enabled", false, null, null, null],
    seenAt: instant(beginning + 60_000),
    previousSeenAt: instant(beginning),
  } as const;
  expect(readAgent({ ...gone, listing: "agents" }, decoders).events).toMatchObject([
    { type: "network.agent.removed", precision: 60_000 },
  ]);
  expect(readComputeService({ ...gone, listing: "services" }, decoders).events).toMatchObject([
    { type: "compute.service.removed" },
  ]);
  const cinder = { ...gone, item: { id: "cinder-backup@controller-01" }, listing: "volume-services" };
  expect(readVolumeService(cinder, decoders).events).toMatchObject([
    { type: "volume.service.removed", subject: { id: "cinder-backup@controller-01" } },
  ]);
});

test("what is remembered of a service is short", () => {
  const remembered = listingNamed("services")!.remember!(serviceAt(100, 50), undefined)!;
  expect(JSON.stringify(remembered.state).length).toBeLessThan(80);
});
