import { asObject, text } from "./fields.ts";
import type { OsloMessage } from "./envelope.ts";
import type { FactDraft, Reading } from "./reading.ts";
import { readOwnerPath } from "./owner-path.ts";
import { fact, kindOf, namedFacts, ownedFacts, ref, related, severityOf, summarise } from "./reading.ts";

/** Glance's notifications carry neither actor nor request id; an image's owner may be null, and it may change. */
export function readGlance(message: OsloMessage): Reading | undefined {
  const action = /^image\.(.+)$/.exec(message.eventType)?.[1];
  const id = text(message.payload, "image_id") ?? text(message.payload, "id");
  if (action === undefined || id === undefined) return undefined;
  const image = ref("image", id);
  const stated = readOwnerPath(message);
  const severity = severityOf(message);
  const name = text(message.payload, "name");
  const quiet = action === "send" || action === "prepare";
  const server = text(asObject(message.payload["properties"]), "instance_uuid");
  const facts: FactDraft[] = [...ownedFacts(image, stated), ...namedFacts(image, name)];
  if (server !== undefined) facts.push(fact(image, "copy_of", ref("server", server)));
  return {
    type: message.eventType,
    kind: quiet ? "activity" : kindOf(severity, undefined),
    category: "image",
    severity,
    visibility: action === "send" ? "provider" : "operational",
    subject: image,
    ...(name === undefined ? {} : { subjectName: name }),
    related: [
      ...related("member", "project", text(message.payload, "member_id")),
      ...related("receiver", "project", text(message.payload, "receiver_tenant_id")),
      ...related("server", "server", server),
    ],
    ...(stated === undefined ? {} : { stated }),
    summary: summarise("image", name, action),
    facts,
    ...(action === "delete" ? { removedFrom: "image" } : {}),
  };
}
