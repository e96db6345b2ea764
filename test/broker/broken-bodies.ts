/** A message body that no reader can use. */
export interface BrokenBody {
  readonly what: string;
  readonly body: string | Uint8Array;
}

/** What brokers have been seen to carry, and worse. */
export function brokenBodies(): readonly BrokenBody[] {
  const message = {
    message_id: "7f8be7a4-3d3c-4b7e-9a0c-000000000000",
    publisher_id: "compute.broken",
    event_type: "compute.instance.create.end",
    priority: "INFO",
    payload: {},
    timestamp: "2026-11-21 02:54:10.229939",
  };
  const envelope = (inner: unknown) =>
    JSON.stringify({ "oslo.version": "2.0", "oslo.message": JSON.stringify(inner) });
  const { message_id: _, ...nameless } = message;
  return [
    { what: "nothing at all", body: "" },
    { what: "no JSON", body: "<notification/>" },
    { what: "JSON cut off", body: envelope(message).slice(0, 120) },
    { what: "an envelope around cut JSON", body: JSON.stringify({ "oslo.message": '{"message_id": "x", ' }) },
    { what: "bytes that are no UTF-8", body: Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d) },
    { what: "a list", body: "[1, 2, 3]" },
    { what: "no message id", body: envelope(nameless) },
    { what: "no time", body: envelope({ ...message, timestamp: null }) },
    { what: "the 30th of February", body: envelope({ ...message, timestamp: "2026-02-30 00:00:00" }) },
    { what: "depth 6,000", body: `${"[".repeat(6000)}${"]".repeat(6000)}` },
    { what: "10 MB", body: envelope({ ...message, payload: { padding: "x".repeat(10_000_000) } }) },
  ];
}
