import type { Observation } from "../../model/event.ts";
import type { Decoders } from "../source.ts";
import type { InventoryRecord } from "./inventory-record.ts";
import { fact, needText, ref, related, statedProject, text } from "./item.ts";
import { readStatus } from "./status-events.ts";

/** Glance API v2. `owner` is the image's project and may be null; `owner_id` is a property that anyone may write. */
export function readImage(record: InventoryRecord, decode: Decoders): Observation {
  const { item, seenAt } = record;
  const image = ref("image", needText(item, "id"));
  const server = text(item, "instance_uuid");
  const stated = statedProject(item, "owner");
  const events = readStatus(
    record,
    {
      stem: "image",
      thing: "Image",
      category: "image",
      subject: image,
      related: related("copy_of", "server", server),
      ...(stated === undefined ? {} : { stated }),
      details: { visibility: text(item, "visibility") ?? null },
    },
    decode,
  );
  return {
    events,
    facts: [
      ...fact(image, "owned_by", "project", text(item, "owner"), seenAt),
      ...fact(image, "named", "name", text(item, "name"), seenAt),
      ...fact(image, "copy_of", "server", server, seenAt),
    ],
  };
}
