import type { Visibility } from "../../src/model/event.ts";

/**
 * Who may see what, said once more from the documents alone, for judging the running product by. Nothing here may lean on
 * how the store walls off its rows, how the API asks for a permission, or how editions are made.
 */

/** Whose something is, as of the moment that it happened. */
export interface Owner {
  readonly plane: string;
  /** Absent where it was not known. */
  readonly domain?: string;
  /** Absent where the domain itself owns it. */
  readonly project?: string;
}

export type Whose =
  | { readonly is: "owned"; readonly by: Owner }
  /** The provider's, with everybody who stood on it then. */
  | { readonly is: "shared"; readonly among: readonly Owner[] }
  | { readonly is: "provider" | "unresolved" | "ambiguous" };

/** Something that happened. */
export interface Happening {
  readonly whose: Whose;
  readonly visibility: Visibility;
}

/** What somebody holds: of a project all that was its own, of a domain all that was the domain's when it happened. */
export interface Holding {
  readonly on: "project" | "domain";
  readonly plane: string;
  readonly id: string;
  readonly role: "reader" | "admin";
  /** Projects that the holding of the domain does not reach. */
  readonly without?: readonly string[];
}

export type Who =
  /** Without credentials that are good, whatever is wrong with them. */
  | { readonly kind: "nobody" }
  /** May post to one connection, and look at nothing. */
  | { readonly kind: "poster"; readonly connection: string }
  | { readonly kind: "tenant"; readonly holdings: readonly Holding[] }
  | {
      readonly kind: "provider";
      readonly role: "operator" | "auditor" | "admin";
      readonly brokeGlass?: true;
    };

/** How somebody sees something: the record whole, or what one tenant may know of it. */
export type View =
  | { readonly as: "whole" }
  /** The owner's edition, or a notice of a cause that others share. */
  | { readonly as: "owner" | "notice"; readonly of: Owner };

/** All ways in which somebody sees it; none where it does not exist for them. Who holds two tenants can have two notices. */
export function visible(who: Who, { whose, visibility }: Happening): readonly View[] {
  if (who.kind === "nobody" || who.kind === "poster") return [];
  if (who.kind === "provider") {
    return visibility === "security" && !readsSecurity(who) ? [] : [{ as: "whole" }];
  }
  const mayKnow = (owner: Owner, of: Visibility): boolean =>
    who.holdings.some((holding) => reaches(holding, owner) && opens(holding, of));
  if (whose.is === "owned") return mayKnow(whose.by, visibility) ? [{ as: "owner", of: whose.by }] : [];
  if (whose.is !== "shared") return [];
  // What befell a place is the provider's to read; that it struck is told to whoever stood there.
  const told = visibility === "provider" ? "operational" : visibility;
  return whose.among.filter((owner) => mayKnow(owner, told)).map((of) => ({ as: "notice", of }));
}

/** Operators see nothing of the class `security` unless they broke the glass. */
function readsSecurity({ role, brokeGlass }: Who & { kind: "provider" }): boolean {
  return role !== "operator" || brokeGlass === true;
}

/** A reader of a tenant gets nothing sensitive, and what is the provider's class is never a tenant's. */
function opens({ role }: Holding, visibility: Visibility): boolean {
  switch (visibility) {
    case "operational":
    case "billing":
      return true;
    case "security":
      return role === "admin";
    case "provider":
      return false;
  }
}

/** Ids say nothing without their control plane, and names never anything. */
export function reaches(holding: Holding, owner: Owner): boolean {
  if (holding.plane !== owner.plane) return false;
  if (holding.on === "project") return owner.project === holding.id;
  if (owner.project !== undefined && holding.without?.includes(owner.project) === true) return false;
  return owner.domain === holding.id;
}

/** What an operation asks of whoever calls it. */
export type Need =
  /** Nothing: health, the contract, signing in. */
  | "nothing"
  /** To be somebody who reads: a tenant sees its own, a provider all. */
  | "reading"
  /** To be whoever signed in with a browser. */
  | "browser"
  /** To post to the connection that is named. */
  | "posting"
  /** To administer a tenant, or the provider. */
  | "tokens"
  /** To have messages sent: of the provider's, or as the administrator of a tenant. */
  | "notifications"
  /** To administer all of what one sees as a tenant. */
  | "own export"
  | ProviderNeed;

export type ProviderNeed =
  "workbench" | "decide" | "look-as-tenant" | "audit" | "export" | "break-glass" | "administer";

const rolesFor: Readonly<Record<ProviderNeed, readonly (Who & { kind: "provider" })["role"][]>> = {
  workbench: ["operator", "auditor", "admin"],
  decide: ["operator", "admin"],
  "look-as-tenant": ["operator", "auditor", "admin"],
  audit: ["auditor", "admin"],
  export: ["operator", "auditor", "admin"],
  "break-glass": ["operator"],
  administer: ["admin"],
};

/**
 * *stranger*: answered as one who has not signed in. *absent*: answered as if the address were not there. A tenant is
 * told in both cases nothing of whether there is such a thing.
 */
export function admits(who: Who, need: Need, connection?: string): "admitted" | "stranger" | "absent" {
  if (need === "nothing") return "admitted";
  if (who.kind === "nobody") return "stranger";
  if (need === "posting") {
    if (who.kind === "poster") return who.connection === connection ? "admitted" : "absent";
    return who.kind === "provider" && who.role === "admin" ? "admitted" : "absent";
  }
  // A key for posting has nothing to look at, so that whoever finds one learns nothing by it.
  if (who.kind === "poster") return "stranger";
  if (need === "reading" || need === "browser") return "admitted";
  if (need === "tokens" || need === "own export" || need === "notifications") {
    if (need === "notifications" && who.kind === "provider") return "admitted";
    if (who.kind === "provider") return need === "tokens" && who.role === "admin" ? "admitted" : "absent";
    const all = who.holdings.every(({ role }) => role === "admin");
    const some = who.holdings.some(({ role }) => role === "admin");
    return (need === "own export" ? all : some) ? "admitted" : "absent";
  }
  return who.kind === "provider" && rolesFor[need].includes(who.role) ? "admitted" : "absent";
}
