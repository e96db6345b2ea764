import { describe, expect, it } from "vitest";
import { draftOf } from "../../test/facts.ts";
import type { Attribution } from "../model/event.ts";
import { redact } from "../../test/redact.ts";

const tenant = { controlPlane: "cloud", domainId: "d", projectId: "p" };
const owned: Attribution = { status: "owned", tenant, evidence: [] };

describe("what a tenant may know", () => {
  it("leaves out host, actor, raw payload and whatever is not expressly allowed", () => {
    const draft = draftOf("server:1", 10, {
      type: "compute.instance.reboot.end",
      subjectName: "web-1",
      actor: { userId: "staff", userName: "night shift", address: "192.0.2.9" },
      related: [
        { role: "host", ref: { kind: "host", id: "compute-02" } },
        { role: "volume", ref: { kind: "volume", id: "v" }, name: "secret name" },
        { role: "receiver", ref: { kind: "project", id: "foreign" } },
      ],
      summary: "rebooted on compute-02 by night shift",
      details: {
        payload: { size: 3, host: "compute-02", invented: "tomorrow" },
        publisher: "compute.compute-02",
      },
    });
    const text = JSON.stringify(redact(draft, owned, ["server:1"]));
    for (const secret of [
      "compute-02",
      "staff",
      "night shift",
      "192.0.2.9",
      "foreign",
      "invented",
      "secret name",
    ]) {
      expect(text).not.toContain(secret);
    }
    expect(text).toContain('"size":3');
    expect(text).toContain("Server web-1: reboot");
  });

  it("shows a mentioned resource only where it is proven to be the tenant's own", () => {
    const related = [
      { role: "volume", ref: { kind: "volume", id: "mine" } },
      { role: "volume", ref: { kind: "volume", id: "somebody's" } },
    ];
    const [edition] = redact(draftOf("server:1", 10, { related }), owned, ["server:1", "volume:mine"]);
    expect(edition!.related.map((item) => item.ref.id)).toEqual(["mine"]);
  });

  it("does not name whoever was granted a role, nor a request that somebody else made", () => {
    const draft = draftOf("user:staff-id", 10, {
      type: "identity.role_assignment.created",
      subjectName: "night.shift",
      stated: { owner: { kind: "project", id: "p" }, path: "payload.project" },
      operation: { requestId: "req-staff" },
      actor: { userId: "staff-id", projectId: "operators" },
    });
    expect(JSON.stringify(redact(draft, owned, []))).not.toMatch(/staff|night/);
  });

  it("does not repeat an alert's name or a sender's own words for a type", () => {
    const alert = redact(
      draftOf("server:1", 10, { type: "alert.disk_full_on_compute_02.firing" }),
      owned,
      [],
    );
    const custom = redact(draftOf("server:1", 10, { type: "com.example.compute-02.reboot" }), owned, []);
    expect(JSON.stringify([alert, custom])).not.toMatch(/compute.02|disk/);
    expect(alert[0]!.summary).toBe("Server: a monitoring alert began");
  });

  it("gives nobody an edition of what is unresolved, ambiguous, the provider's or meant for the provider", () => {
    const draft = draftOf("server:1", 10);
    expect(redact(draft, { status: "unresolved", evidence: [] }, [])).toEqual([]);
    expect(redact(draft, { status: "provider", evidence: [] }, [])).toEqual([]);
    expect(redact(draft, { status: "ambiguous", candidates: [tenant], evidence: [] }, [])).toEqual([]);
    expect(redact({ ...draft, visibility: "provider" }, owned, [])).toEqual([]);
  });

  it("tells each affected tenant of its own resources only, without the host and without counting others", () => {
    const other = { controlPlane: "cloud", projectId: "q" };
    const draft = draftOf("host:compute-02", 10, {
      kind: "symptom",
      severity: "critical",
      summary: "compute-02 is down",
    });
    const editions = redact(
      draft,
      {
        status: "shared",
        evidence: [],
        affected: [
          {
            tenant,
            resources: [
              { kind: "server", id: "1" },
              { kind: "server", id: "2" },
            ],
          },
          { tenant: other, resources: [{ kind: "server", id: "3" }] },
        ],
      },
      [],
    );
    expect(editions).toHaveLength(2);
    const [first, second] = editions.map((edition) => JSON.stringify(edition));
    expect(first).not.toMatch(/compute-02|"3"|"q"/);
    expect(second).not.toMatch(/compute-02|"1"|"2"|"p"/);
    expect(editions[0]!.summary).toMatch(
      /^Platform trouble on part-[0-9a-f]{8} affected 2 of your servers \(1, 2\)$/,
    );
    expect(editions[1]!.summary).toMatch(/^Platform trouble on part-[0-9a-f]{8} affected your server 3$/);
  });
});
