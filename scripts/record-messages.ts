/**
 * Records the fixtures of the sources `nats` and `kafka` anew: sends sample messages to the brokers of
 * `.ci/with-nats .ci/with-kafka node scripts/record-messages.ts`, and keeps the records as the sources read them back.
 */
import { writeFile } from "node:fs/promises";
import { formatInstant, instant } from "../src/model/instant.ts";
import type { JsonObject } from "../src/model/json.ts";
import { consumeKafka } from "../src/sources/kafka/consume.ts";
import { consumeNats } from "../src/sources/nats/consume.ts";
import type { RawRecord, StreamSource } from "../src/sources/source.ts";
import { sendToKafka } from "../test/broker/kafka.ts";
import { TestStream } from "../test/broker/nats.ts";
import { sampleMessages } from "../test/broker/sample-messages.ts";

const natsAddress = process.env["ISOCHRON_TEST_NATS"];
const kafkaAddress = process.env["ISOCHRON_TEST_KAFKA"];
if (natsAddress === undefined || kafkaAddress === undefined) throw new Error("there are no brokers");

/** Reads until so many records are there. */
async function read(
  consume: StreamSource["consume"],
  config: JsonObject,
  count: number,
): Promise<RawRecord[]> {
  const records: RawRecord[] = [];
  const end = new AbortController();
  const deliver = (record: RawRecord) => {
    records.push(record);
    if (records.length === count) end.abort();
    return Promise.resolve();
  };
  await consume(config, deliver, {
    signal: AbortSignal.any([end.signal, AbortSignal.timeout(60_000)]),
    now: () => instant(Date.now()),
    warn: (message, fields) => console.error(message, fields),
    secret: () => "",
    heardBefore: undefined,
    report: () => undefined,
    alive: () => undefined,
    lost: () => undefined,
  });
  if (records.length !== count) throw new Error(`only ${records.length} of ${count} records came`);
  return records;
}

async function write(name: string, origin: string, records: readonly RawRecord[]): Promise<void> {
  const fixture = {
    origin,
    records: records
      .toSorted((one, other) => one.position.localeCompare(other.position))
      .map(({ position, receivedAt, bytes, meta }) => ({
        position,
        received_at: formatInstant(receivedAt),
        text: Buffer.from(bytes).toString(),
        meta,
      })),
  };
  await writeFile(
    new URL(`../src/sources/${name}.fixture.json`, import.meta.url),
    JSON.stringify(fixture, null, 1),
  );
}

const natsMessages = sampleMessages("ce-");
const stream = new TestStream(natsAddress, "EVENTS");
await stream.make();
await stream.send(natsMessages);
const { host } = new URL(natsAddress);
const fromNats = await read(consumeNats, { servers: [host], stream: "EVENTS" }, natsMessages.length);
await stream.remove();
await write(
  "nats",
  "Messages that we made up, read back by this source from a stream of nats-server 2.9.10; nothing was changed since. Recorded by scripts/record-messages.ts.",
  fromNats,
);

const kafkaMessages = sampleMessages("ce_");
await sendToKafka(kafkaAddress, "events", kafkaMessages);
const fromKafka = await read(
  consumeKafka,
  { brokers: [kafkaAddress], topics: ["events"] },
  kafkaMessages.length,
);
await write(
  "kafka",
  "Messages that we made up, read back by this source from the mock cluster of librdkafka 2.0.2 (in kcat 1.7.1), which speaks Kafka's protocol; no Kafka server was to be had. Nothing was changed since. Recorded by scripts/record-messages.ts.",
  fromKafka,
);
