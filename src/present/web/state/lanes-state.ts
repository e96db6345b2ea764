import { computed, signal } from "@preact/signals";
import { nameEntity } from "./entity-names.ts";
import { windowHoles } from "./holes-state.ts";
import { tenantNames } from "./session.ts";
import { coverage, loaded, range, selectedEvent, view } from "./timeline-state.ts";
import { laneItem, laneOf } from "./grouping.ts";
import type { CandidateJson, WhatElseJson } from "../../api/what-else-contract.ts";
import { holesOfLane, unknownFrom } from "../timeline/coverage.ts";
import type { Lane } from "../timeline/lane-item.ts";
import { groupIntoLanes, type GroupedItem } from "../timeline/lane-order.ts";

/** The answer that is open in the inspector, and the event that it was asked for. */
export const whatElse = signal<{ readonly of: string; readonly answer: WhatElseJson } | undefined>(undefined);

/** Leaves events that were taken back out of an answer that is open. */
export function dropCandidates(lost: ReadonlySet<string>): void {
  const shown = whatElse.peek();
  if (shown === undefined) return;
  const candidates = shown.answer.candidates.filter(({ event }) => !lost.has(event.id));
  if (candidates.length === shown.answer.candidates.length) return;
  whatElse.value = { ...shown, answer: { ...shown.answer, candidates } };
}

/** Ranks of the shown candidates by event id. */
export const candidateRanks = computed<ReadonlyMap<string, number>>(() => {
  const shown = whatElse.value;
  if (shown === undefined || shown.of !== view.value.elseOf) return new Map();
  return new Map(
    shown.answer.candidates.map((candidate: CandidateJson) => [candidate.event.id, candidate.rank]),
  );
});

/** Events that are always drawn by themselves: the selection and what was ranked. */
export const keptIds = computed<ReadonlySet<string>>(() => {
  const kept = new Set(candidateRanks.value.keys());
  if (view.value.selected !== undefined) kept.add(view.value.selected);
  if (view.value.elseOf !== undefined) kept.add(view.value.elseOf);
  return kept;
});

const grouped = computed<GroupedItem[]>(() => {
  const { group } = view.value;
  const names = tenantNames.value;
  return (loaded.value?.events ?? []).map((event) => ({
    item: laneItem(event),
    lane: laneOf(event, group, names, nameEntity),
  }));
});

/** The lanes of everything loaded, so that they keep their places while the window moves a little. */
const allLanes = computed<Lane[]>(() => groupIntoLanes(grouped.value, view.value.order));

/** Lanes with anything in the window; each with its holes and the moment from which it is unknown. */
export const lanes = computed<Lane[]>(() => {
  const { from, to } = range.value;
  const completeTo = new Map(
    (coverage.value?.connections ?? []).map((entry) => [
      entry.connection,
      entry.complete_to === null ? undefined : Date.parse(entry.complete_to),
    ]),
  );
  return allLanes.value
    .filter((lane) => lane.items.some((item) => item.at >= from && item.at < to))
    .map((lane) => {
      const feeding = new Set(lane.items.map((item) => item.connection).filter((name) => name !== undefined));
      const unknown = feeding.size === 0 ? undefined : unknownFrom(feeding, completeTo);
      const holes = holesOfLane(feeding, windowHoles.value);
      if (unknown === undefined && holes.length === 0) return lane;
      return { ...lane, holes, ...(unknown === undefined ? {} : { unknownFrom: unknown }) };
    });
});

export const selectedItem = computed(() => {
  const event = selectedEvent.value;
  return event === undefined ? undefined : laneItem(event);
});
