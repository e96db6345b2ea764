import type { Severity } from "../model/event.ts";

const words: Readonly<Record<Severity, readonly string[]>> = {
  critical: [
    "critical",
    "crit",
    "fatal",
    "emergency",
    "emerg",
    "alert",
    "disaster",
    "page",
    "p1",
    "sev1",
    "blocker",
  ],
  error: ["error", "err", "high", "major", "severe", "p2", "sev2"],
  warning: ["warning", "warn", "average", "medium", "minor", "moderate", "degraded", "p3", "sev3"],
  info: [
    "info",
    "information",
    "informational",
    "notice",
    "low",
    "none",
    "ok",
    "debug",
    "trace",
    "p4",
    "p5",
    "sev4",
  ],
};

const severityOf = new Map(
  Object.entries(words).flatMap(([severity, spellings]) =>
    spellings.map((word) => [word, severity as Severity]),
  ),
);

/** Monitoring products' words for how bad something is, e.g. `major` or `P1`; undefined for an unknown word. */
export function readSeverityWord(word: string): Severity | undefined {
  return severityOf.get(word.trim().toLowerCase());
}
