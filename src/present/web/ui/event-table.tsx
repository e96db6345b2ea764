import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { batch } from "@preact/signals";
import { revealed, selectEvent } from "../state/commands.ts";
import { isProvider } from "../state/session.ts";
import { sceneCounts } from "../state/scene-state.ts";
import { storedSignal } from "../state/storage.ts";
import { foldRows, type TableRow } from "../state/table-rows.ts";
import { changeView, range, totals, view, windowEvents } from "../state/timeline-state.ts";
import { formatDate, zoneName } from "../time/zone.ts";
import { formatCount } from "./number-words.ts";
import { useElementSize } from "./element-size.ts";
import { EventRow, RunRow } from "./event-row.tsx";

const newestFirst = storedSignal<boolean>(
  "newest-first",
  false,
  (value): value is boolean => typeof value === "boolean",
);

/** Rows are this high; on narrow screens a row has two lines. */
const rowPx = { wide: 28, narrow: 58 } as const;
const narrowPx = 620;
const overscan = 6;

/** The same events as rows: what the canvas can do, this can do by keyboard. One cursor for both. */
export function EventTable() {
  const scroller = useRef<HTMLDivElement>(null);
  const size = useElementSize(scroller);
  const [scrollTop, setScrollTop] = useState(0);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const events = windowEvents.value;
  const { selected, fold } = view.value;
  const folded = useMemo(() => foldRows(events, fold, open, selected), [events, fold, open, selected]);
  const rows = useMemo(
    () => (newestFirst.value ? folded.rows.toReversed() : folded.rows),
    [folded, newestFirst.value],
  );
  const height = size.width < narrowPx && size.width > 0 ? rowPx.narrow : rowPx.wide;
  const first = Math.max(0, Math.floor(scrollTop / height) - overscan);
  const last = Math.min(rows.length, Math.ceil((scrollTop + size.height) / height) + overscan);
  const reveal = revealed.value;
  const present = useMemo(() => rowIndex(rows, selected) !== -1, [rows, selected]);
  useEffect(
    () => revealRow(scroller.current, rows, selected, height),
    [reveal, selected, present, height, size.height],
  );
  const toggle = (key: string) => {
    const next = new Set(open);
    if (!next.delete(key)) next.add(key);
    setOpen(next);
  };
  return (
    <section class="panel table-panel" aria-label="Events">
      <div
        class={`table-scroll${height === rowPx.narrow ? " narrow" : ""}`}
        ref={scroller}
        tabIndex={0}
        role="group"
        aria-label="Events, scrollable"
        data-own-keys=""
        onScroll={(event) => setScrollTop(event.currentTarget.scrollTop)}
        onKeyDown={(event) => moveInTable(event, rows, scroller.current)}
      >
        <table aria-rowcount={rows.length + 1}>
          <caption class="visually-hidden">Events in the window, in order of time</caption>
          <TableHead />
          <tbody>
            <Spacer rows={first} height={height} />
            {rows.slice(first, last).map((row, index) => {
              const place = first + index + 2;
              return row.what === "run" ? (
                <RunRow key={`run ${row.key}`} row={row} index={place} toggle={toggle} />
              ) : (
                <EventRow
                  key={row.event.id}
                  event={row.event}
                  indented={row.indented}
                  index={place}
                  selected={row.event.id === selected}
                />
              );
            })}
            <Spacer rows={rows.length - last} height={height} />
          </tbody>
        </table>
      </div>
      <TableSums shown={folded.shown} folded={folded.folded} />
    </section>
  );
}

