import { useLayoutEffect, useRef } from "preact/hooks";
import { coverage, now, range, view } from "../state/timeline-state.ts";
import { formatClock, formatMoment, zoneName } from "../time/zone.ts";
import { coverageRows, type CoverageRow } from "../timeline/coverage.ts";

const rowsMax = 4;

/** How far each connection is complete. What nobody vouches for is hatched: unknown, not quiet. */
export function CoverageStrip() {
  const known = coverage.value;
  if (known === undefined) return null;
  const connections =
    known.connections.length > 0
      ? known.connections
      : [{ connection: "all sources", state: "", complete_to: known.complete_to }];
  const finished = connections.filter((entry) => endsBefore(entry, range.value.from));
  const rows = coverageRows(
    connections
      .filter((entry) => !finished.includes(entry))
      .map((entry) => ({
        connection: entry.connection,
        state: entry.state,
        ...(entry.complete_to === null ? {} : { completeTo: Date.parse(entry.complete_to) }),
      })),
    range.value,
    Math.max(now.value, Date.now()),
  );
  const unknown = rows.filter((row) => row.unknownShare > 0);
  const behind = unknown.filter((row) => row.stated);
  const unstated = unknown.filter((row) => !row.stated);
  const complete = rows.length - unknown.length;
  return (
    <div class="row coverage" role="group" aria-label={sentence(rows, unknown)}>
      <div class="gutter">
        <strong>Coverage</strong>
        <span>
          {complete} of {rows.length} complete
        </span>
      </div>
      <div class="coverage-plot">
        {behind.slice(0, rowsMax).map((row) => (
          <CoverageLine key={row.connection} row={row} text={unknownWords(row)} />
        ))}
        {unstated[0] !== undefined && <CoverageLine row={unstated[0]} text={unstatedWords(unstated)} />}
        {complete > 0 && <CompleteLine rows={rows.filter((row) => row.unknownShare === 0)} />}
        {behind.length > rowsMax && <p class="coverage-more">and {behind.length - rowsMax} more unknown</p>}
        {finished.length > 0 && (
          <p class="coverage-more">
            {finished.map((entry) => entry.connection).join(", ")} {finished.length === 1 ? "ends" : "end"}{" "}
            before this window
          </p>
        )}
      </div>
    </div>
  );
}

/** A recording that was read to its end has nothing to say about later times, and is not expected to. */
function endsBefore(entry: { state: string; complete_to: string | null }, from: number): boolean {
  return (
    (entry.state === "idle" || entry.state === "finished") &&
    entry.complete_to !== null &&
    Date.parse(entry.complete_to) < from
  );
}

function sentence(rows: readonly CoverageRow[], unknown: readonly CoverageRow[]): string {
  const { zone } = view.value;
  const complete = `${rows.length - unknown.length} of ${rows.length} sources are complete in this window`;
  if (unknown.length === 0) return `Coverage: ${complete}.`;
  const words = unknown
    .slice(0, rowsMax)
    .map(
      (row) => `${row.connection} is unknown from ${formatMoment(row.unknownFrom ?? range.value.from, zone)}`,
    );
  return `Coverage: ${complete}. ${words.join("; ")}.`;
}

function CompleteLine({ rows }: { rows: readonly CoverageRow[] }) {
  const known = useRef<HTMLDivElement>(null);
  const share = rows[0]?.knownShare ?? 1;
  useLayoutEffect(() => {
    if (known.current !== null) known.current.style.width = `${share * 100}%`;
  });
  const names = rows.map((row) => row.connection).join(", ");
  return (
    <div class="coverage-line" title={`${names}: complete here`}>
      <div class="known" ref={known} />
      <span class="coverage-text">{rows.length <= 3 ? names : `${rows.length} sources`}: complete</span>
    </div>
  );
}

function unknownWords(row: CoverageRow): string {
  const { zone } = view.value;
  return row.unknownFrom === undefined || row.knownShare === 0
    ? `${row.connection}: unknown, not quiet`
    : `${row.connection}: unknown from ${formatClock(row.unknownFrom, zone)} ${zoneName(row.unknownFrom, zone)}, not quiet`;
}

function unstatedWords(rows: readonly CoverageRow[]): string {
  const names = rows.length <= 3 ? rows.map((row) => row.connection).join(", ") : `${rows.length} sources`;
  return `${names}: completeness not stated, so quiet is unknown`;
}

function CoverageLine({ row, text }: { row: CoverageRow; text: string }) {
  const known = useRef<HTMLDivElement>(null);
  const unknown = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (known.current !== null) known.current.style.width = `${row.knownShare * 100}%`;
    if (unknown.current !== null) {
      unknown.current.style.left = `${row.knownShare * 100}%`;
      unknown.current.style.width = `${row.unknownShare * 100}%`;
    }
  });
  return (
    <div class="coverage-line" title={text}>
      <div class="known" ref={known} />
      <div class="unknown" ref={unknown} />
      <span class={`coverage-text${row.knownShare > 0.35 ? " over-known" : ""}`}>{text}</span>
    </div>
  );
}
