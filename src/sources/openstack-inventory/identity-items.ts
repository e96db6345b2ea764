import type { Observation } from "../../model/event.ts";
import type { EntityRef } from "../../model/entity.ts";
import type { Instant } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import type { InventoryRecord } from "./inventory-record.ts";
import { fact, needText, ref, text } from "./item.ts";
import { assignmentOf } from "./role-assignment.ts";

/** Keystone API v3: domains, projects, accounts and their roles are facts only; what happens to them Keystone announces itself. */
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

/** A role of an account, or of a group of them; also the membership by which Keystone says that it comes. */
export function readRoleAssignment({ item, seenAt }: InventoryRecord): Observation {
  const assigned = assignmentOf(item);
  if (assigned === undefined) return { events: [], facts: [] };
  const { account, place, through } = assigned;
  return {
    events: [],
    facts: [
      ...fact(account, "works_in", place.kind, place.id, seenAt),
      ...fact(account, "member_of", "group", through, seenAt),
    ],
  };
}

export function readUser({ item, seenAt }: InventoryRecord): Observation {
  return readAccount(ref("user", needText(item, "id")), item, seenAt);
}

export function readGroup({ item, seenAt }: InventoryRecord): Observation {
  return readAccount(ref("group", needText(item, "id")), item, seenAt);
}

function readAccount(account: EntityRef, item: JsonObject, seenAt: Instant): Observation {
  return {
    events: [],
    facts: [
      ...fact(account, "owned_by", "domain", text(item, "domain_id"), seenAt),
      ...fact(account, "named", "name", text(item, "name"), seenAt),
    ],
  };
}
