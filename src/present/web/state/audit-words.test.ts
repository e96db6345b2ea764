import { expect, test } from "vitest";
import { auditQuery, detailsText, tellActor } from "./audit-words.ts";

test("only conditions that are said are asked for", () => {
  expect(auditQuery({})).toBe("limit=100");
  expect(auditQuery({ action: "token", actor: undefined, before: 7 })).toBe(
    "limit=100&action=token&before=7",
  );
});

test("whoever is erased is said to be, and is no empty place", () => {
  const nobody = { id: null, name: null, address: null };
  expect(tellActor({ actor: { ...nobody, id: "u1", name: "Night shift" }, erased: false })).toBe(
    "Night shift",
  );
  expect(tellActor({ actor: { ...nobody, id: "u1" }, erased: false })).toBe("u1");
  expect(tellActor({ actor: nobody, erased: true })).toBe("erased");
});

test("details are told without all the settings, and nothing where there is nothing", () => {
  expect(detailsText({ details: { settings: { port: "1" } }, personal: {} })).toBe("");
  expect(detailsText({ details: { step: "made" }, personal: { reason: "r" } })).toContain('"step": "made"');
});
