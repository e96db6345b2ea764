import { describe, expect, it } from "vitest";
import { readTime } from "./typed-time.ts";

const near = Date.UTC(2024, 7, 2, 12, 0);

function read(text: string, zone = "Europe/Paris") {
  const answer = readTime(text, zone, near);
  if (!answer.ok) return answer.problem;
  return answer.time.kind === "relative" ? answer.time.ms : new Date(answer.time.ms).toISOString();
}

describe("typed times", () => {
  it("are read in the chosen zone, on the day in view", () => {
    expect(read("10:06")).toBe("2024-08-02T08:06:00.000Z");
    expect(read("10:06:30.5", "UTC")).toBe("2024-08-02T10:06:30.500Z");
  });

  it("may name another zone", () => {
    expect(read("10:06 UTC")).toBe("2024-08-02T10:06:00.000Z");
    expect(read("10:06 CEST", "UTC")).toBe("2024-08-02T08:06:00.000Z");
    expect(read("10:06 Asia/Kolkata")).toBe("2024-08-02T04:36:00.000Z");
    expect(read("10:06 UTC+05:30")).toBe("2024-08-02T04:36:00.000Z");
    expect(read("2024-08-02 10:06:00 UTC−02:30")).toBe("2024-08-02T12:36:00.000Z");
    expect(read("10:06 Moon")).toMatch(/no time zone/);
  });

  it("may be whole dates, RFC 3339, or relative", () => {
    expect(read("2024-08-02 10:06 UTC")).toBe("2024-08-02T10:06:00.000Z");
    expect(read("2024-08-02T10:06:00+02:00")).toBe("2024-08-02T08:06:00.000Z");
    expect(read("2024-08-02")).toBe("2024-08-01T22:00:00.000Z");
    expect(read("-2h")).toBe(-7_200_000);
    expect(read("now")).toBe(0);
  });

  it("say how they were read when something was left open", () => {
    const answer = readTime("10:06", "Europe/Paris", near);
    expect(answer.ok && answer.echo).toBe("reading “10:06” as 2024-08-02 10:06:00 CEST");
  });

  it("are refused with a hint when they are not times", () => {
    for (const text of [
      "",
      "soon",
      "25:00",
      "10:60",
      "2024-13-01",
      "2024-08-02T",
      "2024-02-31",
      "2024-08-0210:06",
      "9".repeat(40),
    ]) {
      expect(readTime(text, "UTC", near).ok, text).toBe(false);
    }
  });
});
