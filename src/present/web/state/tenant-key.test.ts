import { expect, test } from "vitest";
import { tenantKey, tenantKeyWords } from "./tenant-key.ts";

const domain = { control_plane: "cloud", domain_id: "d1", domain_name: "contoso" };
const project = { ...domain, project_id: "p1", project_name: "prod" };

test("a tenant that is told is called by its name, a project with its domain", () => {
  expect(tenantKey(project)).toBe("project/cloud/p1");
  expect(tenantKeyWords(tenantKey(project), [domain, project])).toBe("contoso / prod");
  expect(tenantKeyWords(tenantKey(domain), [domain, project])).toBe("contoso (whole domain)");
});

test("a tenant that is not known any more keeps its key", () => {
  expect(tenantKeyWords("project/cloud/p2", [domain, project])).toBe("project/cloud/p2");
});
