import { expect, test } from "vitest";
import { IsochronError } from "../errors.ts";
import { findSource, sources } from "./registry.ts";

test("every source is found by its name, and names are unique words", () => {
  for (const source of sources) {
    expect(findSource(source.name)).toBe(source);
    expect(source.name).toMatch(/^[a-z][a-z0-9-]*$/);
  }
  expect(new Set(sources.map((source) => source.name)).size).toBe(sources.length);
});

test("an unknown name is refused with the names that there are", () => {
  expect(() => findSource("nagios")).toThrow(IsochronError);
  expect(() => findSource("nagios")).toThrow(/alertmanager/);
});
