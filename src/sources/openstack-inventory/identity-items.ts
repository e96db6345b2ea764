import type { Observation } from "../../model/event.ts";
import type { InventoryRecord } from "./inventory-record.ts";
import { fact, needText, ref, text } from "./item.ts";

/** Keystone API v3: domains, projects and users are facts only; what happens to them Keystone announces itself. */
export function readDomain({ item, seenAt }: InventoryRecord): Observation {
  const domain = ref("domain", needText(item, "id"));
  return { events: [], facts: fact(domain, "named", "name", text(item, "name"), seenAt) };
}

export function readProject({ item, seenAt }: InventoryRecord): Observation {
  const project = ref("project", needText(item, "id"));
  return {
    events: [],
    facts: [
      ...fact(project, "part_of", "domain", text(item, "domain_id"), seenAt),
      ...fact(project, "named", "name", text(item, "name"), seenAt),
    ],
  };
}

export function readUser({ item, seenAt }: InventoryRecord): Observation {
  const user = ref("user", needText(item, "id"));
  return {
    events: [],
    facts: [
      ...fact(user, "owned_by", "domain", text(item, "domain_id"), seenAt),
      ...fact(user, "named", "name", text(item, "name"), seenAt),
    ],
  };
}
