import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { EventDraft } from "../src/model/event.ts";
import type { KnownFact } from "../src/model/topology.ts";
import { instant } from "../src/model/instant.ts";
import { clean } from "../src/normalise/clean.ts";
import { decoders } from "../src/normalise/decode.ts";
import { createResolver } from "../src/resolve/graph-resolver.ts";
import type { ResolvedDraft } from "../src/resolve/resolver.ts";
import { buildTopologyView } from "../src/resolve/topology-view.ts";
import { openstackNotifications } from "../src/sources/openstack-notifications.ts";

const recording = join(import.meta.dirname, "../demo/openstack");
const controlPlane = "default";

function readLines(name: string): readonly string[] {
  return gunzipSync(readFileSync(join(recording, name)))
    .toString()
    .trim()
    .split("\n");
}

/** What our own recording of a real cloud makes of the notifications: every event with its owner, by all facts. */
export function resolveRecording(): readonly ResolvedDraft[] {
  const drafts: EventDraft[] = [];
  const facts: KnownFact[] = [];
  for (const [index, line] of readLines("notifications.jsonl.gz").entries()) {
    const receivedAt = instant(Date.UTC(2026, 10, 21, 12));
    const record = { bytes: Buffer.from(line), position: `line ${index + 1}`, receivedAt, meta: {} };
    const told = clean(openstackNotifications.normalise(record, decoders), receivedAt);
    drafts.push(...told.events);
    for (const fact of told.facts)
      facts.push({
        ...fact,
        controlPlane,
        connection: "bus",
        sourceId: record.position,
        recordedAt: fact.at,
      });
  }
  const resolve = createResolver({ providerDomains: new Set(["default"]) });
  return resolve(drafts, "bus", buildTopologyView(controlPlane, facts));
}

/** Ids by `domain` or `domain/name`, as the recording's own truth has them. */
export interface RecordedTenants {
  readonly domains: Readonly<Record<string, string>>;
  readonly projects: Readonly<Record<string, string>>;
  readonly users: Readonly<Record<string, string>>;
}

export function recordedTenants(): RecordedTenants {
  for (const line of readLines("truth.jsonl.gz")) {
    const told = JSON.parse(line) as { readonly kind: string } & RecordedTenants;
    if (told.kind === "tenants") return told;
  }
  throw new TypeError("the recording names no tenants");
}
