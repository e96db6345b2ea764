import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config.ts";
import { readMark } from "../../src/correlate/operation-mark.ts";
import { countLengths, noLengths, type LengthHistory } from "../../src/correlate/operation-length.ts";
import type { Operation, OperationStep } from "../../src/correlate/operation-shape.ts";
import { lengthsOf, rebuildOperations, withParts } from "../../src/correlate/operation.ts";
import { createLog } from "../../src/log.ts";
import { openIsochron } from "../../src/main.ts";
import type { StoredEvent } from "../../src/model/event.ts";
import { instant } from "../../src/model/instant.ts";
import { readEvents } from "../stored-events.ts";
import type { Answer } from "./answer.ts";

/** How often the recording is looked at while it is played once more, as the job does that waits for ends. */
const tickMs = 30_000;

/** The recording as the product stores it: every event by the ids of its messages, and of other sources by their own. */
export async function storeRecording(dir: string, withInventory: boolean): Promise<readonly StoredEvent[]> {
  const folder = await mkdtemp(join(tmpdir(), "isochron-bench-"));
  const configFile = join(folder, "isochron.yaml");
  const notifications = {
    name: "openstack-notifications",
    source: "openstack-notifications",
    storm_threshold: 0,
    config: { url: "env:UNUSED" },
  };
  await writeFile(configFile, JSON.stringify({ connections: [notifications] }));
  const config = loadConfig({
    env: {},
    flags: { config: configFile, data: join(folder, "data"), log_level: "error" },
  });
  const log = createLog({ level: "error", format: "json", colour: false });
  const isochron = await openIsochron(config, log, { version: "bench" });
  try {
    await isochron.importFile({
      source: "openstack-notifications",
      connection: "openstack-notifications",
      controlPlane: "default",
      path: join(dir, "notifications.jsonl.gz"),
    });
    if (withInventory && existsSync(join(dir, "rest")))
      await isochron.harvestOnce("openstack-inventory", { recorded: join(dir, "rest") });
    const events = await readEvents(isochron, ["openstack-notifications", "openstack-inventory"]);
    return [...new Map([...events.values()].map((event) => [event.id, event])).values()];
  } finally {
    await isochron.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Operations as they stood at each look, and what was waited for in vain by then. */
export interface Played {
  readonly last: readonly Operation[];
  /** When each operation was first told to be stuck. */
  readonly stuckAt: ReadonlyMap<string, number>;
  /** The operations as of a moment, by what had been heard until then. */
  readonly at: (moment: number) => readonly Operation[];
}

/** Plays the events in the order of their times and learns lengths from what was over at each look. */
export function play(events: readonly StoredEvent[], endsAt: number): Played {
  // An instance action is dated by its beginning; that it is over was to be heard at its end.
  const heardAt = new Map(events.map((event) => [event.id, readMark(event)?.at ?? event.occurredAt]));
  const sorted = events.toSorted((left, right) => heardAt.get(left.id)! - heardAt.get(right.id)!);
  const heard = sorted.filter(({ id }) => heardAt.get(id)! <= endsAt);
  const stuckAt = new Map<string, number>();
  let lengths: LengthHistory = noLengths;
  const known: { at: number; lengths: LengthHistory }[] = [];
  const look = (moment: number): readonly Operation[] => {
    const history = known.findLast(({ at }) => at <= moment)?.lengths ?? noLengths;
    const until = heard.filter(({ id }) => heardAt.get(id)! <= moment);
    return rebuildOperations(until, { now: instant(moment), lengths: history, isBlind: () => false });
  };
  const first = heard[0]?.occurredAt ?? 0;
  for (let moment = first + tickMs; moment < endsAt + tickMs; moment += tickMs) {
    const operations = look(Math.min(moment, endsAt));
    for (const operation of operations.flatMap(withParts))
      if (operation.stuck && !stuckAt.has(operation.id)) stuckAt.set(operation.id, moment);
    lengths = countLengths(operations.flatMap(withParts).flatMap(lengthsOf));
    known.push({ at: moment, lengths });
  }
  return { last: look(endsAt), stuckAt, at: look };
}

/** What the rebuilt operations say of messages. */
export function answerOf(
  name: string,
  events: readonly StoredEvent[],
  operations: readonly Operation[],
): Answer {
  const byEvent = new Map(events.map((event) => [event.id, event]));
  const operationOf = new Map<string, string>();
  const starts = new Map<string, readonly string[]>();
  const before = new Map<string, readonly string[]>();
  const gathering = new Map<string, string>();
  const noteStep = (step: OperationStep, top: string): void => {
    let begun: readonly string[] = [];
    for (const id of step.events) {
      const event = byEvent.get(id)!;
      for (const message of event.sourceIds) operationOf.set(message, top);
      if (event.phase === "start" || event.type === "image.create") begun = event.sourceIds;
      else for (const message of event.sourceIds) starts.set(message, begun);
    }
    for (const inner of step.steps) noteStep(inner, top);
  };
  const visit = (operation: Operation, top: string | undefined): void => {
    const isGathering = operation.steps.length === 0;
    const root = top ?? (isGathering ? undefined : operation.id);
    before.set(operation.id, operation.follows);
    for (const step of operation.steps) noteStep(step, root!);
    for (const child of operation.children) {
      if (isGathering) gathering.set(child.id, operation.id);
      visit(child, root);
    }
  };
  for (const operation of operations) visit(operation, undefined);
  return {
    name,
    operationOf: (id) => operationOf.get(id),
    startsOf: (id) => starts.get(id) ?? [],
    before: (id) => before.get(id) ?? [],
    gatheringOf: (id) => gathering.get(id),
  };
}
