import { describe, expect, it } from "vitest";
import { readNotification } from "../../../test/read-notification.ts";
import type { JsonObject } from "../../model/json.ts";

const ours = "0123456789abcdef0123456789abcdef";
const theirs = "fedcba9876543210fedcba9876543210";
const server = "6b1d19b6-d497-4577-9172-a9d1bc07ef9c";
const volume = "7c1d19b6-d497-4577-9172-a9d1bc07ef9c";

/** A call as the audit filter tells it, by an account whose token is for our project. */
function call(path: string, code: number | undefined, more: JsonObject = {}) {
  return readNotification(`audit.http.${code === undefined ? "request" : "response"}`, {
    requestPath: path,
    action: "update",
    initiator: { id: "account", user_id: "account", project_id: ours, request_id: "req-call" },
    ...(code === undefined ? {} : { reason: { reasonCode: String(code) } }),
    ...more,
  });
}

const usedBy = (path: string, code: number | undefined) =>
  call(path, code).facts.filter((fact) => fact.includes("used_by"));

describe("an audit record", () => {
  it("is about the first thing that its path names, mentions the others, and names the caller", () => {
    const { draft } = call(`/v2.1/servers/${server}/os-volume_attachments/${volume}`, 202);
    expect(draft.subject).toEqual({ kind: "server", id: server });
    expect(draft.related).toEqual([
      { role: "caller", ref: { kind: "user", id: "account" } },
      { role: "mentioned", ref: { kind: "volume", id: volume } },
    ]);
    expect(draft.stated).toBeUndefined();
  });

  it("is about its request where the path names nothing", () => {
    const { draft } = call("/v2.1/servers", 403);
    expect(draft.subject).toEqual({ kind: "request", id: "req-call" });
    expect(draft.stated).toBeUndefined();
  });

  it.each([undefined, 400, 403, 202])(
    "of a creation in a project of Cinder's states it where the token is for that project, answered %s",
    (code) => {
      expect(call(`/v3/${ours}/volumes`, code).draft.stated?.owner.id).toBe(ours);
    },
  );

  it.each([undefined, 400, 401, 403, 404])(
    "of a creation in another's project states nothing while nobody has let it through, answered %s",
    (code) => {
      const { draft, facts } = call(`/v3/${theirs}/volumes`, code);
      expect(draft.stated).toBeUndefined();
      expect(facts.join()).not.toContain(theirs);
    },
  );

  it("of a transfer that is accepted states who takes the volume, and of one that is not, nothing", () => {
    const path = (project: string) => `/v3/${project}/volume-transfers/${volume}/accept`;
    expect(call(path(ours), 202).draft).toMatchObject({
      subject: { kind: "transfer", id: volume },
      stated: { owner: { kind: "project", id: ours } },
    });
    const refused = call(path(theirs), 404).draft;
    expect(refused.subject).toEqual({ kind: "transfer", id: volume });
    expect(refused.stated).toBeUndefined();
  });

  it("of attachments states nothing: an operator's token makes them for others", () => {
    expect(call(`/v3/${ours}/attachments`, 200).draft.stated).toBeUndefined();
  });
});

describe("who used a thing", () => {
  it("is whoever was let through to it, and to whatever else the path names", () => {
    expect(usedBy(`/v2.1/servers/${server}/os-interface/${volume}`, 200)).toEqual([
      `server:${server} used_by user:account`,
      `port:${volume} used_by user:account`,
    ]);
    expect(usedBy(`/v2.1/servers/${server}`, 409)).toHaveLength(1);
  });

  it.each([undefined, 400, 401, 403, 404, 405, 413, 415, 429, 500])(
    "is nobody whose call was answered %s",
    (code) => {
      expect(usedBy(`/v2.1/servers/${server}`, code)).toEqual([]);
    },
  );

  it("is nobody where the thing is the provider's, or a project", () => {
    expect(usedBy(`/v2.1/flavors/${server}`, 200)).toEqual([]);
    expect(usedBy(`/v2.1/os-quota-sets/${ours}`, 200)).toEqual([]);
  });
});
