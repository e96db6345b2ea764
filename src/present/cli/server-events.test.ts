import fc from "fast-check";
import { expect, test } from "vitest";
import { readServerEvents, type ServerEvent } from "./server-events.ts";

async function readAll(chunks: readonly string[]): Promise<ServerEvent[]> {
  async function* feed() {
    yield* chunks;
  }
  const messages: ServerEvent[] = [];
  for await (const message of readServerEvents(feed())) messages.push(message);
  return messages;
}

const stream =
  'retry: 3000\n\n:\n\nid: a\nevent: event\ndata: {"n":1}\n\n:\n\nid: b\r\ndata: one\r\ndata: two\r\n\r\n';

test("messages come with id, name and data; comments and settings are dropped", async () => {
  expect(await readAll([stream])).toEqual([
    { event: "event", id: "a", data: '{"n":1}' },
    { event: "message", id: "b", data: "one\ntwo" },
  ]);
});

test("where the stream is cut makes no difference", async () => {
  const whole = await readAll([stream]);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(stream.length), { maxLength: 8 }), async (cuts) => {
      const places = [0, ...cuts.toSorted((left, right) => left - right), stream.length];
      const chunks = places.slice(1).map((end, index) => stream.slice(places[index], end));
      expect(await readAll(chunks)).toEqual(whole);
    }),
  );
});
