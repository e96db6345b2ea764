import { computed, effect, signal } from "@preact/signals";
import type { SourcesJson } from "../../api/contract.ts";
import { isAbort, readApi, RequestFailure } from "./client.ts";
import { isProvider } from "./session.ts";
import { coverage, range } from "./timeline-state.ts";
import { namedHoles, namelessHoles, spansWithin, type BlindSpan } from "../timeline/blind-spans.ts";

/** The holes of each connection, and the merged holes that they were asked for. */
const named = signal<{ readonly of: string; readonly holes: readonly BlindSpan[] } | undefined>(undefined);

/** The merged holes as every answer tells them, as one word to compare. */
const told = computed(() => JSON.stringify(coverage.value?.holes ?? []));

/** All known holes: by connection for the provider, once that is known, else merged and without names. */
const holes = computed<readonly BlindSpan[]>(() => {
  const known = named.value;
  if (isProvider.value && known?.of === told.value && known.holes.length > 0) return known.holes;
  return namelessHoles(coverage.value?.holes ?? []);
});

/** The holes that touch the window. */
export const windowHoles = computed<readonly BlindSpan[]>(() => spansWithin(holes.value, range.value));

/** Asks whose the holes are, whenever the window touches any; returns what stops it. */
export function followHoles(): () => void {
  let running: AbortController | undefined;
  const stop = effect(() => {
    const wanted = told.value;
    const touches = spansWithin(namelessHoles(coverage.value?.holes ?? []), range.value).length > 0;
    if (!touches || !isProvider.value || named.peek()?.of === wanted) return;
    running?.abort();
    running = new AbortController();
    void readHoles(wanted, running.signal);
  });
  return () => {
    stop();
    running?.abort();
  };
}

async function readHoles(of: string, stop: AbortSignal): Promise<void> {
  try {
    const { connections } = await readApi<SourcesJson>("sources", stop);
    named.value = { of, holes: namedHoles(connections) };
  } catch (error) {
    // The merged holes are shown all the same; only whose they are stays untold until the next answer.
    if (!isAbort(error) && !(error instanceof RequestFailure)) throw error;
  }
}
