import { describe, expect, it } from "vitest";
import type { EventJson } from "../../api/contract.ts";
import { draftOfGroup, draftOfRuling, narrowings, readDraft, type RulingDraft } from "./ruling-draft.ts";

const group = { type: "alert.disk", connection: "alerts@east", control_plane: "east" };
const acme = { kind: "tenant", tenant: { kind: "project", id: "p1", controlPlane: "east" } } as const;

describe("a ruling's draft", () => {
  it("starts as all of its group, and lacks an answer", () => {
    const draft = draftOfGroup(group);
    expect(draft.match).toEqual(group);
    expect(readDraft(draft)).toEqual({ ok: false, problems: { answer: "Say whose they are." } });
    expect(readDraft({ ...draft, answer: acme })).toEqual({
      ok: true,
      request: { match: group, answer: { kind: "tenant", project_id: "p1" } },
    });
  });

  it("never gives the events of one control plane to a tenant of another", () => {
    const west = { ...acme, tenant: { ...acme.tenant, controlPlane: "west" } };
    expect(readDraft({ ...draftOfGroup(group), answer: west })).toEqual({
      ok: false,
      problems: { answer: "That tenant is on west, the events are on east." },
    });
    const read = readDraft({ match: { type: "alert.*" }, answer: west });
    expect(read).toMatchObject({ ok: true, request: { match: { type: "alert.*", control_plane: "west" } } });
  });

  it("is never about everything", () => {
    const provider: RulingDraft["answer"] = { kind: "provider" };
    expect(readDraft({ match: { control_plane: "east" }, answer: provider }).ok).toBe(false);
    expect(readDraft({ match: {}, answer: provider }).ok).toBe(false);
  });

  it("tells what is wrong condition by condition", () => {
    const match = { type: "a*b", subject: "server", alias: "IP/1", from: "yesterday", connection: " " };
    const read = readDraft({ match, answer: { kind: "provider" } });
    expect(read.ok ? [] : Object.keys(read.problems)).toEqual([
      "type",
      "connection",
      "subject",
      "alias",
      "from",
    ]);
  });

  it("spells things as kind and id, where an id may hold slashes", () => {
    const match = { subject: "path/dev/vda", to: "2026-11-21T03:00:00Z" };
    expect(readDraft({ match, answer: { kind: "provider" } })).toEqual({
      ok: true,
      request: {
        match: { subject: { kind: "path", id: "dev/vda" }, to: match.to },
        answer: { kind: "provider" },
      },
    });
  });

  it("reads back what was ruled", () => {
    const match = { type: "alert.*", control_plane: "east", alias: { kind: "ip", id: "10.0.0.7" } };
    const answer = { kind: "tenant" as const, tenant: { control_plane: "east", domain_id: "d1" } };
    expect(readDraft(draftOfRuling({ match, answer }))).toEqual({
      ok: true,
      request: { match, answer: { kind: "tenant", domain_id: "d1" } },
    });
    const own = draftOfRuling({ match, answer: { kind: "provider" } });
    expect(own.answer).toEqual({ kind: "provider" });
  });

  it("can be narrowed by what the example is about and by the names it is told under", () => {
    const related = [
      { role: "alias:server", kind: "name", id: "web-1" },
      { role: "within", kind: "host", id: "h" },
    ];
    const event = { subject: { kind: "name", id: "web-1" }, related } as unknown as EventJson;
    expect(narrowings(event)).toEqual([
      { field: "subject", value: "name/web-1" },
      { field: "alias", value: "name/web-1" },
    ]);
  });
});
