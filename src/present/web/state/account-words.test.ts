import { expect, it } from "vitest";
import { permissions } from "../../../model/role.ts";
import { accountWords, grantId, grantWords, rightsWords, throughWords } from "./account-words.ts";

it("names a provider by its roles and a tenant by what it sees", () => {
  const grants = [
    { scope: "provider", role: "operator" },
    { scope: "provider", role: "auditor" },
  ] as const;
  expect(accountWords({ kind: "provider", label: "provider", grants: [...grants] })).toBe(
    "Operator, Auditor",
  );
  expect(accountWords({ kind: "tenant", label: "project prod", grants: [...grants] })).toBe("project prod");
});

it("tells a grant with the id that it is on", () => {
  const grant = { scope: "project", control_plane: "region-1", project_id: "p1", role: "reader" } as const;
  expect(grantWords(grant)).toBe("Reader of a project");
  expect(grantId(grant)).toBe("p1");
  expect(grantWords({ scope: "provider", role: "admin" })).toBe("Administrator of the provider");
  expect(grantId({ scope: "provider", role: "admin" })).toBeUndefined();
});

it("has words for each right", () => {
  const words = rightsWords(permissions).split(", ");
  expect(words.length).toBeGreaterThanOrEqual(permissions.length);
  expect(words).not.toContain("undefined");
});

it("tells through what somebody signed in", () => {
  expect(throughWords("token")).toBe("with an API token");
  expect(throughWords("company")).toBe("through company");
  expect(throughWords(null)).toBe("without a session");
});
