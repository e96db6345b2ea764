import { runKey } from "./commands.ts";
import { shortcutsOn } from "./preferences.ts";
import { sessionState } from "./session.ts";

const prefixMs = 1500;

/** Listens for single keys on the whole page; returns what stops it. */
export function listenToKeys(): () => void {
  let prefixedAt = -Infinity;
  const listen = (event: KeyboardEvent) => {
    if (!shortcutsOn.peek() || sessionState.peek().state !== "in") return;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]") !== null) return;
    if (keepsKey(event)) return;
    const prefixed = event.timeStamp - prefixedAt < prefixMs;
    prefixedAt = -Infinity;
    if (!prefixed && event.key === "g") {
      prefixedAt = event.timeStamp;
      return;
    }
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (runKey(prefixed ? `g ${key}` : key)) event.preventDefault();
  };
  addEventListener("keydown", listen);
  return () => removeEventListener("keydown", listen);
}

/** Whether the focused element has its own use for the key. */
function keepsKey(event: KeyboardEvent): boolean {
  const { target } = event;
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest("input, textarea, select, [role=textbox]") !== null)
    return true;
  if (event.key === "Enter") return target.closest("button, a, summary, [data-own-keys]") !== null;
  if (event.key.startsWith("Arrow")) return target.closest("[data-own-keys]") !== null;
  return false;
}
