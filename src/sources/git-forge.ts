import { createHash } from "node:crypto";
import type { z } from "zod";
import { IsochronError } from "../errors.ts";
import type { Observation } from "../model/event.ts";
import { duration } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import type { Delivery } from "./git-forge/forge-event.ts";
import { draftForgeEvent, unreadable } from "./git-forge/forge-event.ts";
import { recallDeliveries } from "./git-forge/deliveries.ts";
import { readGithub } from "./git-forge/github.ts";
import { readGitlab } from "./git-forge/gitlab.ts";
import { checkSignature, forgeConfig } from "./git-forge/signature.ts";
import { asObject, asText } from "./json-fields.ts";
import type { Decoders, PushRequest, PushSettings, RawRecord, WebhookSource } from "./source.ts";

/** Webhooks of GitHub and GitLab. */
export const gitForge: WebhookSource = {
  name: "git-forge",
  title: "GitHub and GitLab",
  summary:
    "Deployments, pushes and releases with the files that they changed; GitHub or GitLab posts them, signed, to the connection's URL.",
  delivery: "webhook",
  contract: {
    identity:
      "repository id with: deployment id + status id (GitLab: + status); ref + before + after of a push; release id + action",
    version: "a delivery never changes; a redelivery has the same identity",
    ordering: "unsorted",
    commitDelayMax: duration(60_000),
    clockErrorMax: duration(5_000),
    delivery: "push",
    revisions: "allowed",
    blindSpots:
      "GitHub does not try a failed delivery again by itself (redeliver it there), nor send bodies over 25 MB; what is " +
      "deployed past the forge is not seen; a GitLab push does not say when it was made.",
  },
  config: forgeConfig as unknown as z.ZodType<JsonObject>,
  split,
  normalise,
  recall: recallDeliveries,
};

/** One request is one delivery. Its signature is over the bytes as they came, so it is checked before they are read. */
function split(request: PushRequest, decode: Decoders, settings?: PushSettings): readonly RawRecord[] {
  const { headers } = request;
  const forge = headers["x-gitlab-event"] === undefined ? "github" : "gitlab";
  const event = headers["x-gitlab-event"] ?? headers["x-github-event"];
  checkSignature(request, settings);
  const bytes = readBody(request, decode);
  if (event === undefined) {
    throw new IsochronError(
      "header-missing",
      "The request has neither X-GitHub-Event nor X-Gitlab-Event.",
      "Post webhooks of GitHub or GitLab here.",
    );
  }
  const id =
    forge === "github"
      ? headers["x-github-delivery"]
      : (headers["idempotency-key"] ?? headers["x-gitlab-event-uuid"]);
  return [
    {
      bytes,
      position: `delivery ${id ?? "without an id"}`,
      receivedAt: request.receivedAt,
      meta: { forge, event, ...(asText(id) !== undefined && { delivery: id! }) },
    },
  ];
}

/** The JSON of the body, out of the form that GitHub wraps it in unless told otherwise. */
function readBody(request: PushRequest, decode: Decoders): Uint8Array {
  const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase() ?? "application/json";
  const isForm = type === "application/x-www-form-urlencoded";
  if (!isForm && type !== "application/json") {
    throw new IsochronError("media-type-unknown", `The body is ${type}.`, "Send application/json.");
  }
  try {
    const text = decode.text(request.body);
    const payload = isForm ? (new URLSearchParams(text).get("payload") ?? "") : text;
    if (asObject(decode.json(payload)) === undefined) throw unreadable("The body is no JSON object.");
    return isForm ? new TextEncoder().encode(payload) : request.body;
  } catch (error) {
    if (!(error instanceof IsochronError) || error.code !== "record-invalid") throw error;
    throw new IsochronError("body-invalid", error.problem, error.remedy, { cause: error });
  }
}

function normalise(record: RawRecord, decode: Decoders): Observation {
  const body = asObject(decode.json(decode.text(record.bytes)));
  if (body === undefined) throw unreadable("The body is no JSON object.");
  const forge = record.meta["forge"] === "gitlab" ? "gitlab" : "github";
  const delivery: Delivery = {
    forge,
    event: asText(record.meta["event"]) ?? "unknown",
    // Old GitLab versions name no delivery; a repetition has the same bytes.
    id: asText(record.meta["delivery"]) ?? createHash("sha256").update(record.bytes).digest("hex"),
    body,
    receivedAt: record.receivedAt,
  };
  const event = forge === "gitlab" ? readGitlab(delivery, decode) : readGithub(delivery, decode);
  return { events: [draftForgeEvent(delivery, event)], facts: [] };
}
