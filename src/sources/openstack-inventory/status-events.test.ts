import { expect, test } from "vitest";
import { instant } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import { decoders } from "../../normalise/decode.ts";
import { readImage } from "./image-items.ts";
import { readBackup, readVolume } from "./storage-items.ts";

const seenAt = instant(Date.parse("2026-11-21T01:00:00Z"));
const newSince = instant(Date.parse("2026-11-21T00:50:00Z"));

function volume(more: JsonObject): JsonObject {
  return {
    id: "v1",
    name: "data",
    status: "available",
    created_at: "2026-11-01T00:00:00.000000",
    updated_at: "2026-11-21T00:59:00.000000",
    "os-vol-tenant-attr:tenant_id": "p1",
    attachments: [],
    ...more,
  };
}

function eventsOf(item: JsonObject, previous?: readonly string[]) {
  const known = previous === undefined ? {} : { previous };
  return readVolume({ listing: "volumes", item, seenAt, newSince, ...known }, decoders).events;
}

test("an old volume whose metadata changed is no news", () => {
  expect(eventsOf(volume({}))).toEqual([]);
});

test("a volume that was on its way has arrived", () => {
  expect(eventsOf(volume({}), ["detaching"])).toMatchObject([
    {
      type: "volume.status.available",
      kind: "change",
      changes: [{ field: "status", before: "detaching", after: "available" }],
    },
  ]);
});

test("a new volume is told once, however often its metadata changes and whether or not it was seen being made", () => {
  const made = { created_at: "2026-11-21T00:55:00.000000" };
  const keys = [
    eventsOf(volume(made)),
    eventsOf(volume({ ...made, updated_at: "2026-11-21T00:59:59.000000" })),
    eventsOf(volume(made), ["creating"]),
  ].map(([event]) => event!.key);
  expect(new Set(keys)).toEqual(new Set(["volume:v1:available:new"]));
});

test("an error is told at first sight, whatever its age, with the same key until the item changes", () => {
  const [first] = eventsOf(volume({ status: "error_deleting" }));
  const [again] = eventsOf(volume({ status: "error_deleting" }), ["deleting"]);
  const [later] = eventsOf(volume({ status: "error_deleting", updated_at: "2026-11-21T00:59:30.000000" }));
  expect(first).toMatchObject({
    type: "volume.status.error_deleting",
    kind: "symptom",
    severity: "error",
    stated: { path: "item.os-vol-tenant-attr:tenant_id" },
  });
  expect(again!.key).toBe(first!.key);
  expect(later!.key).not.toBe(first!.key);
});

test("a failed backup says why, and belongs to its own project rather than its volume's", () => {
  const item = {
    id: "b1",
    status: "error",
    fail_reason: "no space",
    volume_id: "v1",
    created_at: "2026-11-21T00:55:00Z",
    "os-backup-project-attr:project_id": "p2",
  };
  const { events, facts } = readBackup({ listing: "backups", item, seenAt, newSince }, decoders);
  expect(events).toMatchObject([
    { type: "volume.backup.error", summary: "Backup: error (no space)", stated: { owner: { id: "p2" } } },
  ]);
  expect(facts.map(({ relation, to }) => `${relation} ${to.id}`)).toEqual(["owned_by p2", "copy_of v1"]);
});

test("an image without an owner states none, whatever its properties say", () => {
  const item = {
    id: "i1",
    status: "active",
    owner: null,
    owner_id: "p9",
    created_at: "2026-11-21T00:55:00Z",
  };
  const { events, facts } = readImage({ listing: "images", item, seenAt, newSince }, decoders);
  expect(events[0]).not.toHaveProperty("stated");
  expect(facts).toEqual([]);
});
