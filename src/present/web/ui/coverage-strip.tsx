import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { windowHoles } from "../state/holes-state.ts";
import { isProvider } from "../state/session.ts";
import { coverage, now, range, view } from "../state/timeline-state.ts";
import { formatClock, formatMoment, zoneName } from "../time/zone.ts";
import { blindSpanSentence, spanWords, type BlindSpan } from "../timeline/blind-spans.ts";
import { coverageRows, isWhole, widestClear, type CoverageRow, type Stretch } from "../timeline/coverage.ts";
import { formatCount } from "./number-words.ts";

const rowsMax = 4;
/** Narrower than this, a hole could not be seen. */
const holePxMin = 3;

/** How far each connection is complete, and where it was blind. What nobody vouches for is hatched: unknown, not quiet. */
export function CoverageStrip() {
  const [open, setOpen] = useState(false);
  const known = coverage.value;
  if (known === undefined) return null;
  const rows = stripRows();
  const partial = rows.filter((row) => !isWhole(row));
  const behind = partial.filter((row) => row.stated || row.holes.length > 0);
  const unstated = partial.filter((row) => !row.stated && row.holes.length === 0);
  const whole = rows.filter(isWhole);
  const finished = finishedNames();
  return (
    <div class="row coverage" role="group" aria-label={sentence(rows, partial)}>
      <div class="gutter">
        <strong>Coverage</strong>
        {isProvider.value && (
          <span>
            {whole.length} of {rows.length} complete
          </span>
        )}
        {partial.length > 0 && (
          <button
            type="button"
            class="link-button"
            aria-expanded={open}
            aria-controls="coverage-list"
            onClick={() => setOpen(!open)}
          >
            {open ? "less" : "what is missing?"}
          </button>
        )}
      </div>
      <div class="coverage-plot">
        {behind.slice(0, rowsMax).map((row) => (
          <CoverageLine key={row.connection} row={row} text={lineWords(row)} />
        ))}
        {unstated[0] !== undefined && <CoverageLine row={unstated[0]} text={unstatedWords(unstated)} />}
        {whole.length > 0 && <CompleteLine rows={whole} />}
        {behind.length > rowsMax && (
          <p class="coverage-more">and {behind.length - rowsMax} more incomplete</p>
        )}
        {finished.length > 0 && (
          <p class="coverage-more">
            {finished.join(", ")} {finished.length === 1 ? "ends" : "end"} before this window
          </p>
        )}
      </div>
      <MissingList rows={partial} hidden={!open} />
    </div>
  );
}

/** A row for each connection that has something to say about this window; for a tenant one for all of them. */
function stripRows(): CoverageRow[] {
  const known = coverage.value;
  const holes = windowHoles.value;
  const nameless = holes.filter((hole) => hole.connection === undefined);
  const present = Math.max(now.value, Date.now());
  const connections = (known?.connections ?? []).filter((entry) => !endsBefore(entry));
  const rows = connections.map((entry) => ({
    connection: entry.connection,
    state: entry.state,
    ...(entry.complete_to === null ? {} : { completeTo: Date.parse(entry.complete_to) }),
    holes: holes.filter((hole) => hole.connection === entry.connection),
  }));
  if ((known?.connections ?? []).length === 0) {
    const completeTo = known?.complete_to ?? null;
    rows.push({
      connection: "all sources",
      state: "",
      ...(completeTo === null ? {} : { completeTo: Date.parse(completeTo) }),
      holes: nameless,
    });
  } else if (nameless.length > 0) {
    // Whose the holes are is still being asked.
    rows.push({ connection: "some source", state: "", completeTo: range.value.to, holes: nameless });
  }
  return coverageRows(rows, range.value, present);
}

function finishedNames(): string[] {
  return (coverage.value?.connections ?? []).filter(endsBefore).map((entry) => entry.connection);
}

/** A recording that was read to its end has nothing to say about later times, and is not expected to. */
function endsBefore(entry: { connection: string; state: string; complete_to: string | null }): boolean {
  return (
    (entry.state === "idle" || entry.state === "finished" || entry.state === "retired") &&
    entry.complete_to !== null &&
    Date.parse(entry.complete_to) < range.value.from &&
    !windowHoles.value.some((hole) => hole.connection === entry.connection)
  );
}

function sentence(rows: readonly CoverageRow[], partial: readonly CoverageRow[]): string {
  const whole = rows.length - partial.length;
  const reached = isProvider.value
    ? `${whole} of ${rows.length} sources are complete in this window`
    : partial.length === 0
      ? "complete in this window"
      : "not complete in this window";
  const words = partial.slice(0, rowsMax).flatMap(gapSentences);
  return [`Coverage: ${reached}.`, ...words].join(" ");
}

