import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { returnPath } from "./return-path.ts";

describe("the way back after a sign-in", () => {
  test.each(["/", "/t?from=1&to=2#x", "/resource/server/a%2Fb"])("%s is one of these pages' own", (path) => {
    expect(returnPath(path)).toBe(path);
  });

  test.each([
    undefined,
    "",
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "https://evil.example",
    "javascript:alert(1)",
    "/..//evil.example",
    "/.//evil.example",
    "/api/v1/session/oidc/company",
    `/${"x".repeat(1_001)}`,
  ])("%s leads to the start, as whatever could lead elsewhere", (path) => {
    expect(returnPath(path)).toBe("/");
  });

  test("never leaves this server, whatever is asked", () => {
    const own = new URL("https://isochron.example.org/");
    const hostile = fc.stringMatching(/^[/\\.@:%a-z0-9\t\n ]{0,30}$/);
    fc.assert(
      fc.property(fc.oneof(fc.string(), hostile, fc.webUrl()), (asked) => {
        expect(new URL(returnPath(asked), own).origin).toBe(own.origin);
        expect(new URL(returnPath(`/${asked}`), own).origin).toBe(own.origin);
      }),
      { numRuns: 2_000 },
    );
  });
});
