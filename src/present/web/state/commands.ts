import { batch, computed, signal } from "@preact/signals";
import type { SessionJson } from "../../api/contract.ts";
import { announce } from "./announcer.ts";
import { lanes } from "./lanes-state.ts";
import { toggleLive } from "./live-stream.ts";
import { preferredZone } from "./preferences.ts";
import { address, goTo, readRoute } from "./route.ts";
import { hasRight } from "./rights.ts";
import { session } from "./session.ts";
import {
  changeView,
  frozenLink,
  loaded,
  range,
  selectedEvent,
  showRange,
  timelineHref,
  view,
  windowEvents,
} from "./timeline-state.ts";
import { browserZone } from "../time/zone.ts";
import { panBy, stretchTo, zoomAround } from "../timeline/time-scale.ts";

/** The moment under the pointer; where keys act when nothing is selected. */
export const pointerAt = signal<number | undefined>(undefined);
export const helpOpen = signal(false);
/** Raised to bring the selection into view in both renderings. */
export const revealed = signal(0);

function cursorAt(): number | undefined {
  const event = selectedEvent.peek();
  return event === undefined ? pointerAt.peek() : Date.parse(event.occurred_at);
}

function centre(): number {
  const { from, to } = range.peek();
  const cursor = cursorAt();
  return cursor !== undefined && cursor >= from && cursor < to ? cursor : (from + to) / 2;
}

export function zoom(factor: number): void {
  showRange(zoomAround(range.peek(), centre(), factor));
}

export function pan(share: number): void {
  showRange(panBy(range.peek(), share));
}

/** Selects an event; one outside the window stretches the window to it. */
export function selectEvent(id: string, at: number): void {
  batch(() => {
    changeView({ selected: id });
    const { from, to } = range.peek();
    if (at < from || at >= to) showRange(stretchTo({ from, to }, at));
    revealed.value++;
  });
}

export function clearSelection(): void {
  if (view.peek().elseOf !== undefined) changeView({ elseOf: undefined });
  else changeView({ selected: undefined });
}

/** The next event after the selection in order of time, or the one before it. */
export function stepEvent(direction: 1 | -1, only: (severity: string) => boolean = () => true): void {
  const events = windowEvents.peek();
  const current = events.findIndex((event) => event.id === view.peek().selected);
  const start = current === -1 ? (direction === 1 ? -1 : events.length) : current;
  for (let index = start + direction; index >= 0 && index < events.length; index += direction) {
    const event = events[index];
    if (event !== undefined && only(event.severity)) {
      selectEvent(event.id, Date.parse(event.occurred_at));
      return;
    }
  }
  announce(direction === 1 ? "No later event in this window." : "No earlier event in this window.");
}

/** The event nearest in time on the lane above or below. */
export function stepLane(direction: 1 | -1): void {
  const shown = lanes.peek();
  const { from, to } = range.peek();
  const current = shown.findIndex((lane) => lane.items.some((item) => item.id === view.peek().selected));
  const at = cursorAt() ?? from;
  const next = shown[current === -1 ? (direction === 1 ? 0 : shown.length - 1) : current + direction];
  const inside = next?.items.filter((item) => item.at >= from && item.at < to) ?? [];
  const nearest = inside.reduce<(typeof inside)[number] | undefined>(
    (best, item) => (best === undefined || Math.abs(item.at - at) < Math.abs(best.at - at) ? item : best),
    undefined,
  );
  if (nearest === undefined) announce("No further lane.");
  else selectEvent(nearest.id, nearest.at);
}

/** Opens what else changed before the selection; closes it when it is open for just that event. */
export function toggleWhatElse(): void {
  const { selected, elseOf } = view.peek();
  if (selected === undefined) announce("Select an event first, then press E.");
  else changeView({ elseOf: elseOf === selected ? undefined : selected });
}

export async function copyLink(): Promise<void> {
  try {
    await navigator.clipboard.writeText(frozenLink());
    announce("Link copied. Its times are frozen.");
  } catch (error) {
    if (!(error instanceof DOMException) && !(error instanceof TypeError)) throw error;
    announce("This browser does not allow copying. The link is in the address bar.");
  }
}

export function setZone(zone: string): void {
  preferredZone.value = zone;
  changeView({ zone });
  announce(`Times are now in ${zone}.`);
}

export function cycleZone(): void {
  const own = browserZone();
  const zones = [...new Set(["UTC", own, preferredZone.peek()])];
  const next = zones[(zones.indexOf(view.peek().zone) + 1) % zones.length] ?? "UTC";
  setZone(next === view.peek().zone && own === "UTC" ? "UTC" : next);
}

