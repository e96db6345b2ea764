import { signal } from "@preact/signals";
import type { SessionJson } from "../../api/contract.ts";
import { hasRight, managesTokens, sendsMessages, takesAlong } from "./rights.ts";

/** Which page an address names. */
export type Route =
  | { readonly page: "timeline" }
  | { readonly page: "alerts" }
  | { readonly page: "sources" }
  | { readonly page: "quarantine" }
  | { readonly page: "rulings" }
  | { readonly page: "notices" }
  | { readonly page: "audit" }
  | { readonly page: "tokens" }
  | { readonly page: "notifications" }
  | { readonly page: "retention" }
  | { readonly page: "export" }
  | { readonly page: "blast" }
  | { readonly page: "compare" }
  | { readonly page: "operations" }
  | { readonly page: "operation"; readonly id: string }
  | { readonly page: "incidents" }
  | { readonly page: "incident"; readonly id: string }
  | { readonly page: "resource"; readonly kind: string; readonly id: string }
  | { readonly page: "event"; readonly id: string }
  | { readonly page: "unknown"; readonly path: string };

/** The route of a path; ids may hold anything that a URL can carry. */
export function readRoute(path: string): Route {
  if (path === "/" || path === "/t") return { page: "timeline" };
  if (path === "/alerts") return { page: "alerts" };
  if (path === "/sources") return { page: "sources" };
  if (path === "/quarantine") return { page: "quarantine" };
  if (path === "/quarantine/rulings") return { page: "rulings" };
  if (path === "/notices") return { page: "notices" };
  if (path === "/audit") return { page: "audit" };
  if (path === "/notifications") return { page: "notifications" };
  if (path === "/tokens") return { page: "tokens" };
  if (path === "/retention") return { page: "retention" };
  if (path === "/export") return { page: "export" };
  if (path === "/blast") return { page: "blast" };
  if (path === "/compare") return { page: "compare" };
  if (path === "/operations") return { page: "operations" };
  if (path === "/incidents") return { page: "incidents" };
  const parts = path.split("/").slice(1).map(decodePart);
  const [head, first] = parts;
  if (head === "e" && first !== undefined && first !== "" && parts.length === 2)
    return { page: "event", id: first };
  if (head === "operations" && first !== undefined && first !== "" && parts.length === 2)
    return { page: "operation", id: first };
  if (head === "incidents" && first !== undefined && first !== "" && parts.length === 2)
    return { page: "incident", id: first };
  const id = parts.slice(2).join("/");
  if (head === "r" && first !== undefined && first !== "" && id !== "")
    return { page: "resource", kind: first, id };
  return { page: "unknown", path };
}

/** Whether the page is there for whoever has the session. To everybody else it is as unknown as any other address. */
export function opensFor({ page }: Route, session: SessionJson): boolean {
  switch (page) {
    case "sources":
    case "quarantine":
    case "rulings":
    case "notices":
      return hasRight(session, "read-workbench");
    case "audit":
      return hasRight(session, "read-audit");
    case "retention":
      return hasRight(session, "administer");
    case "notifications":
      return sendsMessages(session);
    case "tokens":
      return managesTokens(session);
    case "export":
      return takesAlong(session);
    default:
      return true;
  }
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError) return part;
    throw error;
  }
}

/** Path and query of the page; pages read it, `goTo` and the back button write it. */
export const address = signal({ path: location.pathname, search: location.search });

export function listenToHistory(): void {
  addEventListener("popstate", () => {
    address.value = { path: location.pathname, search: location.search };
  });
}

/** Shows another address. `replace` keeps the back button's steps few while a window moves. */
export function goTo(href: string, how: "push" | "replace" = "push"): void {
  const url = new URL(href, location.href);
  if (how === "push") history.pushState(null, "", url);
  else history.replaceState(null, "", url);
  address.value = { path: url.pathname, search: url.search };
}
