import { computed, signal } from "@preact/signals";
import { RequestFailure, sendApi } from "./client.ts";
import { minutesLeft } from "./glass-words.ts";
import { loadSession, session } from "./session.ts";

/** While what is withheld is shown. */
export const glass = computed(() => session.value?.glass ?? undefined);

export const mayBreakGlass = computed(
  () => session.value?.permissions.includes("break-glass") === true && glass.value === undefined,
);

export const breakGlassOpen = signal(false);

const tick = signal(0);
/** Whole minutes that are left, the one that runs counted. */
export const glassMinutes = computed(() => {
  void tick.value;
  return glass.value === undefined ? 0 : minutesLeft(Date.parse(glass.value.until), Date.now());
});

/** Counts down while the glass is broken, and asks who one is when the time is up. */
export function watchGlass(): (() => void) | undefined {
  if (glass.value === undefined) return undefined;
  const until = Date.parse(glass.value.until);
  const timer = setInterval(() => {
    tick.value++;
    if (Date.now() >= until) void loadSession();
  }, 1_000);
  return () => clearInterval(timer);
}

/** Shows what is withheld, for the reason; a refusal is returned for the dialog to show. */
export function breakGlass(why: string): Promise<RequestFailure | undefined> {
  return changeGlass("POST", { why });
}

export function mendGlass(): Promise<RequestFailure | undefined> {
  return changeGlass("DELETE");
}

async function changeGlass(method: "POST" | "DELETE", body?: object): Promise<RequestFailure | undefined> {
  try {
    await sendApi(method, "session/break-glass", body);
  } catch (error) {
    if (error instanceof RequestFailure) return error;
    throw error;
  }
  await loadSession();
  return undefined;
}
