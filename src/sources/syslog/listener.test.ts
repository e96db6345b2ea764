import { generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterEach, expect, test, vi } from "vitest";
import { eventually } from "../../../test/eventually.ts";
import { instant } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import type { RawRecord, StreamIo } from "../source.ts";
import { listenForSyslog } from "./listener.ts";

const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

interface Listening {
  readonly port: number;
  readonly records: RawRecord[];
  readonly problems: (string | undefined)[];
  readonly warnings: string[];
  /** What each heartbeat said to be complete; undefined where something was under way. */
  readonly stored: readonly RawRecord[];
  readonly beats: (number | undefined)[];
  readonly stop: () => Promise<void>;
}

/** The clock of the process. */
let nowMs = Date.UTC(2026, 10, 21);

async function listen(
  config: JsonObject = {},
  deliver: (record: RawRecord) => Promise<void> = () => Promise.resolve(),
  secrets: Readonly<Record<string, string>> = {},
): Promise<Listening> {
  const ending = new AbortController();
  const [records, problems, warnings]: [RawRecord[], (string | undefined)[], string[]] = [[], [], []];
  const beats: (number | undefined)[] = [];
  const io: StreamIo = {
    signal: ending.signal,
    now: () => instant(nowMs),
    warn: (message) => void warnings.push(message),
    secret: (reference) => secrets[reference]!,
    report: (problem) => void problems.push(problem),
    heardBefore: undefined,
    alive: (completeTo) => void beats.push(completeTo),
    lost: () => undefined,
  };
  const stored: RawRecord[] = [];
  const take = async (record: RawRecord): Promise<void> => {
    records.push(record);
    await deliver(record);
    stored.push(record);
  };
  let over: Promise<void> = Promise.resolve();
  const address = await new Promise<AddressInfo>((resolve) => {
    over = listenForSyslog({ port: 0, ...config }, take, io, resolve);
  });
  const stop = async () => {
    ending.abort();
    await over;
  };
  ends.push(stop);
  return { port: address.port, records, stored, problems, warnings, beats, stop };
}

async function sender(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  // What we are told of a connection that was ended under us is no failure of a test.
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

const texts = (records: readonly RawRecord[]) => records.map(({ bytes }) => Buffer.from(bytes).toString());
const arrived = (listening: Listening, count: number) =>
  eventually(`${count} messages`, () => listening.records.length >= count);

test("messages arrive in order, counted or by line, with their sender and what the connection declares", async () => {
  const listening = await listen({ zone: "+01:00", symptom_from: "err" });
  const socket = await sender(listening.port);
  socket.end("<1>a\n4 <2>b<3>c");
  await arrived(listening, 3);
  expect(texts(listening.records)).toEqual(["<1>a", "<2>b", "<3>c"]);
  expect(listening.records[0]!.meta).toEqual({ peer: "127.0.0.1", symptom_from: 3, zone: "+01:00" });
  expect(listening.problems).toEqual([undefined]);
});

test("a connected sender is alive, and complete only while nothing of its waits for a commit", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  try {
    const listening = await listen({}, () => held);
    const beat = () => {
      vi.advanceTimersByTime(5_000);
      return listening.beats.splice(0);
    };
    expect(beat()).toEqual([]);
    const socket = await sender(listening.port);
    await eventually("the sender is known", () => beat().length > 0);
    // What has just come may still lie unread.
    expect(beat()).toEqual([nowMs - 2_000]);
    socket.write("<1>a\n");
    await arrived(listening, 1);
    expect(beat()).toEqual([undefined]);
    nowMs += 10_000;
    release();
    await eventually("it is stored", () => listening.stored.length > 0);
    // What came while it waited was not read meanwhile.
    expect(beat()).toEqual([undefined]);
    nowMs += 2_001;
    await eventually("the rest would have been read", () => beat()[0] === nowMs - 2_000);
    socket.destroy();
    await eventually("the sender is gone", () => beat().length === 0);
  } finally {
    release();
    vi.useRealTimers();
  }
});

test("a sender is not read on while its messages wait for their commit, and others are", async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const listening = await listen({}, (record) =>
    Buffer.from(record.bytes).toString().startsWith("<1>") ? held : Promise.resolve(),
  );
  const [fast, other] = [await sender(listening.port), await sender(listening.port)];
  const lines = Array.from({ length: 100_000 }, (_, index) => `<1>message ${index} ${"x".repeat(100)}\n`);
  fast.write(lines.join(""));
  await arrived(listening, 200);
  other.write("<2>other\n");
  await arrived(listening, 201);
  // Eleven megabytes are under way; what is not in a commit waits with the sender or in the network.
  expect(listening.records).toHaveLength(201);
  expect(fast.writableLength).toBeGreaterThan(0);
  release();
  await arrived(listening, 100_001);
  const read = texts(listening.records).filter((text) => text.startsWith("<1>"));
  expect(read).toEqual(lines.map((line) => line.trimEnd()));
});

test("a message that the store does not take is held and tried again, and the trouble is told", async () => {
  let failures = 2;
  const stored: string[] = [];
  const listening = await listen({}, async (record) => {
    failures -= 1;
    if (failures >= 0) throw new Error("the store is away");
    stored.push(Buffer.from(record.bytes).toString());
  });
  (await sender(listening.port)).write("<1>a\n");
  await eventually("the message", () => stored.length > 0);
  expect(stored).toEqual(["<1>a"]);
  expect(listening.problems).toEqual([
    undefined,
    "Messages cannot be stored: the store is away",
    "Messages cannot be stored: the store is away",
    undefined,
  ]);
});

