import type { EvidenceJson } from "../../api/contract.ts";

type Confidence = EvidenceJson["confidence"];

export const confidenceMeanings: Readonly<Record<Confidence, string>> = {
  exact: "a record states it for that very moment",
  derived: "follows from records around that moment",
  assumed: "the best that is known; no record states it",
};

/** Full, half or empty: told by its shape and its word, never by its colour alone. */
export function ConfidenceMark({ confidence }: { confidence: Confidence }) {
  return (
    <span class={`confidence confidence-${confidence}`} title={confidenceMeanings[confidence]}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        <circle cx="6" cy="6" r="4.6" />
        {confidence === "exact" && <path d="M6 1.4a4.6 4.6 0 0 0 0 9.2 4.6 4.6 0 0 0 0-9.2z" />}
        {confidence === "derived" && <path d="M6 1.4a4.6 4.6 0 0 0 0 9.2z" />}
      </svg>
      {confidence}
    </span>
  );
}
