import { useEffect, useRef } from "preact/hooks";
import { followHoles } from "../state/holes-state.ts";
import { followLive, liveSummary } from "../state/live-stream.ts";
import { followPalette } from "../state/scene-state.ts";
import {
  failure,
  followAddress,
  followSelection,
  followWindow,
  reload,
  view,
  windowEvents,
} from "../state/timeline-state.ts";
import { AxisRow } from "../ui/axis-row.tsx";
import { CoverageStrip } from "../ui/coverage-strip.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorNotice } from "../ui/error-notice.tsx";
import { EventTable } from "../ui/event-table.tsx";
import { FilterBar } from "../ui/filter-bar.tsx";
import { Inspector } from "../ui/inspector.tsx";
import { LanesPanel } from "../ui/lanes-panel.tsx";
import { OverviewPanel } from "../ui/overview-panel.tsx";
import { WindowBar } from "../ui/window-bar.tsx";

/** The operator's timeline; a tenant sees the same page with its own events. */
export function TimelinePage() {
  const root = useRef<HTMLElement>(null);
  useEffect(() => {
    document.title = "Timeline · Isochron";
    const stops = [followAddress(), followWindow(), followSelection(), followLive(), followHoles()];
    if (root.current !== null) stops.push(followPalette(root.current));
    return () => {
      for (const stop of stops) stop();
    };
  }, []);
  const broken = failure.value;
  return (
    <main class="timeline" ref={root}>
      <h1 class="visually-hidden">Timeline</h1>
      <div class="tools">
        <WindowBar />
        <FilterBar />
      </div>
      <div class="timeline-body">
        <div class="ground">
          {broken !== undefined && (
            <ErrorNotice
              failure={broken.failure}
              since={broken.since}
              zone={view.value.zone}
              retry={reload}
            />
          )}
          <section
            class={`panel lanes-and-axis${broken === undefined ? "" : " dimmed"}`}
            aria-label="Overview and lanes"
          >
            <OverviewPanel />
            <AxisRow />
            {windowEvents.value.length === 0 ? <EmptyState /> : null}
            <LanesPanel />
            <CoverageStrip />
          </section>
          <EventTable />
        </div>
        <Inspector />
      </div>
      <div class="visually-hidden" aria-live="polite">
        {liveSummary.value}
      </div>
    </main>
  );
}
