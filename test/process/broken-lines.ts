import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";

/** A recording of a real control plane, as OpenStack's broker delivered it. */
export const recording = fileURLToPath(
  new URL("../../demo/openstack/notifications.jsonl.gz", import.meta.url),
);

/** The recording's lines, in order. */
export function readRecording(): readonly string[] {
  return gunzipSync(readFileSync(recording))
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "");
}

interface OddLine {
  readonly what: string;
  readonly line: string | Uint8Array;
}

interface OsloMessage {
  readonly [field: string]: unknown;
  readonly message_id: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

function captured(message: unknown): string {
  const body = JSON.stringify({ "oslo.version": "2.0", "oslo.message": JSON.stringify(message) });
  return JSON.stringify({ exchange: "nova", routing_key: "notifications.info", body });
}

/** Takes a line of the recording apart, down to the message. */
function messageOf(line: string): OsloMessage {
  const { body } = JSON.parse(line) as { body: string };
  return JSON.parse((JSON.parse(body) as { "oslo.message": string })["oslo.message"]) as OsloMessage;
}

/** Real lines spoilt so that nothing can be made of them. */
export function unusableLines(line: string): readonly OddLine[] {
  const message = messageOf(line);
  const { message_id: _, ...nameless } = message;
  return [
    { what: "JSON cut off", line: line.slice(0, line.length / 2) },
    { what: "the message inside cut off", line: captured(message).replace(/.{40}"\}$/, '"}') },
    { what: "text", line: "Nov 21 02:54:10 controller-01 nova-compute[1]: this is a log" },
    { what: "a number", line: "42" },
    { what: "an envelope of a wrong type", line: JSON.stringify({ body: 5 }) },
    { what: "an event type that is an object", line: captured({ ...message, event_type: { a: 1 } }) },
    { what: "a time that is a list", line: captured({ ...message, timestamp: [2026] }) },
    { what: "no message id", line: captured(nameless) },
    { what: "bytes that are no UTF-8", line: Uint8Array.of(0x7b, 0xff, 0xc3, 0x28, 0x7d) },
    {
      what: "a NUL byte in the JSON",
      line: Buffer.concat([Buffer.from(line.slice(0, 60)), Buffer.from([0, 0x7d])]),
    },
    { what: "the year 0", line: captured({ ...message, timestamp: "0000-01-01 00:00:00.000000" }) },
    { what: "the year 10000", line: captured({ ...message, timestamp: "+10000-01-01 00:00:00" }) },
    { what: "a time in words", line: captured({ ...message, timestamp: "now" }) },
    { what: "10 MB", line: captured({ ...message, payload: { padding: "x".repeat(10_000_000) } }) },
    { what: "depth 6,000", line: `${'{"a":'.repeat(6000)}1${"}".repeat(6000)}` },
  ];
}

/** Real messages, each a new one, with values that must be stored as they are and harm nobody. */
export function hostileLines(line: string): readonly OddLine[] {
  const message = messageOf(line);
  const odd = (number: number, payload: Readonly<Record<string, unknown>>) =>
    captured({
      ...message,
      message_id: `00000000-0000-4000-8000-00000000000${number}`,
      payload: { ...message.payload, ...payload },
    });
  return [
    { what: "a NUL in a name", line: odd(1, { display_name: "a\u0000b", host: "a\u0000b" }) },
    { what: "a lone surrogate", line: odd(2, { display_name: "\ud800", "\udc00": "x" }) },
    {
      what: "__proto__",
      line: odd(3, {}).replace(
        '\\\\\\"payload\\\\\\": {',
        '$&\\\\\\"__proto__\\\\\\": {\\\\\\"polluted\\\\\\": true}, ',
      ),
    },
    { what: "a time without zone and with T", line: odd(4, { launched_at: "2026-11-21T02:54:10" }) },
    { what: "a number beyond every double", line: odd(5, { memory_mb: 12 }).replace(/\b12\b/, "1e400") },
    { what: "SQL", line: odd(6, { display_name: "'; DROP TABLE isochron.event; --" }) },
    {
      what: "text from right to left, and a terminal's escape",
      line: odd(7, { display_name: "\u202egnp.exe\u001b[2J" }),
    },
  ];
}
