import { useEffect, useState } from "preact/hooks";
import type { EventJson } from "../../api/contract.ts";
import { blastPath, operationsPath } from "../state/asked-path.ts";
import { clearSelection, copyLink, toggleWhatElse } from "../state/commands.ts";
import { componentOf, ownerName, resourcePath } from "../state/grouping.ts";
import { nameEntity } from "../state/entity-names.ts";
import { decides, tenantNames } from "../state/session.ts";
import { selectedEvent, view } from "../state/timeline-state.ts";
import { formatLength, formatPrecision } from "../time/length.ts";
import { formatClock, formatDate, formatMoment, zoneName } from "../time/zone.ts";
import { Glyph, kindWords, SeverityWord } from "./glyph.tsx";
import { JsonTree } from "./json-tree.tsx";
import { Link } from "./link.tsx";
import { isWaiting, Ownership } from "./ownership.tsx";
import { PinToIncident } from "./pin-to-incident.tsx";
import { StormPart } from "./storm-part.tsx";
import { WhatElse } from "./what-else.tsx";
import { WindowSummary } from "./window-summary.tsx";

/** Everything about the selected event; without one, the window in a few numbers. */
export function Inspector() {
  const event = selectedEvent.value;
  const { elseOf } = view.value;
  return (
    <aside
      id="inspector"
      class={`inspector panel${event === undefined ? " idle" : ""}`}
      aria-label="Inspector"
      tabIndex={-1}
    >
      {event === undefined ? <WindowSummary /> : <EventDetails key={event.id} event={event} />}
      {elseOf !== undefined && <WhatElse of={elseOf} />}
      {event !== undefined && <RawDetails key={`raw ${event.id}`} event={event} />}
    </aside>
  );
}

function EventDetails({ event }: { event: EventJson }) {
  const [why, setWhy] = useState(false);
  const { zone, elseOf } = view.value;
  const at = Date.parse(event.occurred_at);
  return (
    <article class="event" aria-labelledby="event-title">
      <header>
        <p class="event-sign">
          <Glyph kind={event.kind} critical={event.severity === "critical"} />
          <span>{kindWords[event.kind]}</span>
          <SeverityWord severity={event.severity} />
          <button type="button" class="control quiet close" onClick={clearSelection} title="Close (Esc)">
            <span class="visually-hidden">Close the inspector</span>
            <span aria-hidden="true">×</span>
          </button>
        </p>
        <p class="event-time">
          {formatDate(at, zone)} <strong>{formatClock(at, zone, "ms")}</strong> {zoneName(at, zone)}{" "}
          {formatPrecision(event.precision_ms)}
        </p>
        <h2 id="event-title">{event.summary}</h2>
      </header>
      <EventFacts event={event} why={why} setWhy={setWhy} />
      <StormPart event={event} />
      {why && <Ownership event={event} />}
      {decides.value && isWaiting(event.attribution) && <Decide event={event} />}
      <div class="event-actions">
        <button
          type="button"
          class="control primary"
          aria-pressed={elseOf === event.id}
          onClick={toggleWhatElse}
        >
          What else changed? <kbd>E</kbd>
        </button>
        <Link class="control" href={blastPath({ event: event.id })}>
          What does it reach?
        </Link>
        <Link class="control" href={operationsPath(event)}>
          Its operations
        </Link>
        <button type="button" class="control" onClick={() => void copyLink()}>
          Copy link <kbd>Y</kbd>
        </button>
        {decides.value && <PinToIncident event={event.id} summary={event.summary} />}
      </div>
    </article>
  );
}

/** What can be done about an event without an owner; both ways try it first. */
function Decide({ event }: { event: EventJson }) {
  const path = `/quarantine?event=${encodeURIComponent(event.id)}`;
  return (
    <div class="notice decide">
      <p>Nobody outside the provider sees this event: it has no owner yet.</p>
      <p class="event-actions">
        <Link class="control" href={path}>
          Assign it to a tenant…
        </Link>
        <Link class="control" href={`${path}&as=provider`}>
          It is the provider’s own…
        </Link>
      </p>
    </div>
  );
}