test("more senders than the connection allows are turned away, and those that are in stay", async () => {
  const listening = await listen({ connections_max: 1 });
  const first = await sender(listening.port);
  first.write("<1>a\n");
  await arrived(listening, 1);
  const second = await sender(listening.port);
  await once(second, "close");
  first.write("<1>b\n");
  await arrived(listening, 2);
  expect(listening.warnings).toEqual(["a sender was turned away: too many connections"]);
});

test("a sender that is cut off in the middle of a message ends nobody but itself", async () => {
  const listening = await listen();
  const [broken, whole] = [await sender(listening.port), await sender(listening.port)];
  broken.write("50 <1>cut");
  whole.write("<2>first\n");
  await arrived(listening, 1);
  broken.end();
  await arrived(listening, 2);
  whole.write("<2>second\n");
  await arrived(listening, 3);
  expect(listening.records[1]!.meta["incomplete"]).toBe(true);
});

test("a port that is taken is told and tried again until it is free", async () => {
  const taker = createServer().listen(0, "127.0.0.1");
  await once(taker, "listening");
  const { port } = taker.address() as AddressInfo;
  const ending = new AbortController();
  const problems: (string | undefined)[] = [];
  const io: StreamIo = {
    signal: ending.signal,
    now: () => instant(0),
    warn: () => undefined,
    secret: () => "",
    report: (problem) => void problems.push(problem),
    heardBefore: undefined,
    alive: () => undefined,
    lost: () => undefined,
  };
  const over = listenForSyslog(
    { port },
    () => Promise.resolve(),
    io,
    () => undefined,
  );
  ends.push(async () => {
    ending.abort();
    await over;
  });
  await eventually("the report", () => problems.length > 0);
  expect(problems[0]).toMatch(/^Syslog cannot be listened for: .*EADDRINUSE/);
  taker.close();
  await eventually("listening", () => problems.at(-1) === undefined);
});

test("the end of the program ends silent senders too", async () => {
  const listening = await listen();
  const socket = await sender(listening.port);
  socket.write("<1>a\n");
  await arrived(listening, 1);
  const closed = once(socket, "close");
  await listening.stop();
  await closed;
  expect(socket.destroyed).toBe(true);
});

test("TLS is spoken when it is configured, and a sender without a certificate is turned away where one is asked for", async () => {
  const { certificate, key } = makeCertificate();
  const secrets = { "file:cert": certificate, "file:key": key };
  const open = await listen({ tls: { certificate: "file:cert", key: "file:key" } }, undefined, secrets);
  const socket = connectTls({ port: open.port, host: "127.0.0.1", ca: certificate, servername: "isochron" });
  await once(socket, "secureConnect");
  socket.write("4 <1>a");
  await arrived(open, 1);
  socket.destroy();

  const closed = await listen(
    { tls: { certificate: "file:cert", key: "file:key", client_authority: "file:cert" } },
    undefined,
    secrets,
  );
  const stranger = connectTls({
    port: closed.port,
    host: "127.0.0.1",
    ca: certificate,
    servername: "isochron",
  });
  stranger.on("error", () => undefined);
  stranger.write("4 <1>a");
  const plain = await sender(closed.port);
  plain.write("<1>a\n".repeat(100));
  await eventually("two refusals", () => closed.warnings.length >= 2);
  expect(new Set(closed.warnings)).toEqual(new Set(["a sender's TLS handshake failed"]));
  const known = connectTls({
    port: closed.port,
    host: "127.0.0.1",
    ca: certificate,
    servername: "isochron",
    cert: certificate,
    key,
  });
  known.write("4 <2>b");
  await arrived(closed, 1);
  expect(texts(closed.records)).toEqual(["<2>b"]);
  known.destroy();
});

/** A self-signed certificate of `isochron` for a century (X.509 in DER, RFC 5280), so that no key is kept in files. */
function makeCertificate(): { certificate: string; key: string } {
  const der = (tag: number, ...parts: Uint8Array[]): Buffer => {
    const body = Buffer.concat(parts);
    const size = body.byteLength;
    const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
    return Buffer.concat([Buffer.from([tag, ...length]), body]);
  };
  const sequence = (...parts: Uint8Array[]) => der(0x30, ...parts);
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const algorithm = sequence(der(0x06, Buffer.from([0x2b, 0x65, 0x70])));
  const commonName = der(0x06, Buffer.from([0x55, 0x04, 0x03]));
  const name = sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from("isochron")))));
  const times = ["20200101000000Z", "21200101000000Z"].map((time) => der(0x18, Buffer.from(time)));
  const dnsName = sequence(der(0x82, Buffer.from("isochron")));
  const alternative = sequence(der(0x06, Buffer.from([0x55, 0x1d, 0x11])), der(0x04, dnsName));
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    algorithm,
    name,
    sequence(...times),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(alternative)),
  );
  const signature = der(0x03, Buffer.from([0]), sign(null, body, privateKey));
  const base64 = sequence(body, algorithm, signature).toString("base64");
  const lines = base64.replaceAll(/.{64}/g, "$&\n");
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}
