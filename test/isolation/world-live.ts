import type { EventJson } from "../../src/present/api/contract.ts";
import { readServerEvents } from "../../src/present/cli/server-events.ts";
import { visible } from "./oracle.ts";
import type { TrueEvent } from "./true-event.ts";
import { headersOf, type WorldStore } from "./world-store.ts";
import { seenBy } from "./world-views.ts";
import type { Asker, World } from "./world-model.ts";

/**
 * Follows a live stream while a world happens, and says what was wrong with what came. What is told last is seen by
 * the follower, so that nothing has to be waited for that may not come.
 */
export async function follow(
  store: WorldStore,
  world: World,
  asker: Asker,
  told: readonly TrueEvent[],
): Promise<string[]> {
  const abort = new AbortController();
  const answer = await fetch(`http://127.0.0.1:${store.port}/api/v1/live`, {
    headers: headersOf(world, asker),
    signal: abort.signal,
  });
  if (answer.status !== 200) return [`${asker.name}, live: ${answer.status} ${await answer.text()}`];
  const last = world.sentinels.filter((event) => visible(asker.who, event).length > 0).length;
  const chunks = answer.body!.pipeThrough(new TextDecoderStream());
  const began = Promise.withResolvers<void>();
  const shown: EventJson[] = [];
  const faults: string[] = [];
  const reading = (async () => {
    let ended = 0;
    for await (const { event, data } of readServerEvents(noteBeginning(chunks, began.resolve))) {
      if (event !== "event") {
        faults.push(`${asker.name}, live: ${event} ${data}`);
        continue;
      }
      const json = JSON.parse(data) as EventJson;
      shown.push(json);
      const known = store.eventAt(json.occurred_at);
      if (known !== undefined && world.sentinels.includes(known)) ended += 1;
      if (ended === last) break;
    }
  })();
  // The place to start from is taken with the first beat; what happens from then on has to come.
  await began.promise;
  await store.tell(world, told);
  await store.tell(world, world.sentinels);
  await reading;
  abort.abort();
  return [...faults, ...judge(store, world, asker, shown)];
}

function judge(store: WorldStore, world: World, asker: Asker, shown: readonly EventJson[]): string[] {
  const faults: string[] = [];
  const calm = shown.filter(({ details }) => details["storm"] === undefined);
  for (const event of calm)
    if (!store.maySee(asker, event)) faults.push(`${asker.name}, live: shows ${store.spell(event)}`);
  const came = new Set(calm.map((event) => store.spell(event)));
  for (const { says } of world.events.flatMap((event) => seenBy(asker.who, event)))
    if (!came.has(says)) faults.push(`${asker.name}, live: lacks ${says}`);
  for (const { occurred_at: at } of shown.filter(({ details }) => details["storm"] !== undefined)) {
    const storm = world.storms.find(({ from, to }) => Date.parse(at) >= from && Date.parse(at) < to);
    const isSeen = storm?.members.some((member) => visible(asker.who, member).length > 0) ?? false;
    if (!isSeen) faults.push(`${asker.name}, live: shows a storm at ${at}`);
  }
  return faults;
}

async function* noteBeginning(chunks: AsyncIterable<string>, began: () => void): AsyncGenerator<string> {
  let text = "";
  for await (const chunk of chunks) {
    text += chunk;
    if (/^:|^id:|^event:/m.test(text)) began();
    yield chunk;
  }
}
