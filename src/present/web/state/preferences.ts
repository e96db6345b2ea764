import { effect } from "@preact/signals";
import { storedSignal } from "./storage.ts";
import { isZone } from "../time/zone.ts";

export type Theme = "system" | "light" | "dark";

export const theme = storedSignal<Theme>("theme", "system", (value): value is Theme =>
  ["system", "light", "dark"].includes(String(value)),
);

/** The zone that a new view starts in; an address that names one wins. */
export const preferredZone = storedSignal<string>(
  "zone",
  "UTC",
  (value): value is string => typeof value === "string" && isZone(value),
);

/** Whether single keys do anything; some people's input methods press keys by accident. */
export const shortcutsOn = storedSignal<boolean>(
  "shortcuts",
  true,
  (value): value is boolean => typeof value === "boolean",
);

/** Puts the chosen theme on the page; the tokens follow `color-scheme`. */
export function applyTheme(): () => void {
  return effect(() => {
    if (theme.value === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme.value;
  });
}
