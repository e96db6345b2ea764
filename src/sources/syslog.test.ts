import { describe, expect, test } from "vitest";
import { IsochronError } from "../errors.ts";
import type { EventDraft } from "../model/event.ts";
import { formatInstant } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import { decoders } from "../normalise/decode.ts";
import type { RawRecord } from "./source.ts";
import { syslog } from "./syslog.ts";

function recordOf(text: string, meta: JsonObject = {}, at = "2026-11-21T03:30:00Z"): RawRecord {
  return {
    bytes: new TextEncoder().encode(text),
    position: "sender 192.0.2.1",
    receivedAt: decoders.time(at),
    meta: { peer: "192.0.2.1", symptom_from: 4, ...meta },
  };
}

function draftOf(text: string, meta: JsonObject = {}, at?: string): EventDraft {
  return syslog.normalise(recordOf(text, meta, at), decoders).events[0]!;
}

function code(text: string, meta: JsonObject = {}): string {
  try {
    syslog.normalise(recordOf(text, meta), decoders);
  } catch (error) {
    if (error instanceof IsochronError) return error.code;
    throw error;
  }
  return "accepted";
}

const timeOf = (text: string, zone: string | undefined, at?: string) =>
  formatInstant(draftOf(text, zone === undefined ? {} : { zone }, at).occurredAt);

describe("RFC 5424", () => {
  test("a quote that is never closed is refused as fast as any other broken message", () => {
    const endless = `<11>1 2026-11-21T03:00:00Z h app 7 ID1 [a@1 x="${"\\\\aaaa".repeat(2_000)}`;
    expect(() => draftOf(endless)).toThrow("structured data");
  });

  test("structured data is kept, escapes undone", () => {
    const text = String.raw`<11>1 2026-11-21T03:00:00.5+01:00 h app 7 ID1 [a@1 x="1" y="q\"\\\]z"][b] said`;
    const { details, occurredAt, precision } = draftOf(text);
    expect(details["structured_data"]).toEqual({ "a@1": { x: "1", y: String.raw`q"\]z` }, b: {} });
    expect(details).toMatchObject({
      message: "said",
      app: "app",
      process_id: "7",
      message_id: "ID1",
      facility: "user",
    });
    expect([formatInstant(occurredAt), precision]).toEqual(["2026-11-21T02:00:00.500Z", 0]);
  });

  test.each([
    "<11>1 2026-11-21T03:00:00Z h app 7",
    "<11>1 2026-11-21T03:00:00Z h app 7 - [a",
    '<11>1 2026-11-21T03:00:00Z h app 7 - [a x="1] said',
    "<11>1 2026-11-21T03:00:00Z h app 7 - said",
    "<11>1 yesterday h app 7 - - said",
    "<11>1 2026-11-21T03:00:00 h app 7 - - said",
    "<192>1 2026-11-21T03:00:00Z h app 7 - - said",
    "GET / HTTP/1.1",
    "",
    " ",
  ])("%j is set aside", (text) => {
    expect(code(text)).toBe("record-invalid");
  });

  test("a message that is too long or was cut is set aside, and so is one that is no UTF-8", () => {
    expect(code("<11>a", { too_large: true })).toBe("record-invalid");
    expect(code("<11>a", { incomplete: true })).toBe("record-invalid");
    const latin = { ...recordOf(""), bytes: Uint8Array.from(Buffer.from("<11>Zürich", "latin1")) };
    expect(() => syslog.normalise(latin, decoders)).toThrow(/UTF-8/);
  });
});

describe("RFC 3164", () => {
  test("a time without a zone is read in the declared one, and refused without", () => {
    const text = "<34>Nov 21 04:22:33 h su: said";
    expect(timeOf(text, "+01:00", "2026-11-21T03:22:34Z")).toBe("2026-11-21T03:22:33.000Z");
    expect(timeOf(text, "Z", "2026-11-21T04:22:34Z")).toBe("2026-11-21T04:22:33.000Z");
    expect(timeOf(text, "America/St_Johns", "2026-11-21T07:52:34Z")).toBe("2026-11-21T07:52:33.000Z");
    expect(code(text)).toBe("record-invalid");
  });

  test("the year that it lacks is that of its arrival, also around New Year and on a leap day", () => {
    expect(timeOf("<34>Dec 31 23:59:59 h su: said", "Z", "2027-01-01T00:00:01Z")).toBe(
      "2026-12-31T23:59:59.000Z",
    );
    expect(timeOf("<34>Jan  1 00:00:02 h su: said", "Z", "2026-12-31T23:59:59Z")).toBe(
      "2027-01-01T00:00:02.000Z",
    );
    expect(timeOf("<34>Feb 29 12:00:00 h su: said", "Z", "2028-02-29T12:00:01Z")).toBe(
      "2028-02-29T12:00:00.000Z",
    );
    expect(code("<34>Feb 30 12:00:00 h su: said", { zone: "Z" })).toBe("record-invalid");
    expect(code("<34>Xyz 21 12:00:00 h su: said", { zone: "Z" })).toBe("record-invalid");
  });

  test("on the days when clocks are put forward or back only the doubled hour is in doubt", () => {
    const zone = "Europe/Paris";
    const read = (time: string, at: string) => timeOf(`<34>${time} h su: said`, zone, at);
    expect(read("Mar 29 10:00:00", "2026-03-29T08:00:01Z")).toBe("2026-03-29T08:00:00.000Z");
    expect(read("Mar 29 01:30:00", "2026-03-29T00:30:01Z")).toBe("2026-03-29T00:30:00.000Z");
    expect(read("Oct 25 10:00:00", "2026-10-25T09:00:01Z")).toBe("2026-10-25T09:00:00.000Z");
    expect(read("Oct 25 02:30:00", "2026-10-25T01:30:01Z")).toBe("2026-10-25T01:30:00.000Z");
  });

  test.each([
    ["<34>Nov 21 03:00:00 h su: said", "h", "su", "said"],
    ["<34>Nov 21 03:00:00 h postfix/smtpd[77]: said", "h", "postfix/smtpd", "said"],
    ["<34>Nov 21 03:00:00 su: said", undefined, "su", "said"],
    ["<34>Nov 21 03:00:00 h said it all", "h", undefined, "said it all"],
    ["<34>2026-11-21T03:00:00.25Z h su[1]: said", "h", "su", "said"],
  ])("%s is read as it is met with", (text, host, app, message) => {
    const { details, related } = draftOf(text, { zone: "Z" });
    expect([details["app"], details["message"]]).toEqual([app, message]);
    expect(related.map(({ ref }) => ref.id)).toEqual(host === undefined ? [] : [host]);
  });

  test("a message without a header comes from its sender at its arrival", () => {
    const draft = draftOf("<13>Use the BFG!");
    expect(draft).toMatchObject({ subject: { id: "192.0.2.1" }, precision: 60_000, summary: "Use the BFG!" });
    expect(draft.details["time_from"]).toBe("received");
  });
});

