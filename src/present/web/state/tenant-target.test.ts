import { expect, it } from "vitest";
import { targetWords, toTarget } from "./tenant-target.ts";

const known = {
  customers: [{ customer_id: "acme", customer_name: "Acme Group" }],
  tenants: [
    { control_plane: "one", domain_id: "d1", domain_name: "contoso" },
    { control_plane: "one", domain_id: "d1", project_id: "p1", domain_name: "contoso", project_name: "prod" },
    { control_plane: "two", domain_id: "d1", project_id: "p1", domain_name: "other", project_name: "other" },
  ],
};

it("names what a choice of the tree stands for, by names where they are known", () => {
  const project = toTarget({ kind: "project", controlPlane: "one", id: "p1" });
  expect(project).toEqual({ control_plane: "one", project_id: "p1" });
  expect(targetWords(project, known)).toBe("project contoso / prod");
  const domain = toTarget({ kind: "domain", controlPlane: "one", id: "d1" });
  expect(domain).toEqual({ control_plane: "one", domain_id: "d1" });
  expect(targetWords(domain, known)).toBe("domain contoso");
  const customer = toTarget({ kind: "customer", id: "acme" });
  expect(customer).toEqual({ customer_id: "acme" });
  expect(targetWords(customer, known)).toBe("customer Acme Group");
});

it("falls back to ids", () => {
  expect(targetWords({ control_plane: "one", project_id: "p9" }, undefined)).toBe("project p9");
  expect(targetWords({ control_plane: "one", domain_id: "d9" }, known)).toBe("domain d9");
});