/** The window that holds all loaded events, or everything in scope. */
export function fitWindow(): void {
  const extent = session.peek()?.extent;
  const events = loaded.peek()?.events ?? [];
  const [first, last] = [events[0], events.at(-1)];
  if (first !== undefined && last !== undefined && events.length > 1) {
    const [from, to] = [Date.parse(first.occurred_at), Date.parse(last.occurred_at)];
    const air = Math.max((to - from) * 0.02, 1000);
    showRange({ from: from - air, to: to + air });
  } else if (extent) {
    showRange({ from: Date.parse(extent.first) - 1000, to: Date.parse(extent.last) + 1000 });
  }
}

export function setEdge(edge: "from" | "to"): void {
  const cursor = cursorAt();
  if (cursor === undefined) {
    announce("Select an event or point at a time first.");
    return;
  }
  const { from, to } = range.peek();
  if (edge === "from" && cursor < to) showRange({ from: cursor, to });
  if (edge === "to" && cursor > from) showRange({ from, to: cursor + 1 });
}

interface Command {
  readonly keys: readonly string[];
  readonly says: string;
  readonly run: () => void;
  /** Whether it acts on the timeline only. */
  readonly onTimeline: boolean;
  /** What a session must be allowed for it to be there at all. */
  readonly right?: SessionJson["permissions"][number];
}

const isCritical = (severity: string) => severity === "critical";

const commands: readonly Command[] = [
  { keys: ["w", "+", "="], says: "Zoom in", run: () => zoom(0.6), onTimeline: true },
  { keys: ["s", "-"], says: "Zoom out", run: () => zoom(1 / 0.6), onTimeline: true },
  { keys: ["a"], says: "Pan to earlier", run: () => pan(-0.2), onTimeline: true },
  { keys: ["d"], says: "Pan to later", run: () => pan(0.2), onTimeline: true },
  { keys: ["ArrowLeft"], says: "Previous event", run: () => stepEvent(-1), onTimeline: true },
  { keys: ["ArrowRight"], says: "Next event", run: () => stepEvent(1), onTimeline: true },
  { keys: ["ArrowUp"], says: "Lane above", run: () => stepLane(-1), onTimeline: true },
  { keys: ["ArrowDown"], says: "Lane below", run: () => stepLane(1), onTimeline: true },
  { keys: [","], says: "Previous critical event", run: () => stepEvent(-1, isCritical), onTimeline: true },
  { keys: ["."], says: "Next critical event", run: () => stepEvent(1, isCritical), onTimeline: true },
  { keys: ["["], says: "Window starts at the cursor", run: () => setEdge("from"), onTimeline: true },
  { keys: ["]"], says: "Window ends at the cursor", run: () => setEdge("to"), onTimeline: true },
  { keys: ["Enter"], says: "Go to the inspector", run: focusInspector, onTimeline: true },
  {
    keys: ["Escape"],
    says: "Close what is open, then clear the selection",
    run: clearSelection,
    onTimeline: true,
  },
  { keys: ["e"], says: "What else changed before this?", run: toggleWhatElse, onTimeline: true },
  { keys: ["y"], says: "Copy a link with frozen times", run: () => void copyLink(), onTimeline: true },
  { keys: ["l"], says: "Live; again: catch up, or stop", run: toggleLive, onTimeline: true },
  { keys: ["t"], says: "Next time zone", run: cycleZone, onTimeline: true },
  { keys: ["0"], says: "Fit everything", run: fitWindow, onTimeline: true },
  { keys: ["/"], says: "Search", run: focusSearch, onTimeline: true },
  { keys: ["?"], says: "This sheet", run: () => void (helpOpen.value = !helpOpen.peek()), onTimeline: false },
  { keys: ["g t"], says: "Go to the timeline", run: () => goTo(timelineHref()), onTimeline: false },
  goes("g s", "Go to the sources", "/sources", "read-workbench"),
  goes("g n", "Go to the notices", "/notices", "read-workbench"),
  goes("g q", "Go to the quarantine", "/quarantine", "read-workbench"),
  goes("g a", "Go to the audit", "/audit", "read-audit"),
];

function goes(keys: string, says: string, path: string, right: NonNullable<Command["right"]>): Command {
  return { keys: [keys], says, run: () => goTo(path), onTimeline: false, right };
}

/** The commands that there are for whoever is signed in. */
export const ownCommands = computed(() =>
  commands.filter(({ right }) => right === undefined || hasRight(session.value, right)),
);

function focusInspector(): void {
  document.getElementById("inspector")?.focus();
}

function focusSearch(): void {
  document.getElementById("search")?.focus();
}

/** Runs the command of a key; false when there is none here. */
export function runKey(key: string): boolean {
  const command = ownCommands.peek().find((candidate) => candidate.keys.includes(key));
  if (command === undefined) return false;
  if (command.onTimeline && readRoute(address.peek().path).page !== "timeline") return false;
  command.run();
  return true;
}
