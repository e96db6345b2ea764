import type { EntityRef } from "../../model/entity.ts";
import { entityKey, parseEntityKey } from "../../model/entity.ts";
import type { JsonObject } from "../../model/json.ts";
import { asObject, ref, text } from "./item.ts";

/** That an account, or a group of them, has some role somewhere. */
export interface Assignment {
  readonly account: EntityRef;
  readonly place: EntityRef;
  /** The group by whose membership the account has it, where Keystone expanded one. */
  readonly through?: string;
}

/**
 * Reads an item of Keystone's `GET /v3/role_assignments`. What is inherited holds below its project or domain, and what
 * is for the system is for no project in particular; both are told as places that are no project.
 */
export function assignmentOf(item: JsonObject): Assignment | undefined {
  const user = text(asObject(item["user"]), "id");
  const group = text(asObject(item["group"]), "id");
  const place = placeOf(asObject(item["scope"]));
  if (place === undefined || (user === undefined && group === undefined)) return undefined;
  const membership = text(asObject(item["links"]), "membership");
  const through = membership === undefined ? undefined : /\/groups\/([^/]+)\/users\//.exec(membership)?.[1];
  return {
    account: user === undefined ? ref("group", group!) : ref("user", user),
    place,
    ...(through === undefined ? {} : { through }),
  };
}

function placeOf(scope: JsonObject | undefined): EntityRef | undefined {
  const project = text(asObject(scope?.["project"]), "id");
  const domain = text(asObject(scope?.["domain"]), "id");
  if (project !== undefined)
    return ref(text(scope, "OS-INHERIT:inherited_to") === undefined ? "project" : "project_tree", project);
  if (domain !== undefined) return ref("domain", domain);
  return asObject(scope?.["system"]) === undefined ? undefined : ref("system", "all");
}

/** Names the pair, whatever roles it stands for: only when the last one is gone does the account no longer work there. */
export function assignmentKey({ account, place }: Assignment): string {
  return `${entityKey(account)}|${entityKey(place)}`;
}

/** The inverse of {@link assignmentKey}. */
export function parseAssignmentKey(key: string): Assignment {
  const [account = "", place = ""] = key.split("|");
  return { account: parseEntityKey(account), place: parseEntityKey(place) };
}
