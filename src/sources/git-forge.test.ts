import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { IsochronError } from "../errors.ts";
import type { EventDraft } from "../model/event.ts";
import { formatInstant, instant } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import { decoders } from "../normalise/decode.ts";
import { readFixture } from "./conformance/fixture.ts";
import { gitForge } from "./git-forge.ts";
import type { PushRequest, PushSettings } from "./source.ts";

const receivedAt = instant(Date.UTC(2026, 10, 21, 3, 30));
const fixture = readFixture("git-forge").requests!;

function requestOf(event: string, change: (body: JsonObject) => JsonObject = (body) => body): PushRequest {
  const found = fixture.find(
    ({ headers, text }) =>
      text!.startsWith("{") && [headers["x-github-event"], headers["x-gitlab-event"]].includes(event),
  )!;
  const body = JSON.stringify(change(JSON.parse(found.text!) as JsonObject));
  return { headers: found.headers, body: new TextEncoder().encode(body), receivedAt };
}

function settings(
  config: JsonObject,
  secrets: Record<string, string> = { "env:NEW": "conformance" },
): PushSettings {
  return { config, secret: (reference) => secrets[reference]! };
}

function draftOf(request: PushRequest): EventDraft {
  const [record] = gitForge.split(request, decoders);
  return gitForge.normalise(record!, decoders).events[0]!;
}

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof IsochronError) return error.code;
    throw error;
  }
  return "accepted";
}

describe("with a secret", () => {
  const one = settings({ secret: "env:NEW" });

  test("GitHub's and GitLab's own requests are taken", () => {
    for (const { headers, text } of fixture) {
      const request = { headers, body: new TextEncoder().encode(text), receivedAt };
      expect(code(() => gitForge.split(request, decoders, one))).toBe("accepted");
    }
  });

  test.each([
    ["one more byte", { body: new TextEncoder().encode(`${fixture[0]!.text!} `) }],
    ["no signature", { headers: { ...fixture[0]!.headers, "x-hub-signature-256": "" } }],
    [
      "the old SHA-1 signature alone",
      { headers: { "x-github-event": "push", "x-hub-signature": "sha1=00" } },
    ],
    [
      "a plain token in place of a signature",
      { headers: { "x-github-event": "push", "x-gitlab-token": "conformance" } },
    ],
    ["a wrong token", { headers: { "x-gitlab-event": "Push Hook", "x-gitlab-token": "Conformance" } }],
    ["no sender at all", { headers: {} }],
  ])("%s is refused before anything is read", (_what, change) => {
    const { headers, text } = fixture[0]!;
    const request = { headers, body: new TextEncoder().encode(text), receivedAt, ...change };
    expect(code(() => gitForge.split(request, decoders, one))).toBe("signature-invalid");
  });

  test("the previous secret is still taken, and no third one", () => {
    const rolling = (next: string, previous: string) =>
      settings(
        { secret: "env:NEXT", previous_secret: "env:LAST" },
        { "env:NEXT": next, "env:LAST": previous },
      );
    const request = requestOf("release");
    const signed = { ...request, headers: sign(request, "second") };
    expect(code(() => gitForge.split(signed, decoders, rolling("third", "second")))).toBe("accepted");
    expect(code(() => gitForge.split(signed, decoders, rolling("third", "first")))).toBe("signature-invalid");
  });

  test("a secret that is not there is the operator's mistake, and opens nothing", () => {
    const missing: PushSettings = {
      config: { secret: "env:NONE" },
      secret: () => {
        throw new IsochronError("config-invalid", "It is empty.", "Set it.");
      },
    };
    expect(code(() => gitForge.split(requestOf("push"), decoders, missing))).toBe("config-invalid");
    expect(code(() => gitForge.split(requestOf("push"), decoders, settings({ secret: "plain" })))).toBe(
      "config-invalid",
    );
  });
});

function sign(request: PushRequest, secret: string): Record<string, string> {
  const signature = createHmac("sha256", secret).update(request.body).digest("hex");
  return { ...request.headers, "x-hub-signature-256": `sha256=${signature}` };
}

describe("with a signing token of GitLab", () => {
  const key = Buffer.from("0123456789abcdef0123456789abcdef");
  const token = settings({ secret: "env:NEW" }, { "env:NEW": `whsec_${key.toString("base64")}` });

  function signed(at: string, body = requestOf("Push Hook").body): PushRequest {
    const text = createHmac("sha256", key).update(`msg_1.${at}.`).update(body).digest("base64");
    const headers = {
      ...requestOf("Push Hook").headers,
      "webhook-id": "msg_1",
      "webhook-timestamp": at,
      "webhook-signature": `v1,${Buffer.alloc(32).toString("base64")} v1,${text}`,
    };
    return { headers, body, receivedAt };
  }
  const seconds = receivedAt / 1000;
  const outcome = (request: PushRequest) => code(() => gitForge.split(request, decoders, token));

  test("a request of now is taken, and one of its several signatures is enough", () => {
    expect(outcome(signed(String(seconds)))).toBe("accepted");
    expect(outcome(signed(String(seconds - 299)))).toBe("accepted");
  });

  test("an older request, one of the future and one without a time are replays or forgeries", () => {
    for (const at of [String(seconds - 301), String(seconds + 301), "", "soon"]) {
      expect(outcome(signed(at)), at).toBe("signature-invalid");
    }
  });

  test("another body, another time or the plain token do not fit", () => {
    const request = signed(String(seconds));
    expect(outcome({ ...request, body: requestOf("Deployment Hook").body })).toBe("signature-invalid");
    const headers = { ...request.headers, "webhook-timestamp": String(seconds + 1) };
    expect(outcome({ ...request, headers })).toBe("signature-invalid");
    expect(outcome(requestOf("Push Hook"))).toBe("signature-invalid");
  });
});

