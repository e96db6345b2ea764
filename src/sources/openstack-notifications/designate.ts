import type { EntityRef } from "../../model/entity.ts";
import type { OsloMessage } from "./envelope.ts";
import { text } from "./fields.ts";
import { readOwnerPath } from "./owner-path.ts";
import type { FactDraft, Reading } from "./reading.ts";
import {
  fact,
  kindOf,
  namedFacts,
  ownedFacts,
  ref,
  related,
  severityOf,
  splitPhase,
  summarise,
} from "./reading.ts";

/** Designate's own estate: what no tenant can make. */
const platformThings: ReadonlySet<string> = new Set([
  "pool",
  "tld",
  "blacklist",
  "service_status",
  "tsigkey",
]);

/**
 * Designate (designate/central/service.py). Each change of a zone is announced twice, as `dns.zone.*` and by its old
 * name `dns.domain.*`. A transfer is accepted for the project that the acceptance names, which owns the zone from then on.
 */
export function readDesignate(message: OsloMessage): Reading | undefined {
  const match = /^dns\.([a-z_]+)\.(.+)$/.exec(message.eventType);
  const id = text(message.payload, "id");
  if (match === null || id === undefined) return undefined;
  const [, said = "", step = ""] = match;
  const { stem: action, phase } = splitPhase(step);
  const thing = said === "domain" ? "zone" : said;
  const subject = ref(thing, id);
  const stated = readOwnerPath(message);
  const severity = severityOf(message, phase);
  const name = text(message.payload, "name");
  const type = `dns.${thing}.${step}`;
  const platform = platformThings.has(thing);
  return {
    type,
    kind: kindOf(severity, phase),
    category: thing.startsWith("zone_transfer") ? "tenancy" : "network",
    ...(phase === undefined ? {} : { phase }),
    severity,
    visibility: platform ? "provider" : "operational",
    subject,
    ...(name === undefined ? {} : { subjectName: name }),
    related: related("zone", "zone", thing === "zone" ? undefined : text(message.payload, "zone_id")),
    ...(stated === undefined ? {} : { stated }),
    ...(platform ? { platform: true } : {}),
    ...(thing === "zone" ? { twinOf: `${type}|${id}`, twinSide: said } : {}),
    summary: summarise(thing.replaceAll("_", " "), name, action, phase),
    facts: [
      ...ownedFacts(subject, stated),
      ...namedFacts(subject, name),
      ...zoneFacts(message, thing, subject, action),
    ],
    // Whoever knows it may take the zone.
    conceal: ["key"],
    ...(action === "delete" && phase !== "start" ? { removedFrom: "dns" } : {}),
  };
}

function zoneFacts(
  { payload }: OsloMessage,
  thing: string,
  subject: EntityRef,
  action: string,
): readonly FactDraft[] {
  const zone = text(payload, "zone_id");
  if (zone === undefined) return [];
  if (thing === "recordset" || thing === "record") return [fact(subject, "part_of", ref("zone", zone))];
  const recipient = text(payload, "tenant_id");
  if (thing !== "zone_transfer_accept" || action !== "create" || recipient === undefined) return [];
  return [fact(ref("zone", zone), "owned_by", ref("project", recipient))];
}
