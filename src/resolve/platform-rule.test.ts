import { describe, expect, it } from "vitest";
import { resolveBy } from "../../test/answers.ts";
import { draftOf } from "../../test/facts.ts";

/** `a: 1 2, b: 3`: the affected tenants with their resources. */
function affectedBy(subject: string, facts: readonly string[]): string {
  const { attribution } = resolveBy(draftOf(subject, 10, { kind: "symptom" }), facts);
  if (attribution.status !== "shared") return attribution.status;
  return attribution.affected
    .map(({ tenant, resources }) => `${tenant.projectId}: ${resources.map(({ id }) => id).join(" ")}`)
    .join(", ");
}

describe("trouble of the platform affects the tenants that stood on it then", () => {
  const servers = [
    "server:1 runs_on host:h @1",
    "server:1 owned_by project:a @1",
    "server:2 runs_on host:h @1",
    "server:2 owned_by project:b @1",
    "router:3 runs_on host:h @1",
    "router:3 owned_by project:a @1",
  ];

  it("a host, and what serves it", () => {
    expect(affectedBy("host:h", servers)).toBe("a: 3 1, b: 2");
    expect(affectedBy("agent:dhcp", [...servers, "agent:dhcp serves host:h @1"])).toBe("a: 3 1, b: 2");
  });

  it("an aggregate by its hosts", () => {
    expect(affectedBy("aggregate:fast", [...servers, "host:h member_of aggregate:fast @1"])).toBe(
      "a: 3 1, b: 2",
    );
    expect(affectedBy("aggregate:fast", [...servers, "host:h member_of aggregate:fast @11"])).toBe(
      "provider",
    );
  });

  it("a backend and its pools", () => {
    const volumes = [
      "volume:v stored_on backend:ceph#gold @1",
      "volume:v owned_by project:a @1",
      "backend:ceph#gold part_of backend:ceph @1",
    ];
    expect(affectedBy("backend:ceph", volumes)).toBe("a: v");
    expect(affectedBy("backend:ceph#gold", volumes)).toBe("a: v");
  });

  it("but not by what was deleted, by what is the provider's, nor by what may have been another's then", () => {
    const rest = [
      "server:1 removed_from component:nova @5",
      "server:4 runs_on host:h @1",
      "server:4 owned_by project:p @1",
      "project:p part_of domain:ops @1",
      "volume:v stored_on backend:ceph @1",
      "volume:v owned_by project:b @20",
    ];
    expect(affectedBy("host:h", [...servers, ...rest])).toBe("a: 3, b: 2");
    expect(affectedBy("backend:ceph", [...servers, ...rest])).toBe("provider");
  });

  it("a live migration stays its server's owner's", () => {
    const draft = draftOf("server:1", 10, {
      type: "compute.instance.live_migration.end",
      category: "migration",
    });
    expect(resolveBy(draft, servers).attribution).toMatchObject({
      status: "owned",
      tenant: { projectId: "a" },
    });
  });
});
