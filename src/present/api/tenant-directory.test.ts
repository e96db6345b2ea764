import { describe, expect, test } from "vitest";
import { domainKey, projectKey } from "../../model/tenant.ts";
import { TenantList } from "./tenant-directory.ts";

const controlPlane = "region-1";
const tenants = new TenantList([
  { key: domainKey(controlPlane, "d-old"), controlPlane, domainId: "d-old", name: "acme" },
  { key: domainKey(controlPlane, "d-new"), controlPlane, domainId: "d-new", name: "globex" },
  {
    key: projectKey(controlPlane, "p-moved"),
    controlPlane,
    domainId: "d-new",
    projectId: "p-moved",
    name: "takeover",
    domainName: "globex",
  },
]);
const then = { controlPlane, domainId: "d-old", projectId: "p-moved" };

describe("a project that another domain has now", () => {
  test("is told its former domain without what it is called since, and itself without its former domain's name", () => {
    expect(tenants.toTenantJson(then)).toEqual({
      control_plane: controlPlane,
      domain_id: "d-old",
      project_id: "p-moved",
    });
  });

  test("is told its own domain with its names", () => {
    const names = { domain_name: "globex", project_name: "takeover" };
    expect(tenants.toTenantJson({ ...then, domainId: "d-new" })).toMatchObject(names);
    expect(tenants.toTenantJson({ controlPlane, projectId: "p-moved" })).toMatchObject(names);
  });

  test("never lends its new domain's name to a domain that has none", () => {
    const nameless = { ...then, domainId: "d-nameless" };
    expect(tenants.toJson(nameless)).toMatchObject({ domain_name: undefined, project_name: "takeover" });
  });
});
