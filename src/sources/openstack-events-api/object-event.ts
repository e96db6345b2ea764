import { IsochronError } from "../../errors.ts";
import type { EntityRef, Related } from "../../model/entity.ts";
import type { EventDraft, Observation, Severity } from "../../model/event.ts";
import type { Duration, Instant } from "../../model/instant.ts";
import { duration } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import type { TopologyFact } from "../../model/topology.ts";
import { fact, needText, objects, ref, regular, related, stamp, text } from "../openstack-inventory/item.ts";
import type { Decoders } from "../source.ts";
import type { ObjectRecord } from "./event-record.ts";
import type { ObjectState } from "./events-cursor.ts";
import { objectState } from "./events-cursor.ts";
import type { ObjectListing } from "./object-listings.ts";
import { objectListingNamed } from "./object-listings.ts";
import type { Turn } from "./object-state.ts";
import { balancerOf, isIll, stateOf, turnsOf } from "./object-state.ts";

/** Clocks of Octavia's workers may differ so much from ours. */
const clockErrorMs = 5_000;

/** Reads an object of Octavia's: what became of it since the pass before, and what it proves of the topology. */
export function readObject(record: ObjectRecord, decode: Decoders): Observation {
  const listing = objectListingNamed(record.listing);
  if (listing === undefined) {
    throw new IsochronError(
      "record-invalid",
      `Nobody reads the listing ${record.listing}.`,
      "Update Isochron.",
    );
  }
  const before = readState(record.previous);
  if (record.gone === true) {
    const removed = ref(listing.stem, needText(record.item, "id"));
    return {
      events: [tellGone(record, listing, before)],
      facts: fact(removed, "removed_from", "component", "load-balancer", record.seenAt),
    };
  }
  const { item } = record;
  const now = stateOf(item, record.balancer);
  const id = needText(item, "id");
  const events: EventDraft[] = [];
  const created = stamp(item, "created_at", decode);
  if (before === undefined && record.previousSeenAt !== undefined && created !== undefined) {
    const said = { name: "created", marker: "created", at: created.at, precision: created.precision };
    events.push(tell(record, listing, now, { ...said, kind: "change", severity: "info", says: "created" }));
  }
  const turns = before === undefined ? firstTurns(item, now) : turnsOf(item, now, before);
  events.push(...turns.map((turn) => tellTurn(record, listing, now, turn, decode)));
  const updated = stamp(item, "updated_at", decode);
  const isUpdate =
    listing.tellsUpdates &&
    turns.length === 0 &&
    before !== undefined &&
    now.provisioning === "ACTIVE" &&
    before.provisioning === "ACTIVE" &&
    before.updated !== now.updated;
  if (isUpdate && updated !== undefined) {
    const said = {
      name: "updated",
      marker: `updated:${updated.at}`,
      at: updated.at,
      precision: updated.precision,
    };
    events.push(tell(record, listing, now, { ...said, kind: "change", severity: "info", says: "updated" }));
  }
  return { events, facts: listFacts(record, listing, ref(listing.stem, id)) };
}

function readState(previous: JsonObject | undefined): ObjectState | undefined {
  if (previous === undefined) return undefined;
  const parsed = objectState.safeParse(previous);
  if (parsed.success) return parsed.data;
  throw new IsochronError("record-invalid", "What was remembered has another shape.", "Read the API again.");
}

/** At first sight only what is wrong is news. */
function firstTurns(item: JsonObject, now: Omit<ObjectState, "ill">): readonly Turn[] {
  const turns: Turn[] = [];
  if (now.provisioning === "ERROR")
    turns.push({ field: "provisioning_status", before: "", after: "ERROR", kind: "symptom" });
  if (isIll(item, now, undefined))
    turns.push({ field: "operating_status", before: "", after: now.operating, kind: "symptom" });
  return turns;
}

interface Telling {
  readonly name: string;
  /** What makes the key one occurrence's. */
  readonly marker: string;
  readonly at: Instant;
  readonly precision: Duration;
  readonly kind: EventDraft["kind"];
  readonly severity: Severity;
  readonly says: string;
  readonly changes?: EventDraft["changes"];
}

function tellTurn(
  record: ObjectRecord,
  listing: ObjectListing,
  now: Omit<ObjectState, "ill">,
  turn: Turn,
  decode: Decoders,
): EventDraft {
  // An amphora calls its only status so.
  const field = listing.name === "amphorae" ? "status" : turn.field;
  const span = turnedAt(record, decode);
  return tell(record, listing, now, {
    name: `${field}.${regular(turn.after) || "unknown"}`,
    marker: `${field}:${turn.after}:${span.at}`,
    ...span,
    kind: turn.kind,
    severity: turn.kind === "symptom" ? severityOf(listing, turn.after) : "info",
    says: `${field.replace("_", " ")} ${turn.before === "" ? "" : `${turn.before} → `}${turn.after}`,
    changes: [{ field, before: turn.before === "" ? null : turn.before, after: turn.after }],
  });
}

/** A balancer that answers nobody is worse than one member of many. */
function severityOf(listing: ObjectListing, status: string): Severity {
  if (status === "ERROR") return "error";
  return listing.name === "load-balancers" && status === "OFFLINE" ? "error" : "warning";
}

/**
 * When a status turned: at `updated_at`, where that lies between the two looks; else some time between them, which is
 * then how wide the event is.
 */
