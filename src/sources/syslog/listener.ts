import type { AddressInfo, Server, Socket } from "node:net";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import { parseSettings } from "../http-settings.ts";
import type { RawRecord, StreamIo, StreamSource } from "../source.ts";
import type { Frame } from "./frame-splitter.ts";
import { FrameSplitter } from "./frame-splitter.ts";
import { severityNames, syslogConfig } from "./syslog-config.ts";
import type { SyslogConfig } from "./syslog-config.ts";

type Deliver = Parameters<StreamSource["consume"]>[1];

/** How many messages of one sender wait for a commit at a time; reading goes on when they are stored. */
const framesInFlight = 200;

/** What is read ahead of one sender, in bytes. */
const readAheadBytes = 16 * 1024;

/** How often it is told that senders are connected and nothing of theirs waits. */
const aliveMs = 5_000;

/** What a sender sent longer ago than this was read, unless messages before it took longer to store. */
const unreadMsMax = 2_000;

const handshakeMsMax = 10_000;
const restMsMax = 30_000;

/** What is under way: chunks that were read and whose messages are not stored yet. */
export interface Traffic {
  readonly sockets: Pick<Set<Socket>, "size" | "add" | "delete">;
  chunks: number;
  /** When a chunk was stored last that had kept what came after it waiting for longer than `unreadMsMax`. */
  slowAt: number;
}

interface Listening {
  readonly config: SyslogConfig;
  readonly deliver: Deliver;
  readonly io: StreamIo;
}

/**
 * Listens until the signal ends it. A sender is read only as fast as its messages are committed: syslog over TCP has
 * no acknowledgement, so what we do not read waits with the sender.
 */
export async function consumeSyslog(settings: JsonObject, deliver: Deliver, io: StreamIo): Promise<void> {
  await listenForSyslog(settings, deliver, io, () => undefined);
}

/** As {@link consumeSyslog}, telling the address that was taken. */
export async function listenForSyslog(
  settings: JsonObject,
  deliver: Deliver,
  io: StreamIo,
  onListening: (address: AddressInfo) => void,
): Promise<void> {
  const listening = { config: parseSettings(syslogConfig, settings), deliver, io };
  let failures = 0;
  while (!io.signal.aborted) {
    try {
      await serve(listening, (address) => {
        failures = 0;
        io.report(undefined);
        onListening(address);
      });
    } catch (error) {
      failures += 1;
      const why = error instanceof Error ? error.message : String(error);
      io.warn("syslog cannot be listened for", { attempt: failures, error: why });
      io.report(`Syslog cannot be listened for: ${why}`);
      await rest(failures, io.signal);
    }
  }
}

