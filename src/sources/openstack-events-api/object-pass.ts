import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { Instant } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Finding } from "../../model/source-health.ts";
import type { Missing } from "../cursor/listing-diff.ts";
import { diffListing, usualDrop } from "../cursor/listing-diff.ts";
import { objects, text } from "../openstack-inventory/item.ts";
import { readListingPage } from "../openstack-inventory/listing-page.ts";
import type { RawRecord } from "../source.ts";
import { writeRecord } from "./event-record.ts";
import type { ObjectPlace, ObjectState, OpenPass } from "./events-cursor.ts";
import type { ObjectListing } from "./object-listings.ts";
import { isIll, stateOf } from "./object-state.ts";
import type { PassCursor, Reading, Step } from "./stack-pass.ts";

/** A service that loses most of its objects at once was more likely asked with a narrower scope. */
const objectDrop = { ...usualDrop, emptiedMin: 5 };

/** Reads one page of one listing of Octavia's; members are listed pool by pool. */
export async function takeObjectStep(
  reading: Reading,
  cursor: PassCursor,
  listing: ObjectListing,
): Promise<Step> {
  const { session, settings, io } = reading;
  const { pass } = cursor;
  if (listing.name === "members" && pass.pools.length === 0) {
    return endObjects(cursor, listing, instant(pass.seenAt ?? pass.startedAt), []);
  }
  const [pool, balancer] = listing.name === "members" ? pass.pools[0]! : [undefined, undefined];
  const path = pool === undefined ? listing.path : `/lbaas/pools/${encodeURIComponent(pool)}/members`;
  const target = { service: "load-balancer", path, key: listing.key, paging: "links" } as const;
  const page = await readListingPage(session, target, pass.next ?? `?limit=${settings.page_size}`, {}, io);
  if ("skipped" in page && pool === undefined) return { records: [], cursor, skipped: page.skipped };
  // A pool that was deleted meanwhile has no members any more.
  const { items, next, sentAt } = "skipped" in page ? { items: [], next: undefined, sentAt: io.now() } : page;
  if (pass.pages + 1 >= settings.pages_max && next !== undefined) {
    throw new IsochronError(
      "source-malformed",
      `Octavia's ${listing.name} go on after ${settings.pages_max} pages.`,
      "Raise `pages_max` or `page_size`.",
    );
  }
  const seenAt = instant(pass.seenAt ?? sentAt);
  const owner = { ...(pool !== undefined && { pool }), ...(balancer && { balancer }) };
  const read = readItems(cursor, listing, items, sentAt, `GET ${path}`, owner);
  const pools = listing.name === "pools" ? [...pass.pools, ...poolsOf(items)] : pass.pools;
  const known = { ...pass.known, ...read.known };
  const open: OpenPass = { ...pass, known, pools, seenAt };
  if (next !== undefined) {
    return { records: read.records, cursor: { ...cursor, pass: { ...open, next, pages: pass.pages + 1 } } };
  }
  if (pool !== undefined && pools.length > 1) {
    return {
      records: read.records,
      cursor: { ...cursor, pass: { ...open, next: null, pages: 0, pools: pools.slice(1) } },
    };
  }
  const rest = pool === undefined ? open : { ...open, pools: [] };
  return endObjects({ ...cursor, pass: rest }, listing, seenAt, read.records);
}

function poolsOf(items: readonly JsonObject[]): [string, string][] {
  return items.flatMap((item): [string, string][] => {
    const id = text(item, "id");
    return id === undefined ? [] : [[id, text(objects(item["loadbalancers"])[0], "id") ?? ""]];
  });
}

/** One record for each item that is new, has changed, or is told again in a full pass for its facts. */
function readItems(
  cursor: PassCursor,
  listing: ObjectListing,
  items: readonly JsonObject[],
  sentAt: Instant,
  from: string,
  owner: { readonly pool?: string; readonly balancer?: string },
): { readonly records: readonly RawRecord[]; readonly known: Readonly<Record<string, ObjectState>> } {
  const place = cursor.objects[listing.name];
  const known: Record<string, ObjectState> = {};
  const records = items.flatMap((item, index): RawRecord[] => {
    const id = text(item, "id");
    const before =
      id === undefined || !place || !Object.hasOwn(place.known, id) ? undefined : place.known[id];
    const now = stateOf(item, owner.balancer);
    if (id !== undefined) known[id] = { ...now, ill: isIll(item, now, before) };
    const isSame =
      before !== undefined &&
      before.provisioning === now.provisioning &&
      before.operating === now.operating &&
      before.updated === now.updated;
    if (isSame && !cursor.pass.full) return [];
    return [
      writeRecord(
        {
          part: "object",
          listing: listing.name,
          item,
          seenAt: sentAt,
          ...(before && { previous: before }),
          ...(place && { previousSeenAt: instant(place.seenAt) }),
          ...owner,
        },
        `${from} #${index + 1}`,
      ),
    ];
  });
  return { records, known };
}

/** Compares a complete listing with the one before: what two in a row lack is gone, unless too much is missing. */
function endObjects(
  cursor: PassCursor,
  listing: ObjectListing,
  seenAt: Instant,
  records: readonly RawRecord[],
): Step {
  const { pass } = cursor;
  const place = cursor.objects[listing.name];
  const before: Readonly<Record<string, ObjectState>> = place?.known ?? {};
  const wasMissing = place?.missing ?? {};
  const misses = new Map(Object.keys(before).map((id) => [id, Object.hasOwn(wasMissing, id) ? 1 : 0]));
  const missing = diffListing(misses, (id) => Object.hasOwn(pass.known, id), objectDrop);
  const kept = keptBy(missing, misses, pass);
  const next: ObjectPlace = {
    seenAt,
    known: { ...pass.known, ...Object.fromEntries(kept.map((id) => [id, before[id]!])) },
    missing: Object.fromEntries(kept.map((id) => [id, wasMissing[id] ?? [place?.seenAt ?? seenAt, seenAt]])),
  };
  const goneRecords = missing.gone.map((id) => {
    const [lastAt, firstAt] = wasMissing[id]!;
    return writeRecord(
      {
        part: "object",
        listing: listing.name,
        item: { id },
        previous: before[id]!,
        seenAt: instant(firstAt),
        previousSeenAt: instant(lastAt),
        gone: true,
      },
      `Octavia's ${listing.name}: no longer have ${id}`,
    );
  });
  const drop: Finding = {
    code: "sudden-drop",
    says:
      `Octavia lists ${misses.size - missing.suspected} of the ${misses.size} ${listing.name.replace("-", " ")} ` +
      "that it listed before; check what the credentials may see.",
  };
  return {
    records: [...records, ...goneRecords],
    findings: missing.suspected > 0 ? [drop] : [],
    cursor: {
      ...cursor,
      objects: { ...cursor.objects, [listing.name]: next },
      pass: {
        ...pass,
        todo: pass.todo.slice(1),
        read: [...pass.read, listing.name],
        failed: missing.suspected > 0 ? [...pass.failed, listing.name] : pass.failed,
        next: null,
        pages: 0,
        seenAt: null,
        known: {},
      },
    },
  };
}

/** What is missing and stays remembered: what is missing once, or all of it where nothing is believed. */
function keptBy(
  { once, suspected }: Missing,
  misses: ReadonlyMap<string, number>,
  { known }: OpenPass,
): readonly string[] {
  return suspected > 0 ? [...misses.keys()].filter((id) => !Object.hasOwn(known, id)) : once;
}