function turnedAt(
  { item, seenAt, previousSeenAt }: ObjectRecord,
  decode: Decoders,
): { readonly at: Instant; readonly precision: Duration } {
  const said = stamp(item, "updated_at", decode) ?? stamp(item, "created_at", decode);
  if (said !== undefined && (previousSeenAt === undefined || said.at >= previousSeenAt - clockErrorMs)) {
    return said;
  }
  if (previousSeenAt === undefined) return { at: seenAt, precision: duration(0) };
  return { at: previousSeenAt, precision: duration(Math.max(0, seenAt - previousSeenAt)) };
}

function tellGone(record: ObjectRecord, listing: ObjectListing, before: ObjectState | undefined): EventDraft {
  const from = record.previousSeenAt ?? record.seenAt;
  const unknown = {
    provisioning: "",
    operating: "",
    updated: "",
    name: null,
    project_id: null,
    balancer: null,
  };
  const now = before ?? unknown;
  return tell(record, listing, now, {
    name: "deleted",
    marker: "deleted",
    at: from,
    precision: duration(Math.max(0, record.seenAt - from)),
    kind: "change",
    severity: "info",
    says: "deleted",
  });
}

function tell(
  record: ObjectRecord,
  listing: ObjectListing,
  now: Omit<ObjectState, "ill">,
  telling: Telling,
): EventDraft {
  const { item } = record;
  const id = needText(item, "id");
  const key = `${listing.stem}:${id}:${telling.marker}`;
  const isProviders = listing.name === "amphorae";
  const project = now.project_id;
  const path = text(item, "project_id") === undefined ? "previous.project_id" : "item.project_id";
  return {
    key,
    sourceIds: [key],
    occurredAt: telling.at,
    precision: telling.precision,
    type: `${listing.stem}.${telling.name}`,
    kind: telling.kind,
    category: "network",
    severity: telling.severity,
    visibility: isProviders ? "provider" : "operational",
    ...(isProviders && { platform: true }),
    subject: ref(listing.stem, id),
    ...(now.name !== null && { subjectName: now.name }),
    related: relate(record, listing, now),
    ...(project !== null &&
      !isProviders && { stated: { owner: { kind: "project" as const, id: project }, path } }),
    summary: `${listing.label} ${now.name ?? id}: ${telling.says}`,
    details: { seen_by: "polling", ...detailsOf(item) },
    ...(telling.changes !== undefined && { changes: telling.changes }),
  };
}

const shownFields = [
  "provisioning_status",
  "operating_status",
  "status",
  "admin_state_up",
  "protocol",
  "protocol_port",
  "address",
  "vip_address",
  "provider",
  "role",
  "created_at",
  "updated_at",
] as const;

function detailsOf(item: JsonObject): JsonObject {
  return Object.fromEntries(
    shownFields.flatMap((field) => {
      const value = item[field];
      return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
        ? [[field, value]]
        : [];
    }),
  );
}

function relate(
  { item, pool }: ObjectRecord,
  listing: ObjectListing,
  now: Omit<ObjectState, "ill">,
): readonly Related[] {
  const poolId = pool ?? text(objects(item["pools"])[0], "id");
  return [
    ...(listing.name === "load-balancers"
      ? []
      : related("load_balancer", "load_balancer", now.balancer ?? undefined)),
    ...(listing.name === "members" || listing.name === "health-monitors"
      ? related("pool", "pool", poolId)
      : []),
    ...related("address", "ip", text(item, "vip_address") ?? text(item, "address")),
    ...related("port", "port", text(item, "vip_port_id")),
    ...related("network", "network", text(item, "vip_network_id")),
    ...related("server", "server", text(item, "compute_id")),
  ];
}

/**
 * A member's address is no fact: whoever makes the member writes it, also another tenant's. A balancer's own address
 * is one once Neutron has given a port for it.
 */
function listFacts(
  { item, pool, seenAt, balancer }: ObjectRecord,
  listing: ObjectListing,
  subject: EntityRef,
): readonly TopologyFact[] {
  const named = fact(subject, "named", "name", text(item, "name"), seenAt);
  const owned = fact(subject, "owned_by", "project", text(item, "project_id"), seenAt);
  const ofBalancer = balancer ?? balancerOf(item);
  switch (listing.name) {
    case "load-balancers": {
      const port = text(item, "vip_port_id");
      const isUp = text(item, "provisioning_status") === "ACTIVE" && port !== undefined;
      return [
        ...named,
        ...owned,
        ...fact(subject, "on_network", "network", text(item, "vip_network_id"), seenAt),
        ...(isUp ? fact(subject, "has_address", "ip", text(item, "vip_address")?.toLowerCase(), seenAt) : []),
        ...(isUp ? fact(ref("port", port), "attached_to", "load_balancer", subject.id, seenAt) : []),
      ];
    }
    case "amphorae":
      return [
        ...fact(subject, "serves", "load_balancer", ofBalancer, seenAt),
        ...fact(subject, "attached_to", "server", text(item, "compute_id"), seenAt),
      ];
    case "members":
      return [...named, ...owned, ...fact(subject, "member_of", "pool", pool, seenAt)];
    case "health-monitors":
      return [
        ...named,
        ...owned,
        ...fact(subject, "guards", "pool", text(objects(item["pools"])[0], "id"), seenAt),
      ];
    default:
      return [...named, ...owned, ...fact(subject, "member_of", "load_balancer", ofBalancer, seenAt)];
  }
}
