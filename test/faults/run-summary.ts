import type { Outcome } from "./fault-kind.ts";

interface Line {
  readonly kind: string;
  readonly outcome: Outcome | Error;
}

export function hasFailed(outcome: Outcome | Error): boolean {
  if (outcome instanceof Error) return true;
  const { lost, duplicate, extra, falseClaims, violations } = outcome;
  return [lost, duplicate, extra, falseClaims, violations].some((list) => list.length > 0);
}

/** Collects what each kind came to, and says it in one line each and a few at the end. */
export class RunSummary {
  readonly #lines: Line[] = [];

  /** The line of one run of a kind. */
  add(kind: string, seed: string, outcome: Outcome | Error, tookMs: number): Record<string, unknown> {
    this.#lines.push({ kind, outcome });
    const ok = !hasFailed(outcome);
    const tookSeconds = Math.round(tookMs / 1000);
    if (outcome instanceof Error) return { kind, seed, ok, failed: outcome.message, seconds: tookSeconds };
    const { recoveredMs, kills, frames, note } = outcome;
    const examples = [...outcome.lost, ...outcome.duplicate, ...outcome.extra, ...outcome.falseClaims].slice(
      0,
      6,
    );
    return {
      kind,
      seed,
      ok,
      injected: outcome.injected,
      recovered_ms: recoveredMs.map(Math.round),
      expected: outcome.expected,
      lost: outcome.lost.length,
      duplicate: outcome.duplicate.length,
      extra: outcome.extra.length,
      claims: outcome.claims,
      false_claims: outcome.falseClaims.length,
      ...(kills === undefined ? {} : { kills }),
      ...(frames === undefined ? {} : { frames }),
      ...(outcome.violations.length === 0 ? {} : { violations: outcome.violations }),
      ...(examples.length === 0 ? {} : { examples }),
      ...(note === undefined ? {} : { note }),
      seconds: tookSeconds,
    };
  }

  get failed(): boolean {
    return this.#lines.some(({ outcome }) => hasFailed(outcome));
  }

  lines(seed: string): readonly string[] {
    const outcomes = this.#lines
      .map(({ outcome }) => outcome)
      .filter((one): one is Outcome => !(one instanceof Error));
    const sum = (of: (outcome: Outcome) => number) => outcomes.reduce((all, one) => all + of(one), 0);
    const kills = new Map<string, number>();
    for (const outcome of outcomes)
      for (const [step, count] of Object.entries(outcome.kills ?? {}))
        kills.set(step, (kills.get(step) ?? 0) + count);
    const frames = outcomes.flatMap((outcome) => outcome.frames ?? []);
    const times = outcomes.flatMap(({ recoveredMs }) => recoveredMs).toSorted((a, b) => a - b);
    const seconds = (ms: number | undefined) => (ms === undefined ? "none" : `${(ms / 1000).toFixed(1)} s`);
    const allKills =
      [...kills.values()].reduce((all, count) => all + count, 0) +
      frames.reduce((all, { struck }) => all + struck, 0);
    const kinds = new Set(this.#lines.map(({ kind }) => kind));
    return [
      `# seed ${seed}: ${kinds.size} kinds in ${this.#lines.length} runs, ${sum(({ injected }) => injected)} faults, ${allKills} of them kills`,
      `# kills by step: ${
        [...kills]
          .toSorted()
          .map(([step, count]) => `${step} ${count}`)
          .join(", ") || "none"
      }`,
      `# wire frames: ${frames.map(({ struck, of }) => `${struck} of ${of}`).join(", ") || "none"}`,
      `# events expected ${sum(({ expected }) => expected)}, lost ${sum(({ lost }) => lost.length)}, duplicate ${sum(({ duplicate }) => duplicate.length)}, extra ${sum(({ extra }) => extra.length)}; claims ${sum(({ claims }) => claims)}, false ${sum(({ falseClaims }) => falseClaims.length)}`,
      `# recovery: median ${seconds(times[Math.floor(times.length / 2)])}, worst ${seconds(times.at(-1))}`,
      `# ${
        this.failed
          ? `FAILED: ${this.#lines
              .filter(({ outcome }) => hasFailed(outcome))
              .map(({ kind }) => kind)
              .join(", ")}`
          : "nothing lost, nothing twice, no false claim"
      }`,
    ];
  }
}