/** Each gap of a row in a sentence. */
function gapSentences(row: CoverageRow): string[] {
  const { zone } = view.value;
  const holes = row.holes.map(({ hole }) => blindSpanSentence(hole, zone));
  if (row.unknownShare === 0) return holes;
  const from = formatMoment(row.unknownFrom ?? range.value.from, zone);
  const name = isProvider.value ? row.connection : "Your cloud";
  const tail = row.stated
    ? `${name} is unknown from ${from}.`
    : `${name}: nobody says how far this is complete, so quiet is unknown.`;
  return [...holes, tail];
}

/** All that is missing in words, for those without a pointer and for what the strip has no room for. */
function MissingList({ rows, hidden }: { rows: readonly CoverageRow[]; hidden: boolean }) {
  return (
    <ul id="coverage-list" class="coverage-list" hidden={hidden}>
      {rows.flatMap((row) => [
        ...row.holes.map(({ hole }) => (
          <li key={`${row.connection} ${hole.from} ${hole.reason ?? ""}`}>
            <HoleWords hole={hole} />
          </li>
        )),
        ...(row.unknownShare === 0
          ? []
          : [<li key={`${row.connection} tail`}>{gapSentences({ ...row, holes: [] })}</li>]),
      ])}
    </ul>
  );
}

function HoleWords({ hole }: { hole: BlindSpan }) {
  return (
    <>
      {blindSpanSentence(hole, view.value.zone)}
      {hole.says !== undefined && <span class="dim"> {hole.says}</span>}
    </>
  );
}

function lineWords(row: CoverageRow): string {
  const { zone } = view.value;
  const parts: string[] = [];
  const [only] = row.holes;
  if (only !== undefined) {
    const holes =
      row.holes.length === 1
        ? spanWords(only.hole, zone)
        : `in ${formatCount(row.holes.length)} spans, first ${spanWords(only.hole, zone)}`;
    parts.push(`may be incomplete ${holes}`);
  }
  if (row.unknownShare > 0 && row.stated) {
    parts.push(
      row.unknownFrom === undefined || row.knownShare === 0
        ? "unknown, not quiet"
        : `unknown from ${formatClock(row.unknownFrom, zone)} ${zoneName(row.unknownFrom, zone)}, not quiet`,
    );
  }
  return isProvider.value ? `${row.connection}: ${parts.join("; ")}` : sentenceCase(parts.join("; "));
}

function sentenceCase(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function unstatedWords(rows: readonly CoverageRow[]): string {
  const names = rows.length <= 3 ? rows.map((row) => row.connection).join(", ") : `${rows.length} sources`;
  return `${names}: completeness not stated, so quiet is unknown`;
}

function CompleteLine({ rows }: { rows: readonly CoverageRow[] }) {
  const names = rows.map((row) => row.connection).join(", ");
  return (
    <div class="coverage-line" title={`${names}: complete here`}>
      <Bar class="known" from={0} to={rows[0]?.knownShare ?? 1} />
      <span class="coverage-text at-end">
        {rows.length <= 3 ? names : `${rows.length} sources`}: complete
      </span>
    </div>
  );
}

function CoverageLine({ row, text }: { row: CoverageRow; text: string }) {
  const place = useRef<HTMLSpanElement>(null);
  const clear = widestClear(row);
  useLayoutEffect(() => {
    if (place.current === null) return;
    // Words never cover the hatching, unless there is next to no room beside it.
    const roomy = clear.to - clear.from >= 0.2;
    place.current.style.left = roomy ? `calc(${clear.from * 100}% + 4px)` : "4px";
    place.current.style.maxWidth = roomy ? `calc(${(clear.to - clear.from) * 100}% - 8px)` : "60%";
  });
  return (
    <div class="coverage-line">
      <Bar class="known" from={0} to={row.knownShare} />
      {row.unknownShare > 0 && (
        <Bar
          class="unknown"
          from={row.knownShare}
          to={row.knownShare + row.unknownShare}
          words={gapSentences({ ...row, holes: [] }).join(" ")}
        />
      )}
      {row.holes.map((part) => (
        <Bar
          key={part.hole.from}
          class="unknown hole"
          from={part.from}
          to={part.to}
          words={[blindSpanSentence(part.hole, view.value.zone), part.hole.says ?? ""].join(" ")}
        />
      ))}
      <span class="coverage-text" ref={place} title={text}>
        {text}
      </span>
    </div>
  );
}

/** A stretch of the strip, with words for the pointer; everybody else reads them in the list below. */
function Bar({ from, to, words, ...rest }: Stretch & { class: string; words?: string }) {
  const bar = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (bar.current === null) return;
    bar.current.style.left = `${from * 100}%`;
    bar.current.style.width = `max(${(to - from) * 100}%, ${words === undefined ? 0 : holePxMin}px)`;
  });
  return <div {...rest} ref={bar} title={words} />;
}