test("what is no webhook of a forge is refused by code", () => {
  const body = new TextEncoder().encode("{}");
  const split = (headers: Record<string, string>, bytes = body) =>
    code(() => gitForge.split({ headers, body: bytes, receivedAt }, decoders));
  expect(split({})).toBe("header-missing");
  expect(split({ "x-github-event": "push", "content-type": "text/xml" })).toBe("media-type-unknown");
  for (const text of ["", "[]", "7", '{"a":', "payload={}"]) {
    expect(split({ "x-github-event": "push" }, new TextEncoder().encode(text)), text).toBe("body-invalid");
  }
});

test("a redelivery is the same occurrence, whatever id its delivery has", () => {
  for (const event of [
    "push",
    "deployment_status",
    "release",
    "Push Hook",
    "Deployment Hook",
    "Release Hook",
  ]) {
    const request = requestOf(event);
    const headers = { ...request.headers, "x-github-delivery": "again", "idempotency-key": "again" };
    const [first, second] = [draftOf(request), draftOf({ ...request, headers })];
    expect(second.key).toBe(first.key);
    expect(second.sourceIds).toEqual(["again"]);
  }
});

test("the same branch moved forth and back is two pushes", () => {
  const forth = draftOf(requestOf("push"));
  const back = draftOf(
    requestOf("push", (body) => ({ ...body, before: body["after"]!, after: body["before"]! })),
  );
  expect(back.key).not.toBe(forth.key);
});

test("repositories of one name on two forges are two, and a rename leaves one what it was", () => {
  const repository = (change: object) => (body: JsonObject) => ({
    ...body,
    repository: { ...(body["repository"] as JsonObject), ...change } as JsonObject,
  });
  const here = draftOf(requestOf("push"));
  const renamed = draftOf(requestOf("push", repository({ full_name: "acme/renamed" })));
  const there = draftOf(requestOf("push", repository({ html_url: "https://git.example.org/acme/web" })));
  expect([renamed.subject, renamed.subjectName]).toEqual([here.subject, "acme/renamed"]);
  expect(there.subject.id).not.toBe(here.subject.id);
});

test("a push tells the files that it changed, and how many there were where they are too many", () => {
  const { details, summary } = draftOf(requestOf("push"));
  expect(details["files"]).toEqual({
    added: ["etc/nova/conductor.conf"],
    modified: ["README.md"],
    removed: ["etc/nova/weights.conf"],
  });
  expect(summary).toBe("2 commits pushed to branch master: Drop the old scheduler weights");
  const many = draftOf(
    requestOf("push", (body) => ({
      ...body,
      commits: [{ id: "1", message: "m", added: Array.from({ length: 900 }, (_, index) => `f${index}`) }],
    })),
  );
  expect((many.details["files"] as { added: string[] }).added).toHaveLength(200);
  expect(many.details["files_total"]).toBe(900);
});

test("a failed deployment is a change that went wrong, and a queued one is none yet", () => {
  const of = (state: string) =>
    draftOf(
      requestOf("deployment_status", (body) => ({
        ...body,
        deployment_status: { ...(body["deployment_status"] as JsonObject), state },
      })),
    );
  expect(of("success")).toMatchObject({ kind: "change", phase: "end", severity: "info" });
  expect(of("failure")).toMatchObject({ kind: "change", phase: "error", severity: "error" });
  expect(of("queued")).toMatchObject({ kind: "activity", phase: "start" });
  expect(of("constructor")).toMatchObject({ kind: "activity", type: "git.deployment.constructor" });
});

test("a GitLab push has the time of its arrival, because it names none, and a deployment its own", () => {
  const push = draftOf(requestOf("Push Hook"));
  expect([push.occurredAt, push.precision, push.details["time_from"]]).toEqual([
    receivedAt,
    60_000,
    "received",
  ]);
  const deployment = draftOf(requestOf("Deployment Hook"));
  expect(formatInstant(deployment.occurredAt)).toBe("2026-11-21T03:12:31.000Z");
  expect(formatInstant(draftOf(requestOf("Release Hook")).occurredAt)).toBe("2026-11-20T12:55:12.000Z");
});

test("no tenant sees what a forge says", () => {
  for (const { headers, text } of fixture) {
    const draft = draftOf({ headers, body: new TextEncoder().encode(text), receivedAt });
    expect(draft).toMatchObject({ visibility: "provider", platform: true });
  }
});
