import { describe, expect, test } from "vitest";
import { z } from "zod";
import { eventsQuerySchema } from "./contract.ts";
import { whatElseQuerySchema } from "./what-else-contract.ts";
import { compileValidator } from "./query-validator.ts";

type Verdict = { value?: unknown; error?: Error & { code?: string; problem?: string } };

function check(schema: typeof eventsQuerySchema | typeof whatElseQuerySchema, query: object): Verdict {
  const validate = compileValidator({ schema, method: "GET", url: "/", httpPart: "querystring" });
  return validate(query) as Verdict;
}

describe("a query of events", () => {
  test.each([
    "0",
    "-1",
    "1e2",
    " 10",
    "10 ",
    "1000000000",
    "+5",
    "0x10",
    "1.0",
    "٣",
    "",
    "NaN",
    "2001",
    "007",
  ])("limit %j is refused", (limit) => {
    expect(check(eventsQuerySchema, { limit }).error?.code).toBe("query-invalid");
  });

  test.each(["1", "200", "2000"])("limit %j is taken", (limit) => {
    expect(check(eventsQuerySchema, { limit }).value).toMatchObject({ limit: Number(limit) });
  });

  test.each([
    "2026-11-21T01:15:00",
    "2026-11-21",
    "now",
    "infinity",
    "2026-02-30T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "+010000-01-01T00:00:00Z",
    "2026-11-21T01:15:00 02:00",
    "1790000000000",
  ])("the time %j is refused", (from) => {
    expect(check(eventsQuerySchema, { from }).error?.problem).toMatch(/^`from` is /);
  });

  test("a window without a length is refused", () => {
    const at = "2026-11-21T01:15:00Z";
    expect(check(eventsQuerySchema, { from: at, to: at }).error?.problem).toBe("`to` is not after `from`.");
  });

  test("everything that is wrong is said at once", () => {
    const query = {
      limit: "1e2",
      from: "yesterday",
      kind: "change,chance",
      q: ["a", "b"],
      color: "red",
      resource: "web-1",
      to: "2026-11-21T01:15:00Z",
    };
    const problem = check(eventsQuerySchema, query).error?.problem ?? "";
    for (const name of ["limit", "from", "kind", "q", "color", "resource"])
      expect(problem).toContain(`\`${name}\``);
    expect(problem).toContain("`q` is given more than once");
    expect(problem).toContain("`color` is not known here");
    expect(problem).not.toContain("`to`");
  });

  test("a name that the caller made up comes back without anything that draws", () => {
    const problem = check(eventsQuerySchema, { "<b>\u202e`\n": "1" }).error?.problem;
    expect(problem).toBe("`<b>???` is not known here.");
  });

  test("text with a NUL is refused before it can reach the database", () => {
    expect(check(eventsQuerySchema, { q: "a\0b" }).error?.problem).toBe(
      "`q` is text with control characters, which match nothing.",
    );
  });
});

test("what-else without an event and without a moment says what to give", () => {
  expect(check(whatElseQuerySchema, {}).error?.problem).toContain("give an event, or a moment");
});

test("a body of null has what is missing told, as an empty one has", () => {
  const schema = z.strictObject({ title: z.string() });
  const validate = compileValidator({ schema, method: "POST", url: "/", httpPart: "body" });
  const told = (body: unknown) => (validate(body) as Verdict).error;
  expect(told(null)?.problem).toBe("`title` is missing.");
  expect(told(null)?.problem).toBe(told({})?.problem);
});
