import { useState } from "preact/hooks";
import { nextStates } from "../state/incident-words.ts";
import { decides } from "../state/session.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { useIncidentWrite, type IncidentPart } from "./incident-write.ts";

const stepWords = {
  draft: "Take it back to draft",
  reviewed: "It is reviewed",
  published: "Publish…",
};

/** What is to be looked at before it is published, and the way there. */
export function IncidentSteps(part: IncidentPart) {
  const { checks, incident } = part.dossier;
  const [confirming, setConfirming] = useState(false);
  const { busy, failure, write } = useIncidentWrite(part);
  const blocked = checks.some(({ severity }) => severity === "blocks");
  const step = (state: "draft" | "reviewed" | "published") =>
    void write([{ kind: "state", state }], state === "published" ? "Published." : "The step is taken.").then(
      () => setConfirming(false),
    );
  return (
    <section aria-labelledby="incident-steps">
      <h2 id="incident-steps">Before publishing</h2>
      {checks.length === 0 ? (
        <p>The checks found nothing.</p>
      ) : (
        <ul class="incident-checks">
          {checks.map(({ code, severity, says }, index) => (
            <li key={`${code} ${index}`}>
              <span class="tag">{severity === "blocks" ? "to mend" : "to look at"}</span> {says}
            </li>
          ))}
        </ul>
      )}
      {failure !== undefined && <ErrorNotice failure={failure} />}
      {decides.value && !confirming && (
        <div class="event-actions">
          {nextStates(incident.state).map((state) => (
            <button
              key={state}
              type="button"
              class={state === "draft" ? "control" : "control primary"}
              disabled={busy || (state === "published" && blocked)}
              onClick={() => (state === "published" ? setConfirming(true) : step(state))}
            >
              {stepWords[state]}
            </button>
          ))}
        </div>
      )}
      {confirming && (
        <div class="notice" role="alertdialog" aria-label="Publish it">
          <p>
            It is frozen with a hash,{" "}
            {incident.tell.length === 0
              ? "no tenant is told"
              : `${incident.tell.length === 1 ? "one tenant is" : `${incident.tell.length} tenants are`} told`}
            , and nothing of it can be changed any more: later facts are amendments.
          </p>
          <div class="event-actions">
            <button type="button" class="control primary" disabled={busy} onClick={() => step("published")}>
              Publish it
            </button>
            <button type="button" class="control" onClick={() => setConfirming(false)}>
              Not yet
            </button>
          </div>
        </div>
      )}
    </section>
  );
}