/** Full jitter, so that many processes do not come back at the same moment. */
async function rest(failures: number, signal: AbortSignal): Promise<void> {
  const most = Math.min(restMsMax, 500 * 2 ** Math.min(failures, 10));
  try {
    await sleep(100 + Math.random() * most, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** One server's life: ends when the signal says so, throws when it cannot listen. */
async function serve(listening: Listening, onListening: (address: AddressInfo) => void): Promise<void> {
  const { config, io } = listening;
  const sockets = new Set<Socket>();
  const traffic: Traffic = { sockets, chunks: 0, slowAt: Number.NEGATIVE_INFINITY };
  const readings = new Set<Promise<void>>();
  const server = openServer(config, io, (socket) => {
    const reading = readSender(socket, listening, traffic).finally(() => readings.delete(reading));
    readings.add(reading);
  });
  // Also those whose TLS handshake is still under way.
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.maxConnections = config.connections_max;
  server.on("drop", () =>
    io.warn("a sender was turned away: too many connections", { connections_max: config.connections_max }),
  );
  const beat = setInterval(() => tellAlive(traffic, io), aliveMs);
  try {
    await new Promise<void>((resolve, reject) => {
      server.on("error", reject);
      io.signal.addEventListener("abort", () => resolve(), { once: true });
      if (io.signal.aborted) resolve();
      server.listen(config.port, config.host, () => onListening(server.address() as AddressInfo));
    });
  } finally {
    clearInterval(beat);
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await Promise.all([closed, ...readings]);
  }
}

/**
 * Nobody is heard where nobody is connected; what a chunk under way holds is not stored yet, and what has just come may
 * still lie with the system, unread.
 */
export function tellAlive({ sockets, chunks, slowAt }: Traffic, io: Pick<StreamIo, "alive" | "now">): void {
  if (sockets.size === 0) return;
  const at = instant(io.now() - unreadMsMax);
  io.alive(chunks === 0 && slowAt < at ? at : undefined);
}

function openServer(config: SyslogConfig, io: StreamIo, onSocket: (socket: Socket) => void): Server {
  const options = { highWaterMark: readAheadBytes, keepAlive: true, keepAliveInitialDelay: 60_000 };
  if (config.tls === undefined) return createServer(options, onSocket);
  const { certificate, key, client_authority: authority } = config.tls;
  const server = createTlsServer(
    {
      ...options,
      cert: io.secret(certificate),
      key: io.secret(key),
      minVersion: "TLSv1.2",
      handshakeTimeout: handshakeMsMax,
      ...(authority !== undefined && {
        ca: io.secret(authority),
        requestCert: true,
        rejectUnauthorized: true,
      }),
    },
    onSocket,
  );
  server.on("tlsClientError", (error, socket) => {
    io.warn("a sender's TLS handshake failed", { peer: peerOf(socket), error: error.message });
    socket.destroy();
  });
  return server;
}

/** Reads one sender to its end; what it does to its connection ends that one only. */
async function readSender(socket: Socket, listening: Listening, traffic: Traffic): Promise<void> {
  const { config, io } = listening;
  const peer = peerOf(socket);
  if (config.idle_seconds > 0) socket.setTimeout(config.idle_seconds * 1000, () => socket.destroy());
  const splitter = new FrameSplitter();
  try {
    for await (const chunk of socket) {
      traffic.chunks += 1;
      const readAt = io.now();
      try {
        await deliverFrames(splitter.split(chunk as Buffer), peer, listening);
      } finally {
        traffic.chunks -= 1;
        if (io.now() - readAt > unreadMsMax) traffic.slowAt = io.now();
      }
    }
    await deliverFrames(splitter.end(), peer, listening);
  } catch (error) {
    if (io.signal.aborted) return;
    io.warn("a sender's connection was lost", {
      peer,
      error: error instanceof Error ? error.message : String(error),
    });
    // A message that was cut is told, as the sender may not send it again.
    await deliverFrames(splitter.end(), peer, listening);
  } finally {
    socket.destroy();
  }
}

async function deliverFrames(frames: Iterable<Frame>, peer: string, listening: Listening): Promise<void> {
  let waiting: Promise<void>[] = [];
  for (const frame of frames) {
    waiting.push(deliverUntilStored(recordOf(frame, peer, listening), listening));
    if (waiting.length < framesInFlight) continue;
    await Promise.all(waiting);
    waiting = [];
  }
  await Promise.all(waiting);
}

/** Nobody would send it again, so it is held, and its sender with it, until the store takes it. */
async function deliverUntilStored(record: RawRecord, { deliver, io }: Listening): Promise<void> {
  for (let failures = 0; ; failures += 1) {
    try {
      await deliver(record);
      if (failures > 0) io.report(undefined);
      return;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (io.signal.aborted) {
        throw new IsochronError("source-unavailable", `A message was not stored: ${why}.`, "It is lost.");
      }
      if (failures === 0) io.warn("a message could not be stored and is tried again", { error: why });
      io.report(`Messages cannot be stored: ${why}`);
      await rest(failures + 1, io.signal);
    }
  }
}

function recordOf(
  { bytes, tooLarge, incomplete }: Frame,
  peer: string,
  { config, io }: Listening,
): RawRecord {
  return {
    bytes: Uint8Array.from(bytes),
    // Without a number, so that the same broken message is kept once however often it is sent.
    position: `sender ${peer}`,
    receivedAt: io.now(),
    meta: {
      peer,
      symptom_from: severityNames.indexOf(config.symptom_from),
      ...(config.zone !== undefined && { zone: config.zone }),
      ...(tooLarge === true && { too_large: true }),
      ...(incomplete === true && { incomplete: true }),
    },
  };
}

function peerOf(socket: Socket): string {
  const address = socket.remoteAddress ?? "unknown";
  return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}
