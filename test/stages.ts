import { clean } from "../src/normalise/clean.ts";
import { decoders } from "../src/normalise/decode.ts";
import { redact } from "./redact.ts";
import type { Stages } from "../src/pipeline/ingest.ts";
import { createResolver } from "../src/resolve/graph-resolver.ts";
import { buildTopologyView } from "../src/resolve/topology-view.ts";
import type { RawRecord } from "../src/sources/source.ts";
import { RulingBook } from "../src/pipeline/rulings.ts";
import { createRulingStep } from "../src/resolve/rulings.ts";
import { instant, type Instant } from "../src/model/instant.ts";
import type { JsonObject } from "../src/model/json.ts";
import type { Store } from "../src/store/store.ts";

/** The real stages over a test's store, as `main.ts` puts them together. */
export function stagesOver(store: Store, now = instant(Date.UTC(2026, 11, 1))): Stages {
  return {
    decoders,
    clean,
    resolve: createResolver({ providerDomains: new Set(["default"]) }),
    buildView: buildTopologyView,
    redact,
    store: store.events,
    topology: store.topology,
    now: () => now,
  };
}

/** The same with what operators rule. */
export function ruledStagesOver(store: Store, now?: Instant): Stages {
  const apply = createRulingStep({ providerDomains: new Set(["default"]) });
  return { ...stagesOver(store, now), rulings: { book: new RulingBook(store.rulings), apply } };
}

/** An OpenStack notification as the broker delivers it; `number` makes its id and its second. */
export function notification(
  number: number,
  eventType: string,
  payload: JsonObject,
  context: JsonObject = {},
): RawRecord {
  const at = new Date(Date.UTC(2026, 10, 21, 1, 0, number)).toISOString().replace("T", " ").replace("Z", "");
  const message = {
    message_id: `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`,
    publisher_id: "test.controller",
    event_type: eventType,
    priority: "INFO",
    payload,
    timestamp: at,
    ...context,
  };
  const body = JSON.stringify({ "oslo.version": "2.0", "oslo.message": JSON.stringify(message) });
  return {
    bytes: Buffer.from(body),
    position: `delivery ${number}`,
    receivedAt: instant(Date.now()),
    meta: {},
  };
}

/** A record that no reader can use. */
export function brokenRecord(number: number): RawRecord {
  return {
    bytes: Buffer.from('{"oslo.message": "{\\"mess'),
    position: `delivery ${number}`,
    receivedAt: instant(0),
    meta: {},
  };
}
