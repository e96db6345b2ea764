import { useEffect, useState } from "preact/hooks";
import {
  categories,
  eventKinds,
  severities,
  type Category,
  type EventKind,
  type Severity,
} from "../../../model/event.ts";
import type { TenantJson } from "../../api/contract.ts";
import { sentenceCase } from "../state/grouping.ts";
import { isProvider, session } from "../state/session.ts";
import { changeView, view } from "../state/timeline-state.ts";
import { activeFilters, clearFilter, groupings, laneOrders, type Grouping } from "../state/view.ts";
import type { LaneOrder } from "../timeline/lane-item.ts";
import { Glyph, kindWords } from "./glyph.tsx";
import { Pick } from "./pick.tsx";

const orderWords: Readonly<Record<LaneOrder, string>> = {
  "first-symptom": "First symptom",
  count: "Count",
  name: "Name",
};

/** What is shown and how it is laid out. The kind buttons are the legend, too. */
export function FilterBar() {
  const current = view.value;
  const filters = activeFilters(current);
  const [open, setOpen] = useState(false);
  return (
    <div class={`filter-bar${open ? " open" : ""}`} role="group" aria-label="Filters and lanes">
      <button
        type="button"
        class="control filters-toggle"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {filters.length > 0 ? `Filters and lanes (${filters.length})` : "Filters and lanes"}
      </button>
      <KindChips />
      <SearchField />
      <Pick
        label="Severity"
        value={current.severity ?? ""}
        marked={current.severity !== undefined}
        onPick={(value) => changeView({ severity: value === "" ? undefined : (value as Severity) })}
      >
        <option value="">any</option>
        {severities.slice(1).map((severity) => (
          <option key={severity} value={severity}>
            {severity === "critical" ? "critical" : `${severity} and above`}
          </option>
        ))}
      </Pick>
      {isProvider.value && <TenantPick tenants={session.value?.tenants ?? []} />}
      <Pick
        label="Category"
        value={current.categories[0] ?? ""}
        marked={current.categories.length > 0}
        onPick={(value) => changeView({ categories: value === "" ? [] : [value as Category] })}
      >
        <option value="">all</option>
        {categories.map((category) => (
          <option key={category} value={category}>
            {category}
          </option>
        ))}
      </Pick>
      <LanePicks />
      {(current.resource ?? current.source) !== undefined && (
        <span class="filter-fixed">{current.resource ?? current.source}</span>
      )}
      {filters.length > 0 && (
        <button
          type="button"
          class="control quiet"
          onClick={() => changeView(filters.reduce((left, name) => clearFilter(left, name), view.peek()))}
        >
          Clear filters
        </button>
      )}
    </div>
  );
}

function LanePicks() {
  const current = view.value;
  return (
    <>
      <Pick
        label="Lanes by"
        value={current.group}
        onPick={(value) => changeView({ group: value as Grouping })}
      >
        {groupings
          .filter(
            (group) => isProvider.value || (group !== "source" && group !== "tenant" && group !== "host"),
          )
          .map((group) => (
            <option key={group} value={group}>
              {sentenceCase(group)}
            </option>
          ))}
      </Pick>
      <Pick
        label="Sorted by"
        value={current.order}
        onPick={(value) => changeView({ order: value as LaneOrder })}
      >
        {laneOrders.map((order) => (
          <option key={order} value={order}>
            {orderWords[order]}
          </option>
        ))}
      </Pick>
    </>
  );
}

function KindChips() {
  const chosen = view.value.kinds;
  const toggle = (kind: EventKind) => {
    const next = chosen.includes(kind) ? chosen.filter((other) => other !== kind) : [...chosen, kind];
    changeView({
      kinds: next.length === eventKinds.length ? [] : eventKinds.filter((other) => next.includes(other)),
    });
  };
  return (
    <div class="chips" role="group" aria-label="Kinds of event">
      {eventKinds.map((kind) => (
        <button
          key={kind}
          type="button"
          class={`chip${chosen.length > 0 && !chosen.includes(kind) ? " off" : ""}`}
          aria-pressed={chosen.includes(kind)}
          onClick={() => toggle(kind)}
        >
          <Glyph kind={kind} />
          {kindWords[kind]}
        </button>
      ))}
    </div>
  );
}

const typingMs = 250;

function SearchField() {
  const [text, setText] = useState(view.value.text);
  const shown = view.value.text;
  useEffect(() => setText(shown), [shown]);
  useEffect(() => {
    if (text === view.peek().text) return undefined;
    const timer = setTimeout(() => changeView({ text: text.slice(0, 200) }), typingMs);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <label class="search">
      <span class="visually-hidden">Search in summaries, names and ids</span>
      <input
        id="search"
        type="search"
        placeholder="Search text, names, ids"
        maxLength={200}
        value={text}
        spellcheck={false}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}

function TenantPick({ tenants }: { tenants: readonly TenantJson[] }) {
  const { tenant, project } = view.value;
  const domains = new Map<string, string>();
  for (const known of tenants) {
    if (known.domain_id !== undefined) domains.set(known.domain_id, known.domain_name ?? known.domain_id);
  }
  const value = project !== undefined ? `p:${project}` : tenant !== undefined ? `d:${tenant}` : "";
  return (
    <Pick
      label="Tenant"
      value={value}
      marked={value !== ""}
      onPick={(picked) =>
        changeView({
          tenant: picked.startsWith("d:") ? picked.slice(2) : undefined,
          project: picked.startsWith("p:") ? picked.slice(2) : undefined,
        })
      }
    >
      <option value="">all</option>
      {[...domains]
        .toSorted((a, b) => a[1].localeCompare(b[1]))
        .map(([id, name]) => (
          <optgroup key={id} label={name}>
            <option value={`d:${id}`}>{name}</option>
            {tenants
              .filter((known) => known.domain_id === id && known.project_id !== undefined)
              .map((known) => (
                <option key={known.project_id} value={`p:${known.project_id}`}>
                  {name} / {known.project_name ?? known.project_id}
                </option>
              ))}
          </optgroup>
        ))}
    </Pick>
  );
}
