import { describe, expect, test } from "vitest";
import { instant } from "../../model/instant.ts";
import { isSignedWith } from "../../sources/standard-webhooks.ts";
import { testSecret } from "../../../test/notify-world.ts";
import { alertsPath, writeAlert } from "./alertmanager-message.ts";
import { givenUpAfterMs, planNext } from "./delivery-plan.ts";
import type { NotificationMessage } from "./message.ts";
import { writeCloudEvent } from "./message-json.ts";
import { writeSlack } from "./slack-message.ts";
import { signWebhook } from "./webhook-signature.ts";

const at = instant(Date.parse("2026-11-20T12:00:00Z"));
const hostile = "<!channel> <https://evil.example.org|click> & *bold* @here";
const event = {
  id: "evt_1",
  type: "compute.instance.delete.end",
  kind: "change",
  severity: "critical",
  occurredAt: instant(at - 5_000),
  summary: hostile,
  subject: { kind: "server", id: "s-1" },
} as const;

function message(fields: Partial<NotificationMessage> = {}): NotificationMessage {
  return {
    id: "msg_1",
    kind: "events",
    rule: { id: "ntf_1", name: "deletions", severity: "warning" },
    group: "ab".repeat(32),
    groupLabel: "server:s-1",
    madeAt: at,
    events: [event],
    more: 39,
    late: false,
    ...fields,
  };
}
const correction = message({
  kind: "correction",
  events: [],
  more: 0,
  groupLabel: "",
  corrects: "msg_0",
  whole: true,
});

describe("Slack's format", () => {
  test("lets no text of an event broadcast, mention or link", () => {
    const { body } = writeSlack(message());
    const sent = JSON.parse(body);
    expect(body).not.toMatch(/<!|<https|<@/);
    expect(sent).toMatchObject({ parse: "none", link_names: false, unfurl_links: false, mrkdwn: false });
    expect(sent.text).toContain("&lt;!channel&gt;");
    expect(sent.text).toContain("and 39 more");
    expect(
      sent.blocks.every((block: { type: string; text?: { type: string } }) => block.text?.type !== "mrkdwn"),
    ).toBe(true);
  });

  test("has words where the event has none", () => {
    const { body } = writeSlack(message({ events: [{ ...event, summary: " " }], more: 0, groupLabel: "" }));
    expect(JSON.parse(body)).toMatchObject({ text: "compute.instance.delete.end" });
  });

  test("keeps within what Slack takes", () => {
    const { body } = writeSlack(message({ events: [{ ...event, summary: "&".repeat(10_000) }] }));
    const sent = JSON.parse(body);
    expect(sent.blocks[0].text.text.length).toBeLessThanOrEqual(3_000);
  });
});

describe("Alertmanager's format", () => {
  test("keeps labels to the rule and the group, so that the same thing is the same alert", () => {
    const [first] = JSON.parse(writeAlert(message())!.body);
    const [again] = JSON.parse(
      writeAlert(message({ id: "msg_2", more: 0, events: [{ ...event, id: "evt_2" }] }))!.body,
    );
    expect(first.labels).toEqual(again.labels);
    expect(first).toMatchObject({
      startsAt: "2026-11-20T11:59:55.000Z",
      annotations: { isochron_message: "msg_1" },
    });
    expect(writeAlert(message())!.path).toBe(alertsPath);
  });

  test("is resolved by a correction of the whole, and left standing by one of a part", () => {
    const [resolved] = JSON.parse(writeAlert(correction)!.body);
    const [first] = JSON.parse(writeAlert(message())!.body);
    expect(resolved.labels).toEqual(first.labels);
    expect(resolved.endsAt).toBe("2026-11-20T12:00:00.000Z");
    expect(writeAlert({ ...correction, whole: false })).toBeUndefined();
  });
});

test("a CloudEvent has what its specification requires, and the idempotency key as its id", () => {
  const { body, contentType } = writeCloudEvent(message());
  expect(contentType).toMatch(/^application\/cloudevents\+json/);
  expect(JSON.parse(body)).toMatchObject({
    specversion: "1.0",
    id: "msg_1",
    source: "/isochron/notification-rules/ntf_1",
    type: "isochron.notification.events",
    subject: "server:s-1",
    data: { more: 39, events: [{ id: "evt_1" }] },
  });
});

test("a correction tells of nothing but the message", () => {
  for (const { body } of [writeCloudEvent(correction), writeSlack(correction), writeAlert(correction)!]) {
    expect(body).toContain("msg_0");
    expect(body).not.toContain("s-1");
  }
});

test("what is signed here is what our own receiver of webhooks takes", () => {
  const headers = signWebhook("msg_1", at, "body", testSecret);
  const request = { headers, body: Buffer.from("body"), receivedAt: at } as unknown as Parameters<
    typeof isSignedWith
  >[0];
  expect(isSignedWith(request, testSecret)).toBe(true);
  expect(isSignedWith({ ...request, body: Buffer.from("other") }, testSecret)).toBe(false);
  expect(() => signWebhook("msg_1", at, "body", "plain")).toThrow(/whsec_/);
});

describe("what follows from an answer", () => {
  const tried = { attempts: 3, waitingSince: instant(at - 1_000) };
  const answered = (status: number, retryAfter?: string) =>
    ({ kind: "answered", status, excerpt: "", ...(retryAfter === undefined ? {} : { retryAfter }) }) as const;
  const next = (answer: Parameters<typeof planNext>[1], of = tried) => planNext(of, answer, at, () => 0.5);

  test("is the end for 2xx and 410, and another try for all else", () => {
    expect(next(answered(202)).kind).toBe("sent");
    expect(next(answered(410)).kind).toBe("dead");
    for (const status of [301, 400, 401, 404, 408, 429, 500, 503])
      expect(next(answered(status)).kind).toBe("again");
  });

  test("waits longer after each try, an hour at most, and never less than was asked", () => {
    const waits = [0, 1, 5, 30].map((attempts) => {
      const plan = next(answered(500), { ...tried, attempts });
      return plan.kind === "again" ? plan.nextAt - at : 0;
    });
    expect(waits).toEqual([3_750, 7_500, 120_000, 2_700_000]);
    expect(next(answered(429, "600"))).toMatchObject({ nextAt: at + 600_000 });
  });

  test("is death after a day", () => {
    const old = { ...tried, waitingSince: instant(at - givenUpAfterMs) };
    expect(next(answered(500), old).kind).toBe("dead");
    const resting = { kind: "resting", retryInMs: 5, because: "failing" } as const;
    expect(next(resting, old).kind).toBe("dead");
    expect(next(resting)).toMatchObject({ kind: "again", counts: false });
  });
});
