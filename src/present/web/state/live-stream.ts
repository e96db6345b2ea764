import { batch, effect, signal } from "@preact/signals";
import type { EventJson } from "../../api/contract.ts";
import { dropEvents, mergeEvents, noteLost, noteSeen } from "./event-loader.ts";
import { dropCandidates } from "./lanes-state.ts";
import { settle, type LiveMessage } from "./live-message.ts";
import { StreamConnection, streamConnected } from "./stream-connection.ts";
import { changeView, loaded, now, range, refreshCounts, view } from "./timeline-state.ts";
import { filterQuery } from "./view.ts";

/** Events that came in while the window stood still. */
export const waitingCount = signal(0);
/** Late arrivals and new ones, outlined for a while: event id → how late in milliseconds (0 for on time). */
export const freshIds = signal<ReadonlyMap<string, number>>(new Map());
/** A sentence for screen readers, at most every ten seconds. */
export const liveSummary = signal("");
/** Set while the pointer is over the lanes: the ground must not move under it. */
export const pointerInside = signal(false);

const flushMs = 250;
const freshMs = 10_000;
const lateMs = 60_000;
const countsMs = 10_000;
const summaryMs = 10_000;

/** Whether the right edge may move with the present. */
function mayFollow(): boolean {
  return view.peek().selected === undefined && !pointerInside.peek();
}

/** Turns live mode on, or catches up, or turns it off. */
export function toggleLive(): void {
  if (view.peek().live && waitingCount.peek() > 0) {
    catchUp();
    return;
  }
  if (view.peek().live) {
    changeView({ live: false });
    return;
  }
  const { from, to } = range.peek();
  batch(() => {
    now.value = Date.now();
    changeView({
      live: true,
      from: { kind: "relative", ms: -Math.round(to - from) },
      to: { kind: "relative", ms: 0 },
      selected: undefined,
      elseOf: undefined,
    });
  });
}

export function catchUp(): void {
  batch(() => {
    waitingCount.value = 0;
    now.value = Date.now();
    changeView({ selected: undefined, elseOf: undefined });
  });
}

/** Keeps a stream open while live mode is on; returns what stops it. */
export function followLive(): () => void {
  let close: (() => void) | undefined;
  let key: string | undefined;
  const stop = effect(() => {
    const wanted = view.value.live ? filterQuery(view.value).toString() : undefined;
    if (wanted === key) return;
    close?.();
    close = wanted === undefined ? undefined : openStream(wanted);
    key = wanted;
  });
  return () => {
    stop();
    close?.();
  };
}

function openStream(filter: string): () => void {
  let buffer: LiveMessage[] = [];
  let unsaid: EventJson[] = [];
  let lastSaidAt = 0;
  const connection = new StreamConnection(filter, (message) => void buffer.push(message));
  const timer = setInterval(() => {
    const { arrived, lost } = settle(buffer);
    buffer = [];
    unsaid = unsaid.filter(({ id }) => !lost.has(id));
    unsaid.push(...arrived);
    takeBack(lost);
    takeIn(arrived);
    if (unsaid.length > 0 && Date.now() - lastSaidAt >= summaryMs) {
      liveSummary.value = summarise(unsaid);
      unsaid = [];
      lastSaidAt = Date.now();
    }
  }, flushMs);
  const counting = setInterval(() => void refreshCounts(), countsMs);
  return () => {
    clearInterval(timer);
    clearInterval(counting);
    connection.close();
    batch(() => {
      streamConnected.value = false;
      waitingCount.value = 0;
    });
  };
}

/** Removes from the scene what is no longer this reader's to see, and closes what is open of it. */
function takeBack(lost: ReadonlySet<string>): void {
  if (lost.size === 0) return;
  noteLost(lost);
  batch(() => {
    const known = loaded.peek();
    if (known !== undefined) loaded.value = { ...known, events: dropEvents(known.events, lost) };
    dropCandidates(lost);
    const { selected, elseOf } = view.peek();
    if (selected !== undefined && lost.has(selected)) changeView({ selected: undefined });
    if (elseOf !== undefined && lost.has(elseOf)) changeView({ elseOf: undefined });
  });
}

function takeIn(arrived: readonly EventJson[]): void {
  noteSeen(arrived);

  batch(() => {
    const at = Date.now();
    if (arrived.length > 0 && loaded.peek() !== undefined) {
      const known = loaded.peek();
      if (known !== undefined) {
        // A stream may run for days: what lies more than a window back is read again when it is wanted.
        const from = Math.max(known.from, 2 * range.peek().from - range.peek().to);
        const events = mergeEvents(known.events, arrived).filter(
          (event) => Date.parse(event.occurred_at) >= from,
        );
        loaded.value = { ...known, from, events, to: Math.max(known.to, at) };
      }
      markFresh(arrived);
    } else if (streamConnected.peek() && loaded.peek() !== undefined) {
      const known = loaded.peek();
      if (known !== undefined && known.to < at) loaded.value = { ...known, to: at };
    }
    if (mayFollow()) {
      waitingCount.value = 0;
      now.value = at;
    } else {
      waitingCount.value += arrived.filter(
        (event) => Date.parse(event.occurred_at) >= range.peek().to,
      ).length;
    }
  });
}

function markFresh(arrived: readonly EventJson[]): void {
  const marked = new Map(freshIds.peek());
  for (const event of arrived) {
    const late = Date.parse(event.recorded_at) - Date.parse(event.occurred_at);
    marked.set(event.id, late >= lateMs ? late : 0);
  }
  freshIds.value = marked;
  const ids = arrived.map((event) => event.id);
  setTimeout(() => {
    const left = new Map(freshIds.peek());
    for (const id of ids) left.delete(id);
    freshIds.value = left;
  }, freshMs);
}

export function summarise(arrived: readonly EventJson[]): string {
  const critical = arrived.filter((event) => event.severity === "critical").length;
  const word = arrived.length === 1 ? "event" : "events";
  return critical === 0
    ? `${arrived.length} new ${word}`
    : `${arrived.length} new ${word}, ${critical} critical`;
}