function TableHead() {
  const { zone } = view.value;
  const { from, to } = range.value;
  const newest = newestFirst.value;
  const sameDay = formatDate(from, zone) === formatDate(to - 1, zone);
  return (
    <thead>
      <tr aria-rowindex={1}>
        <th scope="col" class="col-time" aria-sort={newest ? "descending" : "ascending"}>
          <button
            type="button"
            class="sort"
            onClick={() => void (newestFirst.value = !newest)}
            title={newest ? "Newest first; click for oldest first" : "Oldest first; click for newest first"}
          >
            Time ({zoneName(from, zone)}){sameDay ? "" : ", with date"}{" "}
            <span aria-hidden="true">{newest ? "↓" : "↑"}</span>
          </button>
        </th>
        <th scope="col" class="col-precision">
          <abbr title="How precisely the time is known">±</abbr>
        </th>
        <th scope="col" class="col-kind">
          Kind
        </th>
        <th scope="col" class="col-severity">
          Severity
        </th>
        <th scope="col" class="col-tenant">
          {isProvider.value ? "Tenant" : "Project"}
        </th>
        <th scope="col" class="col-resource">
          Resource
        </th>
        <th scope="col" class="col-what">
          What happened
        </th>
      </tr>
    </thead>
  );
}

function Spacer({ rows, height }: { rows: number; height: number }) {
  const cell = useRef<HTMLTableCellElement>(null);
  useLayoutEffect(() => {
    if (cell.current !== null) cell.current.style.height = `${rows * height}px`;
  }, [rows, height]);
  if (rows <= 0) return null;
  return (
    <tr class="spacer" aria-hidden="true">
      <td ref={cell} colSpan={7}>
        {" "}
      </td>
    </tr>
  );
}

/** Both renderings account for every event, and say so. */
function TableSums({ shown, folded }: { shown: number; folded: number }) {
  const { total, known } = totals.value;
  const { marks, clustered, inColumns } = sceneCounts.value;
  if (total === 0) return null;
  const unloaded = total - known;
  const drawn = sumWords([
    [marks, marks === 1 ? "mark" : "marks"],
    [clustered, "in badges"],
    [inColumns, "in columns"],
    [unloaded, "not loaded"],
  ]);
  const listed = sumWords([
    [shown, "shown"],
    [folded, "folded"],
    [unloaded, "not loaded"],
  ]);
  return (
    <div class="table-sums">
      <p>
        <span class="sum-name">Lanes</span> {drawn} = <strong>{formatCount(total)}</strong>
      </p>
      <p>
        <span class="sum-name">Table</span> {listed} = <strong>{formatCount(total)}</strong>
      </p>
      {unloaded > 0 && (
        <p class="sum-warning">Too many at once: zoom in for the rest. Critical ones are all here.</p>
      )}
      <label class="check">
        <input
          type="checkbox"
          checked={view.value.fold}
          onChange={(event) => changeView({ fold: event.currentTarget.checked })}
        />
        Fold routine activity
      </label>
    </div>
  );
}

function sumWords(parts: readonly (readonly [number, string])[]): string {
  const words = parts.filter(([count]) => count > 0).map(([count, word]) => `${formatCount(count)} ${word}`);
  return words.join(" + ");
}

function rowIndex(rows: readonly TableRow[], id: string | undefined): number {
  return rows.findIndex((row) => row.what === "event" && row.event.id === id);
}

function revealRow(
  scroller: HTMLElement | null,
  rows: readonly TableRow[],
  selected: string | undefined,
  height: number,
): void {
  const index = rowIndex(rows, selected);
  if (scroller === null || index === -1) return;
  const head = scroller.querySelector("thead")?.clientHeight ?? 0;
  const top = index * height;
  const roomy = scroller.clientHeight - head;
  if (top < scroller.scrollTop || top + height > scroller.scrollTop + roomy) {
    scroller.scrollTop = Math.max(0, top - Math.max(0, (roomy - height) / 2));
  }
}

/** Arrow keys inside the table move row by row; the canvas follows. */
function moveInTable(event: KeyboardEvent, rows: readonly TableRow[], scroller: HTMLElement | null): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (step === 0) return;
  event.preventDefault();
  const current = rowIndex(rows, view.peek().selected);
  let next = current === -1 ? (step === 1 ? 0 : rows.length - 1) : current + step;
  while (rows[next]?.what === "run") next += step;
  const row = rows[next];
  if (row?.what !== "event") return;
  batch(() => selectEvent(row.event.id, Date.parse(row.event.occurred_at)));
  requestAnimationFrame(() =>
    scroller?.querySelector<HTMLElement>("tr[aria-current] button")?.focus({ preventScroll: true }),
  );
}
