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
        {unknown.slice(0, rowsMax).map((row) => (
          <CoverageLine key={row.connection} row={row} />
        ))}
        {complete > 0 && <CompleteLine rows={rows.filter((row) => row.unknownShare === 0)} />}
        {unknown.length > rowsMax && <p class="coverage-more">and {unknown.length - rowsMax} more unknown</p>}
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
  return entry.state === "idle" && entry.complete_to !== null && Date.parse(entry.complete_to) < from;
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

function CoverageLine({ row }: { row: CoverageRow }) {
  const known = useRef<HTMLDivElement>(null);
  const unknown = useRef<HTMLDivElement>(null);
  const { zone } = view.value;
  useLayoutEffect(() => {
    if (known.current !== null) known.current.style.width = `${row.knownShare * 100}%`;
    if (unknown.current !== null) {
      unknown.current.style.left = `${row.knownShare * 100}%`;
      unknown.current.style.width = `${row.unknownShare * 100}%`;
    }
  });
  const from = row.unknownFrom;
  const text =
    from === undefined
      ? undefined
      : row.knownShare === 0
        ? `${row.connection}: unknown, not quiet`
        : `${row.connection}: unknown from ${formatClock(from, zone)} ${zoneName(from, zone)}, not quiet`;
  return (
    <div class="coverage-line" title={text ?? `${row.connection} is complete here`}>
      <div class="known" ref={known} />
      {row.unknownShare > 0 && <div class="unknown" ref={unknown} />}
      {text !== undefined && (
        <span class={`coverage-text${row.knownShare > 0.6 ? " before" : ""}`}>{text}</span>
      )}
    </div>
  );
}
