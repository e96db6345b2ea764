import type { EventJson } from "../../api/contract.ts";
import { selectEvent } from "../state/commands.ts";
import { componentOf, ownerName } from "../state/grouping.ts";
import { nameEntity } from "../state/entity-names.ts";
import { candidateRanks } from "../state/lanes-state.ts";
import { freshIds } from "../state/live-stream.ts";
import { isProvider, tenantNames } from "../state/session.ts";
import { stormOf, subjectWords } from "../state/storm.ts";
import { describeRun, type TableRow } from "../state/table-rows.ts";
import { range, view } from "../state/timeline-state.ts";
import { formatLength, formatPrecision } from "../time/length.ts";
import { formatClock, formatDate, zoneName } from "../time/zone.ts";
import { KindWord, SeverityWord } from "./glyph.tsx";
import { formatCount } from "./number-words.ts";

/** A time of day with its zone, and its date where the window spans more than one day. */
function RowTime({ at }: { at: number }) {
  const { zone } = view.value;
  const { from, to } = range.value;
  const sameDay = formatDate(from, zone) === formatDate(to - 1, zone);
  return (
    <time dateTime={new Date(at).toISOString()}>
      {sameDay ? "" : `${formatDate(at, zone).slice(5)} `}
      {formatClock(at, zone, to - from < 900_000 ? "ms" : "second")}{" "}
      <span class="dim">{zoneName(at, zone)}</span>
    </time>
  );
}

/** A tenant's own column names the project only: the domain is its own. */
function ownerCell(event: EventJson): string {
  const { label } = ownerName(event, tenantNames.value);
  return isProvider.value ? label : (label.split(" / ").at(-1) ?? label);
}

export function EventRow(props: { event: EventJson; index: number; selected: boolean; indented: boolean }) {
  const { event, index, selected } = props;
  const at = Date.parse(event.occurred_at);
  const rank = candidateRanks.value.get(event.id);
  const late = freshIds.value.get(event.id);
  const storm = stormOf(event);
  return (
    <tr
      aria-rowindex={index}
      aria-current={selected ? "true" : undefined}
      class={`${selected ? "selected" : ""}${props.indented ? " indented" : ""}${late === undefined ? "" : " fresh"}`}
      onClick={() => selectEvent(event.id, at)}
    >
      <td class="col-time">
        <RowTime at={at} />
      </td>
      <td class="col-precision">{formatPrecision(event.precision_ms)}</td>
      <td class="col-kind">
        <KindWord kind={event.kind} />
      </td>
      <td class="col-severity">
        <SeverityWord severity={event.severity} />
      </td>
      <td class="col-tenant">{ownerCell(event)}</td>
      <td class="col-resource">
        {storm !== undefined && storm.subjects > 1 ? subjectWords(storm) : <Subject event={event} />}
      </td>
      <td class="col-what">
        <button type="button" class="row-button" tabIndex={selected ? 0 : -1}>
          {rank !== undefined && <span class="rank">{rank}</span>}
          {late !== undefined && late > 0 && <span class="late">late +{formatLength(late)}</span>}
          {storm !== undefined && <span class="fold-count">× {formatCount(storm.count)}</span>}
          {event.summary}
        </button>
      </td>
    </tr>
  );
}

function Subject({ event }: { event: EventJson }) {
  const { subject } = event;
  if (subject.kind === "component") return <>{componentOf(event).label}</>;
  return (
    <>
      <span class="dim">{subject.kind.replaceAll("_", " ")} </span>
      {nameEntity(subject)}
    </>
  );
}

export function RunRow(props: {
  row: TableRow & { readonly what: "run" };
  index: number;
  toggle: (key: string) => void;
}) {
  const { row } = props;
  const first = Date.parse(row.events[0]?.occurred_at ?? "");
  return (
    <tr aria-rowindex={props.index} class="run" onClick={() => props.toggle(row.key)}>
      <td class="col-time">
        <RowTime at={first} />
      </td>
      <td class="col-run" colSpan={6}>
        <button type="button" class="row-button" aria-expanded={row.open}>
          <span class="twist" aria-hidden="true">
            {row.open ? "▾" : "▸"}
          </span>
          {row.events.length} routine: {describeRun(row.events)}
        </button>
      </td>
    </tr>
  );
}
