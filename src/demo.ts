import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { instant } from "./model/instant.ts";
import type { Scene } from "./present/api/api-parts.ts";
import type { EventReader } from "./store/event-reader.ts";
import type { EventStore } from "./store/event-store.ts";

/** The recordings of the demo, in the order in which they are loaded. */
const recordings = [
  { source: "openstack-notifications", controlPlane: "default", path: "openstack/notifications.jsonl.gz" },
  { source: "alertmanager", controlPlane: "default", path: "openstack/alerts.jsonl" },
  // Another cloud's story: its coverage says nothing about the customers of the first.
  { source: "post-mortem", controlPlane: "clever-cloud", path: "post-mortem-2024-08-02.md" },
] as const;

const inventory = { source: "openstack-inventory", path: "openstack/rest" } as const;

/** Raised whenever the recordings or their reading change, so that an older demo store is brought up to date. */
const edition = 1;

/** What loading needs of the program. */
interface DemoTarget {
  importFile(options: {
    source: string;
    connection: string;
    controlPlane: string;
    path: string;
  }): Promise<unknown>;
  harvestOnce(connection: string, options: { readonly recorded: string }): Promise<unknown>;
}

interface DemoParts {
  readonly isochron: DemoTarget;
  readonly store: EventStore;
  readonly demoRoot: string;
}

/** Loads the recordings once, through the pipeline that live records take; a second call changes nothing. */
export async function loadDemo(
  parts: DemoParts,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  const { isochron, store, demoRoot } = parts;
  const [marker] = recordings;
  await store.connect({ name: marker.source, source: marker.source, controlPlane: "default", config: {} });
  if ((await store.cursor(marker.source, "demo")) === edition) return;
  const steps = recordings.length + 1;
  onProgress(0, steps);
  for (const [index, { source, controlPlane, path }] of recordings.entries()) {
    await isochron.importFile({
      source,
      connection: source,
      controlPlane,
      path: join(demoRoot, path),
    });
    onProgress(index + 1, steps);
  }
  await isochron.harvestOnce(inventory.source, { recorded: join(demoRoot, inventory.path) });
  await store.append({
    connection: marker.source,
    stream: "demo",
    controlPlane: "default",
    events: [],
    facts: [],
    rejects: [],
    cursor: edition,
  });
  onProgress(steps, steps);
}

interface SceneFile {
  readonly title: string;
  readonly from: string;
  readonly to: string;
  readonly symptom: { readonly connection: string; readonly types: readonly string[] };
}

/** The scenes worth opening at, each with its first symptom as it stands in the store. */
export async function demoScenes(reader: EventReader, demoRoot: string): Promise<readonly Scene[]> {
  const scenes = JSON.parse(await readFile(join(demoRoot, "scenes.json"), "utf8")) as readonly SceneFile[];
  return Promise.all(
    scenes.map(async (scene) => {
      const from = instant(Date.parse(scene.from));
      const to = instant(Date.parse(scene.to));
      const page = await reader.timeline(
        { kind: "provider" },
        { from, to, kinds: ["symptom"], connections: [scene.symptom.connection], types: scene.symptom.types },
        { limit: 1, order: "oldest" },
      );
      const first = page.events[0]?.event.id;
      return { title: scene.title, from, to, ...(first === undefined ? {} : { event: first }) };
    }),
  );
}
