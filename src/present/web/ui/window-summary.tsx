import { eventKinds } from "../../../model/event.ts";
import { selectEvent } from "../state/commands.ts";
import { session } from "../state/session.ts";
import { range, totals, view, windowEvents } from "../state/timeline-state.ts";
import { formatLength } from "../time/length.ts";
import { formatClock, zoneName } from "../time/zone.ts";
import type { EventJson } from "../../api/contract.ts";
import { Glyph, kindWords, SeverityWord } from "./glyph.tsx";

/** With nothing selected: what the window holds, and where to begin. */
export function WindowSummary() {
  const events = windowEvents.value;
  const { from, to } = range.value;
  const firstSymptom = events.find((event) => event.kind === "symptom");
  const criticals = events
    .filter((event) => event.severity === "critical" && event !== firstSymptom)
    .slice(0, 4);
  const changeBefore = lastChangeBefore(events, firstSymptom);
  return (
    <div class="summary">
      <h2>This window</h2>
      <p class="summary-total">
        <strong>{totals.value.total.toLocaleString("en")}</strong> events in {formatLength(to - from)}
      </p>
      <dl class="tallies">
        {eventKinds.map((kind) => (
          <div key={kind}>
            <dt>
              <Glyph kind={kind} /> {kindWords[kind]}
            </dt>
            <dd>{events.filter((event) => event.kind === kind).length.toLocaleString("en")}</dd>
          </div>
        ))}
      </dl>
      {firstSymptom !== undefined && (
        <>
          <h3>First symptom</h3>
          <Pointer event={firstSymptom} />
        </>
      )}
      {changeBefore !== undefined && (
        <>
          <h3>Last change before it</h3>
          <Pointer event={changeBefore} />
        </>
      )}
      {criticals.length > 0 && (
        <>
          <h3>Critical</h3>
          {criticals.map((event) => (
            <Pointer key={event.id} event={event} />
          ))}
        </>
      )}
      <p class="hint">
        Select an event, then press <kbd>E</kbd> to see what else changed before it.
        {session.value?.kind === "provider" ? " “Why?” tells whose it is and how that is known." : ""}
      </p>
    </div>
  );
}

function lastChangeBefore(
  events: readonly EventJson[],
  symptom: EventJson | undefined,
): EventJson | undefined {
  if (symptom === undefined) return undefined;
  return events.findLast((event) => event.kind === "change" && event.occurred_at < symptom.occurred_at);
}

function Pointer({ event }: { event: EventJson }) {
  const at = Date.parse(event.occurred_at);
  const { zone } = view.value;
  return (
    <button type="button" class="pointer" onClick={() => selectEvent(event.id, at)}>
      <span class="pointer-time">
        {formatClock(at, zone)} {zoneName(at, zone)}
      </span>
      <Glyph kind={event.kind} critical={event.severity === "critical"} />
      <span class="pointer-title">{event.summary}</span>
      {event.severity !== "info" && <SeverityWord severity={event.severity} />}
    </button>
  );
}
