import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";

type Themes = { readonly light: string; readonly dark: string };
const tokens = new Map<string, Themes>();

beforeAll(async () => {
  const css = await readFile(new URL("tokens.css", import.meta.url), "utf8");
  for (const match of css.matchAll(/--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)) {
    tokens.set(match[1] ?? "", { light: match[2] ?? "", dark: match[3] ?? "" });
  }
});

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((start) => {
    const share = Number.parseInt(colour.slice(start, start + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
}

function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05);
}

function shortfalls(marks: readonly string[], grounds: readonly string[], least: number): string[] {
  const found: string[] = [];
  for (const mark of marks) {
    for (const ground of grounds) {
      for (const theme of ["light", "dark"] as const) {
        const ratio = contrast(tokens.get(mark)?.[theme] ?? "", tokens.get(ground)?.[theme] ?? "");
        if (!(ratio >= least)) found.push(`${mark} on ${ground}, ${theme}: ${ratio.toFixed(2)}`);
      }
    }
  }
  return found;
}

const grounds = ["bg", "lane", "selected", "hover"] as const;

describe("the colours", () => {
  it("are all found in the style sheet", () => {
    expect(tokens.size).toBeGreaterThan(20);
  });

  it("keep text readable on every ground it stands on", () => {
    const words = ["text", "dim", "accent", "info", "warning", "error", "critical"];
    expect(shortfalls(words, grounds, 4.5)).toEqual([]);
    expect(shortfalls(["text", "dim", "error"], ["notice", "error-ground", "tenant-ground"], 4.5)).toEqual(
      [],
    );
    expect(shortfalls(["on-accent"], ["accent"], 4.5)).toEqual([]);
    expect(shortfalls(["recovery"], ["bg"], 4.5)).toEqual([]);
  });

  it("keep marks, borders of controls and focus visible", () => {
    const signs = ["change", "symptom", "recovery", "human", "activity"];
    expect(shortfalls(signs, ["bg", "lane"], 3)).toEqual([]);
    expect(shortfalls(["control", "focus", "accent"], ["bg", "lane"], 3)).toEqual([]);
  });
});