function EventFacts({
  event,
  why,
  setWhy,
}: {
  event: EventJson;
  why: boolean;
  setWhy: (why: boolean) => void;
}) {
  const { zone } = view.value;
  const lag = Date.parse(event.recorded_at) - Date.parse(event.occurred_at);
  const { actor, operation } = event;
  const request = operation?.request_id ?? operation?.workflow_id;
  return (
    <dl class="facts">
      <Fact name="Resource">
        <Link href={resourceHref(event.subject, event)}>
          {event.subject.kind.replaceAll("_", " ")} {nameEntity(event.subject)}
        </Link>
        {nameEntity(event.subject) !== event.subject.id && <code class="id">{event.subject.id}</code>}
      </Fact>
      <Fact name="Tenant">
        {ownerName(event, tenantNames.value).label}{" "}
        <button type="button" class="link-button" aria-expanded={why} onClick={() => setWhy(!why)}>
          why{event.attribution.status === "owned" ? " this tenant" : ""}?
        </button>
      </Fact>
      <Fact name="Type">
        <code>{event.type}</code> <span class="dim">{componentOf(event).label}</span>
      </Fact>
      {zone !== "UTC" && (
        <Fact name="Occurred">
          <time>{formatMoment(Date.parse(event.occurred_at), "UTC", "ms")}</time>
        </Fact>
      )}
      <Fact name="Recorded">
        <time>{formatMoment(Date.parse(event.recorded_at), zone)}</time>
        {lag >= 60_000 && <span class="late">{formatLength(lag)} later</span>}
      </Fact>
      {event.connection !== undefined && <Fact name="Source">{event.connection}</Fact>}
      {actor !== undefined && (actor.user_name ?? actor.user_id) !== undefined && (
        <Fact name="Done by">{actor.user_name ?? <code>{actor.user_id}</code>}</Fact>
      )}
      {request !== undefined && (
        <Fact name="Operation">
          <code>{request}</code>
        </Fact>
      )}
      {event.related.length > 0 && (
        <Fact name="Related">
          <ul class="related">
            {event.related.slice(0, 12).map((related) => (
              <li key={`${related.role} ${related.kind} ${related.id}`}>
                <span class="dim">{related.role.replaceAll("_", " ")}</span>{" "}
                <Link href={resourceHref(related, event)}>{nameEntity(related)}</Link>
              </li>
            ))}
          </ul>
        </Fact>
      )}
    </dl>
  );
}

function resourceHref(entity: { kind: string; id: string }, event: EventJson): string {
  const query = new URLSearchParams({ at: event.occurred_at });
  const plane = event.attribution.control_plane;
  if (plane !== undefined) query.set("control_plane", plane);
  return `${resourcePath(entity)}?${query.toString().replaceAll("%3A", ":")}`;
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function RawDetails({ event }: { event: EventJson }) {
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [event.id]);
  return (
    <>
      {event.changes !== undefined && event.changes.length > 0 && (
        <section class="part" aria-label="Changed fields">
          <h3>Changed fields</h3>
          <dl class="changes">
            {event.changes.map((change) => (
              <div key={change.field}>
                <dt>{change.field}</dt>
                <dd>
                  <del>{spell(change.before)}</del> <span aria-hidden="true">→</span>{" "}
                  <ins>{spell(change.after)}</ins>
                </dd>
              </div>
            ))}
          </dl>
        </section>
      )}
      <section class="part" aria-label="Raw details">
        <button type="button" class="fold-button" aria-expanded={open} onClick={() => setOpen(!open)}>
          <span class="twist" aria-hidden="true">
            {open ? "▾" : "▸"}
          </span>
          Raw details
        </button>
        {open && (
          <div class="raw">
            <JsonTree value={event.details} />
            {event.source_ids !== undefined && (
              <p class="dim">
                Source ids <code>{event.source_ids.join(", ")}</code>
              </p>
            )}
            <p class="dim">
              Event{" "}
              <Link href={`/e/${encodeURIComponent(event.id)}`}>
                <code>{event.id}</code>
              </Link>
            </p>
          </div>
        )}
      </section>
    </>
  );
}

function spell(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
