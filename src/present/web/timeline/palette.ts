import type { EventKind } from "../../../model/event.ts";

/** The colours that the canvas paints with, as CSS colour strings. */
export interface Palette {
  readonly kinds: Readonly<Record<EventKind, string>>;
  readonly background: string;
  readonly lane: string;
  readonly line: string;
  readonly control: string;
  readonly text: string;
  readonly dim: string;
  readonly accent: string;
  readonly accentWash: string;
  readonly impactWash: string;
  readonly hatch: string;
  readonly critical: string;
  readonly font: string;
}

const tokens = {
  background: "bg",
  lane: "lane",
  line: "line",
  control: "control",
  text: "text",
  dim: "dim",
  accent: "accent",
  accentWash: "accent-wash",
  impactWash: "impact-wash",
  hatch: "hatch",
  critical: "critical",
} as const;

/** Reads the tokens as the page shows them now, through a probe, because `light-dark()` resolves only in use. */
export function readPalette(root: HTMLElement): Palette {
  const probe = document.createElement("span");
  probe.hidden = true;
  root.append(probe);
  const colour = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const palette: Palette = {
    kinds: {
      change: colour("change"),
      symptom: colour("symptom"),
      recovery: colour("recovery"),
      human: colour("human"),
      activity: colour("activity"),
    },
    background: colour(tokens.background),
    lane: colour(tokens.lane),
    line: colour(tokens.line),
    control: colour(tokens.control),
    text: colour(tokens.text),
    dim: colour(tokens.dim),
    accent: colour(tokens.accent),
    accentWash: colour(tokens.accentWash),
    impactWash: colour(tokens.impactWash),
    hatch: colour(tokens.hatch),
    critical: colour(tokens.critical),
    font: getComputedStyle(root).fontFamily,
  };
  probe.remove();
  return palette;
}
