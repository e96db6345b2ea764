import { session } from "../state/session.ts";
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
import { Link } from "./link.tsx";

const filterWords = {
  text: "search",
  kinds: "kinds",
  categories: "category",
  severity: "severity",
  tenant: "tenant",
  project: "project",
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
  const end = Math.min(range.value.to, Math.max(now.value, Date.now()));
  const connections = known?.connections ?? [];
  const behind = connections.filter(
    (entry) => entry.complete_to === null || Date.parse(entry.complete_to) < end,
  );
  const tenant = session.value?.kind === "tenant";
  if (tenant) {
    return (
      <p>
        <strong>Nothing of yours happened here.</strong> Events outside your projects are not shown.
      </p>
    );
  }
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
