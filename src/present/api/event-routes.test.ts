import { expect, it } from "vitest";
import type { Evidence } from "../../model/event.ts";
import { tellOwner } from "./event-routes.ts";
import { TenantList } from "./tenant-directory.ts";

it("tells what proves the owner, and not in which domain the owner is", () => {
  const step = (rule: string, says: string): Evidence => ({
    rule,
    verdict: "accepted",
    confidence: "exact",
    says,
  });
  const attribution = {
    status: "owned",
    tenant: { controlPlane: "c", domainId: "d", projectId: "p" },
    evidence: [
      step("owner-interval/1", "Server s belongs to project p."),
      step("project-domain/1", "Project p is part of domain d."),
    ],
  } as const;
  expect(tellOwner(attribution, new TenantList([]))).toBe(
    "owned by project p (domain d) because server s belongs to project p",
  );
});
