import { expect, it } from "vitest";
import { createTokenSchema } from "../../api/token-contract.ts";
import { isGood, tokenBody, type TokenTarget } from "./token-words.ts";

const targets: readonly TokenTarget[] = [
  { kind: "provider" },
  { kind: "ingest", connection: "hook" },
  { kind: "tenant", tenant: { control_plane: "region-1", project_id: "p1" } },
  { kind: "tenant", tenant: { control_plane: "region-1", domain_id: "d1" } },
  { kind: "tenant", tenant: { customer_id: "acme" } },
];

it.each(targets)("spells $kind as the API takes it", (target) => {
  const role = target.kind === "provider" ? "auditor" : "admin";
  const body = tokenBody({ name: " nightly ", target, role, days: 30 });
  expect(createTokenSchema.parse(body)).toMatchObject({ name: "nightly", expires_days: 30 });
});

it("spells nothing while a name or a target is missing", () => {
  const draft = { name: "nightly", role: "reader", days: 30 };
  expect(tokenBody({ ...draft, name: " ", target: { kind: "provider" } })).toBeUndefined();
  expect(tokenBody({ ...draft, target: { kind: "ingest", connection: " " } })).toBeUndefined();
  expect(tokenBody({ ...draft, target: { kind: "tenant", tenant: undefined } })).toBeUndefined();
});

it("counts a token as good until it is revoked or over", () => {
  const expires_at = "2026-11-21T03:00:00Z";
  const at = Date.parse(expires_at);
  expect(isGood({ revoked_at: null, expires_at }, at - 1)).toBe(true);
  expect(isGood({ revoked_at: null, expires_at }, at)).toBe(false);
  expect(isGood({ revoked_at: expires_at, expires_at: null }, at)).toBe(false);
  expect(isGood({ revoked_at: null, expires_at: null }, at)).toBe(true);
});
