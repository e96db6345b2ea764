import { eventKinds } from "../../../model/event.ts";
import { selectEvent } from "../state/commands.ts";
import { windowHoles } from "../state/holes-state.ts";
import { isProvider, session } from "../state/session.ts";
import { stormOf } from "../state/storm.ts";
import { coverage, now, range, totals, view, windowEvents } from "../state/timeline-state.ts";
import { formatLength } from "../time/length.ts";
import { formatClock, zoneName } from "../time/zone.ts";
import { incompleteWords } from "../timeline/blind-spans.ts";
import { behindAt } from "../timeline/coverage.ts";
import type { EventJson } from "../../api/contract.ts";
import { Glyph, kindWords, SeverityWord } from "./glyph.tsx";
import { Link } from "./link.tsx";
import { formatCount } from "./number-words.ts";

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
      <Storms events={events} />
      <Incomplete />
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

/** Where the window may lack events: in words, never by hatching alone. */
function Incomplete() {
  const words = incompleteWords(windowHoles.value, range.value, view.value.zone);
  const late = unreadWords();
  if (words === undefined && late === undefined) return null;
  return (
    <p class="notice" role="note">
      {words !== undefined && (
        <>
          <strong>May be incomplete:</strong> {words}{" "}
        </>
      )}
      {late !== undefined && (
        <>
          <strong>Not known yet:</strong> {late}
        </>
      )}
      {isProvider.value && (
        <>
          {" "}
          <Link href="/sources">Open sources</Link>
        </>
      )}
    </p>
  );
}

/** From when on the window is not read yet, and by how many sources. */
function unreadWords(): string | undefined {
  const { from, to } = range.value;
  const present = Math.max(now.value, Date.now());
  const times = behindAt(coverage.value?.connections ?? [], to, present)
    .map(({ complete_to: at }) => (at === null ? 0 : Date.parse(at)))
    .filter((at) => at >= from);
  if (times.length === 0) return undefined;
  const at = Math.min(...times);
  const { zone } = view.value;
  return `from ${formatClock(at, zone)} ${zoneName(at, zone)}, ${times.length} ${times.length === 1 ? "source" : "sources"}`;
}

function Storms({ events }: { events: readonly EventJson[] }) {
  const storms = events.flatMap((event) => stormOf(event) ?? []);
  if (storms.length === 0) return null;
  const single = storms.reduce((sum, storm) => sum + storm.count, 0);
  return (
    <p class="summary-total">
      {storms.length === 1
        ? "One of them is a storm and stands"
        : `${storms.length} of them are storms and stand`}{" "}
      for {formatCount(single)} single events.
    </p>
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
