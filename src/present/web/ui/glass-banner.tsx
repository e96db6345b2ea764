import { useEffect } from "preact/hooks";
import { breakGlassOpen, glass, glassMinutes, mayBreakGlass, mendGlass, watchGlass } from "../state/glass.ts";
import { session } from "../state/session.ts";

/** On every page while what is withheld is shown: for how long yet, why, and the way back. */
export function GlassBanner() {
  const broken = glass.value;
  useEffect(watchGlass, [broken?.until]);
  if (broken === undefined) return null;
  const minutes = glassMinutes.value;
  return (
    <div class="glass-banner" role="status">
      <span>
        <strong>Break-glass:</strong> you see security events for {minutes}{" "}
        {minutes === 1 ? "minute" : "minutes"} more, and each read is counted. Reason: {broken.why}
      </span>
      {session.value?.as_tenant === false && (
        <button type="button" class="control" onClick={() => void mendGlass()}>
          Stop now
        </button>
      )}
    </div>
  );
}

/** In the menu of whoever may. */
export function BreakGlassButton() {
  if (!mayBreakGlass.value) return null;
  return (
    <button
      type="button"
      class="control quiet"
      title="See security events for an hour, for a reason that is written down"
      onClick={() => void (breakGlassOpen.value = true)}
      aria-haspopup="dialog"
    >
      Break glass
    </button>
  );
}
