import { windowHoles } from "../state/holes-state.ts";
import { isProvider, session } from "../state/session.ts";
import {
  changeView,
  coverage,
  failure,
  loaded,
  now,
  range,
  settled,
  unfilteredTotal,
  view,
} from "../state/timeline-state.ts";
import { activeFilters, clearFilter } from "../state/view.ts";
import { formatLength } from "../time/length.ts";
import { formatMoment } from "../time/zone.ts";
import { incompleteWords } from "../timeline/blind-spans.ts";
import { behindAt } from "../timeline/coverage.ts";
import { Link } from "./link.tsx";

const filterWords = {
  text: "search",
  kinds: "kinds",
  categories: "category",
  severity: "severity",
  tenant: "tenant",
  project: "project",
  customer: "customer",
  resource: "resource",
  source: "source",
} as const;

/** An empty window says which of the five emptinesses it is. */
export function EmptyState() {
  if (loaded.value === undefined && failure.value === undefined) {
    return (
      <div class="empty skeleton" aria-busy="true">
        <span class="visually-hidden">Loading</span>
      </div>
    );
  }
  if (!settled.value || failure.value !== undefined) return null;
  const filters = activeFilters(view.value);
  const without = unfilteredTotal.value ?? 0;
  if (filters.length > 0 && without > 0) {
    return (
      <div class="empty" role="status">
        <p>
          <strong>No events match.</strong> {without.toLocaleString("en")} without the filter.
        </p>
        {windowHoles.value.length > 0 && (
          <p>Some may be missing: {incompleteWords(windowHoles.value, range.value, view.value.zone)}.</p>
        )}
        <p class="empty-actions">
          {filters.map((name) => (
            <button
              key={name}
              type="button"
              class="control"
              onClick={() => changeView(clearFilter(view.peek(), name))}
            >
              Clear {filterWords[name]}
            </button>
          ))}
        </p>
      </div>
    );
  }
  return (
    <div class="empty" role="status">
      <Reason />
      <OutsideExtent />
    </div>
  );
}

function Reason() {
  const known = coverage.value;
  const { zone } = view.value;
  const present = Math.max(now.value, Date.now());
  const end = Math.min(range.value.to, present);
  const connections = known?.connections ?? [];
  if (windowHoles.value.length > 0) return <Blind />;
  if (session.value?.kind === "tenant") return <NothingOfYours end={end} />;
  const behind = behindAt(connections, end, present);
  const worst = behind[0];
  if (worst === undefined) {
    const to = known?.complete_to ?? null;
    return (
      <p>
        <strong>Nothing happened.</strong> {connections.length} of {connections.length} sources complete
        {to === null ? "" : ` to ${formatMoment(Date.parse(to), zone)}`}.
      </p>
    );
  }
  const since = worst.complete_to === null ? undefined : Date.parse(worst.complete_to);
  return (
    <p>
      <strong>
        Unknown{since === undefined || since < range.value.from ? "" : ` from ${formatMoment(since, zone)}`}.
      </strong>{" "}
      {worst.connection}{" "}
      {since === undefined
        ? "has never been complete"
        : `is complete only to ${formatMoment(since, zone)}, ${formatLength(end - since)} before this window’s end`}
      {behind.length > 1 ? `, and ${behind.length - 1} more are behind` : ""}.{" "}
      <Link href="/sources">Open sources</Link>
    </p>
  );
}

/** We could not see: not the same as that nothing happened. */
function Blind() {
  const { zone } = view.value;
  const words = incompleteWords(windowHoles.value, range.value, zone);
  return (
    <p>
      <strong>No events are known here, but some may be missing.</strong> We were blind: {words}.{" "}
      {isProvider.value && <Link href="/sources">Open sources</Link>}
    </p>
  );
}

function NothingOfYours({ end }: { end: number }) {
  const reached = coverage.value?.complete_to ?? null;
  const short = reached !== null && Date.parse(reached) < end;
  return (
    <p>
      <strong>
        {reached === null || short
          ? "Nothing of yours is known here yet."
          : "Nothing of yours happened here."}
      </strong>{" "}
      {short && `Complete to ${formatMoment(Date.parse(reached), view.value.zone)} only. `}
      Events outside your projects are not shown.
    </p>
  );
}

function OutsideExtent() {
  const extent = session.value?.extent;
  if (!extent) return null;
  const [first, last] = [Date.parse(extent.first), Date.parse(extent.last)];
  const { from, to } = range.value;
  if (to > first && from <= last) return null;
  const earlier = to <= first;
  const at = earlier ? first : last;
  const span = Math.min(to - from, 3_600_000);
  return (
    <p class="empty-actions">
      <span>
        {earlier ? "The first event is at" : "The last event is at"} {formatMoment(at, view.value.zone)}.
      </span>
      <button
        type="button"
        class="control"
        onClick={() =>
          changeView({
            from: { kind: "absolute", ms: at - Math.round(span * (earlier ? 0.1 : 0.9)) },
            to: { kind: "absolute", ms: at + Math.round(span * (earlier ? 0.9 : 0.1)) },
            live: false,
          })
        }
      >
        Go there
      </button>
    </p>
  );
}
