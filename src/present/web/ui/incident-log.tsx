import { useState } from "preact/hooks";
import { entryWords } from "../state/incident-words.ts";
import { preferredZone } from "../state/preferences.ts";
import { decides } from "../state/session.ts";
import { formatMoment } from "../time/zone.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { useIncidentWrite, type IncidentChangeJson, type IncidentPart } from "./incident-write.ts";

type Kind =
  "note" | "decision" | "amendment for the provider" | "amendment for tenants" | "amendment for everybody";
const beforePublication: readonly Kind[] = ["note", "decision"];
const afterPublication: readonly Kind[] = [
  "amendment for tenants",
  "amendment for everybody",
  "amendment for the provider",
];

/** What people wrote down, in the order in which they did. */
export function IncidentLog(part: IncidentPart) {
  const { log } = part.dossier.incident;
  return (
    <section aria-labelledby="incident-log">
      <h2 id="incident-log">Log</h2>
      {log.length === 0 && <p>Nothing was written yet.</p>}
      <ul class="cards">
        {log.map((entry) => {
          const { what, text } = entryWords(entry);
          return (
            <li class="card" key={entry.sequence}>
              <p>
                <strong>{what}</strong>{" "}
                <span class="dim">
                  by {entry.by}, {formatMoment(Date.parse(entry.recorded_at), preferredZone.value)}
                </span>
              </p>
              <p class="incident-words">{text}</p>
            </li>
          );
        })}
      </ul>
      {decides.value && <WriteEntry {...part} />}
    </section>
  );
}

function WriteEntry(part: IncidentPart) {
  const kinds = part.dossier.incident.state === "published" ? afterPublication : beforePublication;
  const [kind, setKind] = useState<Kind>();
  const [text, setText] = useState("");
  const [decided, setDecided] = useState("");
  const chosen = kind !== undefined && kinds.includes(kind) ? kind : (kinds[0] ?? "note");
  const { busy, failure, write } = useIncidentWrite(part);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (text.trim() === "" || busy) return;
    if (!(await write([changeOf(chosen, text.trim(), decided)], "Written."))) return;
    setText("");
    setDecided("");
  };
  return (
    <form class="withdraw" onSubmit={(event) => void submit(event)}>
      <label class="field">
        <span class="field-name">As</span>
        <select value={chosen} onChange={(event) => setKind(event.currentTarget.value as Kind)}>
          {kinds.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span class="field-name">Text</span>
        <textarea
          class="wide-input"
          rows={3}
          required
          maxLength={20_000}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      {chosen === "decision" && (
        <label class="field">
          <span class="field-name">Decided at, in UTC (now, where it is empty)</span>
          <input
            type="datetime-local"
            step={1}
            value={decided}
            onInput={(event) => setDecided(event.currentTarget.value)}
          />
        </label>
      )}
      {failure !== undefined && <ErrorNotice failure={failure} />}
      <div class="event-actions">
        <button type="submit" class="control primary" disabled={busy || text.trim() === ""}>
          Write it down
        </button>
      </div>
    </form>
  );
}

function changeOf(kind: Kind, text: string, decided: string): IncidentChangeJson {
  switch (kind) {
    case "note":
      return { kind, text };
    case "decision":
      return {
        kind,
        text,
        decided_at: (decided === "" ? new Date() : new Date(`${decided}Z`)).toISOString(),
      };
    case "amendment for the provider":
      return { kind: "amendment", text, audience: "provider" };
    case "amendment for tenants":
      return { kind: "amendment", text, audience: "tenant" };
    case "amendment for everybody":
      return { kind: "amendment", text, audience: "public" };
  }
}
