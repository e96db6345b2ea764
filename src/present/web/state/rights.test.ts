import { describe, expect, it } from "vitest";
import type { GrantJson } from "../../api/session-contract.ts";
import { hasRight, managesTokens, sendsMessages, takesAlong } from "./rights.ts";

const reader: GrantJson = { scope: "project", control_plane: "region-1", project_id: "p1", role: "reader" };
const administrator: GrantJson = { ...reader, role: "admin" };
const tenant = (...grants: GrantJson[]) =>
  ({ kind: "tenant", as_tenant: false, grants, permissions: [] }) as const;
const operator = {
  kind: "provider",
  as_tenant: false,
  grants: [{ scope: "provider", role: "operator" }],
  permissions: ["read-workbench", "decide", "look-as-tenant", "export", "break-glass"],
} as const satisfies Parameters<typeof managesTokens>[0];
const lookingAs = { ...tenant(reader), as_tenant: true, permissions: ["look-as-tenant", "export"] } as const;

describe("rights in the browser", () => {
  it("are what the session tells, and none without a session", () => {
    expect(hasRight({ permissions: ["decide"] }, "decide")).toBe(true);
    expect(hasRight({ permissions: ["decide"] }, "administer")).toBe(false);
    expect(hasRight(undefined, "decide")).toBe(false);
  });

  it("give tokens to administrators of the provider and of a tenant alone", () => {
    expect(managesTokens({ ...operator, permissions: ["administer"] })).toBe(true);
    expect(managesTokens(operator)).toBe(false);
    expect(managesTokens(tenant(administrator))).toBe(true);
    expect(managesTokens(tenant(reader))).toBe(false);
    expect(managesTokens({ ...lookingAs, grants: [administrator] })).toBe(false);
  });

  it("let messages be sent by the provider and by a tenant's administrators", () => {
    expect(sendsMessages(operator)).toBe(true);
    expect(sendsMessages(tenant(administrator, reader))).toBe(true);
    expect(sendsMessages(tenant(reader))).toBe(false);
    expect(sendsMessages({ ...lookingAs, grants: [administrator] })).toBe(false);
  });

  it("let events be taken along only where everything shown is administered", () => {
    const other: GrantJson = { ...reader, project_id: "p2" };
    expect(takesAlong(tenant(administrator))).toBe(true);
    expect(takesAlong(tenant(administrator, reader))).toBe(true);
    expect(takesAlong(tenant(administrator, other))).toBe(false);
    expect(takesAlong(tenant(reader))).toBe(false);
    expect(takesAlong(tenant())).toBe(false);
    expect(takesAlong(operator)).toBe(false);
    expect(takesAlong(lookingAs)).toBe(true);
  });
});
