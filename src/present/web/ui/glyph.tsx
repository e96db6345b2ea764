import type { EventKind, Severity } from "../../../model/event.ts";

export const kindWords: Readonly<Record<EventKind, string>> = {
  change: "Change",
  symptom: "Symptom",
  recovery: "Recovery",
  human: "Human",
  activity: "Activity",
};

const paths: Readonly<Record<EventKind, string>> = {
  change: "M6 1 11 6 6 11 1 6z",
  symptom: "M6 1 11.2 10.2H.8z",
  recovery: "M2 2h8v8H2z",
  human: "M6 1.6a4.4 4.4 0 1 0 0 8.8 4.4 4.4 0 0 0 0-8.8z",
  activity: "M5 1h2v10H5z",
};

/** The kind's shape; always beside a word, so it is hidden from screen readers. */
export function Glyph({ kind, critical = false }: { kind: EventKind; critical?: boolean }) {
  return (
    <svg class={`glyph kind-${kind}`} viewBox={critical ? "-3 -3 18 18" : "0 0 12 12"} aria-hidden="true">
      <path d={paths[kind]} />
      {critical && <circle class="ring" cx="6" cy="6" r="8" />}
    </svg>
  );
}

export function KindWord({ kind }: { kind: EventKind }) {
  return (
    <span class="kind-word">
      <Glyph kind={kind} />
      <span>{kindWords[kind]}</span>
    </span>
  );
}

export function SeverityWord({ severity }: { severity: Severity }) {
  return <span class={`severity severity-${severity}`}>{severity}</span>;
}