test("a repeated message is one event, and the same words at another time, year or sender are another", () => {
  const text = "<34>Oct 11 22:14:15 h su: said";
  const key = draftOf(text, { zone: "Z" }).key;
  expect(draftOf(text, { zone: "Z" }, "2026-11-22T00:00:00Z").key).toBe(key);
  expect(draftOf(text, { zone: "Z" }, "2025-11-22T00:00:00Z").key).not.toBe(key);
  expect(draftOf(text, { zone: "Z", peer: "192.0.2.2" }).key).not.toBe(key);
  expect(draftOf("<13>said").key).not.toBe(draftOf("<13>said", {}, "2026-11-21T03:30:01Z").key);
});

test("severities up to the declared one are symptoms", () => {
  const of = (priority: number, symptom_from = 4) => {
    const { severity, kind } = draftOf(`<${priority}>said`, { symptom_from });
    return `${severity} ${kind}`;
  };
  expect([0, 1, 2, 3, 4, 5, 6, 7].map((priority) => of(priority))).toEqual([
    "critical symptom",
    "critical symptom",
    "critical symptom",
    "error symptom",
    "warning symptom",
    "info activity",
    "info activity",
    "info activity",
  ]);
  expect([of(4, 3), of(5, 5)]).toEqual(["warning activity", "info symptom"]);
});

test("a line is about the one server that it names, joined to its request, and claims no owner", () => {
  const server = "6b1d19b6-d497-4577-9172-a9d1bc07ef9c";
  const request = "req-7b0f0a0e-5c55-4b43-9e4c-6f0f4f1c2d11";
  const draft = draftOf(
    `<11>1 - compute-02 nova-compute - - - [${request} - -] [instance: ${server}] failed`,
  );
  expect(draft.related).toEqual([
    { role: "host", ref: { kind: "host", id: "compute-02" } },
    { role: "reported_by", ref: { kind: "component", id: "nova-compute@compute-02" } },
  ]);
  expect(draft).toMatchObject({
    subject: { kind: "server", id: server },
    operation: { requestId: request },
    visibility: "provider",
  });
  expect([draft.stated, draft.platform]).toEqual([undefined, undefined]);
});

test("a line that names several servers is its component's, and mentions them", () => {
  const servers = ["6b1d19b6-d497-4577-9172-a9d1bc07ef9c", "7c1d19b6-d497-4577-9172-a9d1bc07ef9c"];
  const text = servers.map((id) => `[instance: ${id}]`).join(" and ");
  const draft = draftOf(`<11>1 - compute-02 nova-compute - - - ${text} failed`);
  expect(draft).toMatchObject({ subject: { kind: "component" }, platform: true });
  expect(draft.related.filter(({ role }) => role === "mentioned").map(({ ref }) => ref.id)).toEqual(servers);
});

test("a line of a file may lack its priority, a message on the wire may not", () => {
  const line = "2026-11-21T03:00:00+00:00 h systemd[1]: Started";
  expect(code(line)).toBe("record-invalid");
  expect(draftOf(line, { file: "syslog" })).toMatchObject({ severity: "info", summary: "Started" });
});

test("settings that cannot be are refused before anything listens", () => {
  for (const zone of ["CET+1", "Europe/Nowhere", "1:00"]) {
    expect(syslog.config.safeParse({ zone }).success, zone).toBe(false);
  }
  for (const zone of ["Z", "-03:30", "Europe/Paris"])
    expect(syslog.config.safeParse({ zone }).success).toBe(true);
  expect(syslog.config.safeParse({ tls: { certificate: "PEM", key: "file:/k" } }).success).toBe(false);
});
