import { useEffect, useState } from "preact/hooks";
import {
  categories,
  eventKinds,
  severities,
  type Category,
  type EventKind,
  type Severity,
} from "../../../model/event.ts";
import { sentenceCase, shortId } from "../state/grouping.ts";
import { isProvider, session, tenantNames } from "../state/session.ts";
import { changeView, view } from "../state/timeline-state.ts";
import { activeFilters, clearFilter, groupings, laneOrders, type Grouping } from "../state/view.ts";
import type { LaneOrder } from "../timeline/lane-item.ts";
import { Glyph, kindWords } from "./glyph.tsx";
import { tenantWords } from "./ownership.tsx";
import { Pick } from "./pick.tsx";
import { TenantPick } from "./tenant-pick.tsx";

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
      {isProvider.value && <TenantFilter />}
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

/** What a tenant's own events do not tell apart. */
const providerGroupings: readonly Grouping[] = ["customer", "tenant", "host", "source"];

function LanePicks() {
  const current = view.value;
  const hasCustomers = current.group === "customer" || (session.value?.customers.length ?? 0) > 0;
  return (
    <>
      <Pick
        label="Lanes by"
        value={current.group}
        onPick={(value) => changeView({ group: value as Grouping })}
      >
        {groupings
          .filter((group) => isProvider.value || !providerGroupings.includes(group))
          .filter((group) => group !== "customer" || hasCustomers)
          .map((group) => (
            <option key={group} value={group}>
              {group === "tenant" ? "Domain" : sentenceCase(group)}
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

/** The tree of customers and tenants as a filter; one choice at a time. */
function TenantFilter() {
  const { tenant, project, customer } = view.value;
  const chosen = customer ?? project ?? tenant;
  return (
    <TenantPick
      label="Tenant"
      words={chosen === undefined ? "all" : choiceWords()}
      chosen={
        chosen === undefined
          ? undefined
          : customer !== undefined
            ? { kind: "customer", id: customer }
            : {
                kind: project === undefined ? "domain" : "project",
                id: chosen,
                controlPlane: planeOf(chosen),
              }
      }
      withCustomers
      none="All tenants"
      onPick={(choice) =>
        changeView({
          customer: choice?.kind === "customer" ? choice.id : undefined,
          tenant: choice?.kind === "domain" ? choice.id : undefined,
          project: choice?.kind === "project" ? choice.id : undefined,
        })
      }
    />
  );
}

function choiceWords(): string {
  const { tenant, project, customer } = view.value;
  if (customer !== undefined) {
    const known = session.value?.customers.find((each) => each.customer_id === customer);
    return known?.customer_name ?? customer;
  }
  if (project === undefined) return tenantNames.value.domains.get(tenant ?? "") ?? shortId(tenant ?? "");
  const found = session.value?.tenants.find((each) => each.project_id === project);
  return found === undefined ? shortId(project) : tenantWords(found);
}

/** The filter itself knows no control plane; the first that has the id marks it in the tree. */
function planeOf(id: string): string {
  const known = session.value?.tenants.find((each) => each.project_id === id || each.domain_id === id);
  return known?.control_plane ?? "";
}
