import { useState } from "preact/hooks";
import { audienceWords } from "../state/incident-words.ts";
import { decides, session } from "../state/session.ts";
import { tenantKey, tenantKeyWords } from "../state/tenant-key.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { useIncidentWrite, type IncidentPart } from "./incident-write.ts";
import { tenantGroups } from "./shell.tsx";

const names = ["summary", "impact", "cause", "actions"] as const;
const audiences = ["provider", "tenant", "public"] as const;

/** The texts about the whole incident, each for one audience, and who is told. */
export function IncidentSections(part: IncidentPart) {
  const { sections, tell, state } = part.dossier.incident;
  const writes = decides.value && state !== "published";
  const told = tell.map((key) => tenantKeyWords(key, session.value?.tenants ?? []));
  return (
    <section aria-labelledby="incident-sections">
      <h2 id="incident-sections">Texts</h2>
      {sections.length === 0 && <p>None is written.</p>}
      {sections.map(({ section, audience, text }) => (
        <article class="card" key={`${section} ${audience}`}>
          <h3>
            {section} <span class="dim">for {audienceWords(audience)}</span>
          </h3>
          <p class="incident-words">{text}</p>
        </article>
      ))}
      {writes && <WriteSection {...part} />}
      <p>{tell.length === 0 ? "No tenant is told." : `Told when it is published: ${told.join(", ")}`}</p>
      {writes && <TellTenants {...part} />}
    </section>
  );
}

function WriteSection(part: IncidentPart) {
  const { sections } = part.dossier.incident;
  const [section, setSection] = useState<(typeof names)[number]>("summary");
  const [audience, setAudience] = useState<(typeof audiences)[number]>("provider");
  const standing = sections.find((one) => one.section === section && one.audience === audience)?.text ?? "";
  const [typed, setTyped] = useState<string>();
  const { busy, failure, write } = useIncidentWrite(part);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (typed === undefined || busy) return;
    const change = { kind: "section", section, audience, text: typed.trim() } as const;
    if (await write([change], "The text stands.")) setTyped(undefined);
  };
  return (
    <details class="admin-details">
      <summary>Write a text</summary>
      <form class="withdraw" onSubmit={(event) => void submit(event)}>
        <div class="admin-form">
          <Choice label="Text" value={section} all={names} onPick={setSection} />
          <Choice label="For" value={audience} all={audiences} onPick={setAudience} />
        </div>
        <label class="field">
          <span class="field-name">Words</span>
          <textarea
            class="wide-input"
            rows={5}
            maxLength={20_000}
            value={typed ?? standing}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
        {failure !== undefined && <ErrorNotice failure={failure} />}
        <div class="event-actions">
          <button type="submit" class="control primary" disabled={busy || typed === undefined}>
            Keep it
          </button>
        </div>
      </form>
    </details>
  );
}

function Choice<Word extends string>(props: {
  label: string;
  value: Word;
  all: readonly Word[];
  onPick: (word: Word) => void;
}) {
  return (
    <label class="field">
      <span class="field-name">{props.label}</span>
      <select value={props.value} onChange={(event) => props.onPick(event.currentTarget.value as Word)}>
        {props.all.map((word) => (
          <option key={word} value={word}>
            {word}
          </option>
        ))}
      </select>
    </label>
  );
}

function TellTenants(part: IncidentPart) {
  const tenants = session.value?.tenants ?? [];
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(part.dossier.incident.tell));
  const { busy, failure, write } = useIncidentWrite(part);
  const keyAt = (index: number): string => {
    const tenant = tenants[index];
    return tenant === undefined ? "" : tenantKey(tenant);
  };
  const toggle = (key: string) => {
    const next = new Set(chosen);
    if (!next.delete(key)) next.add(key);
    setChosen(next);
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!busy) await write([{ kind: "tell", tenants: [...chosen] }], "They are told when it is published.");
  };
  return (
    <details class="admin-details">
      <summary>Choose who is told</summary>
      <form class="withdraw" onSubmit={(event) => void submit(event)}>
        {tenantGroups(tenants).map((group) => (
          <fieldset key={group.label}>
            <legend>{group.label}</legend>
            {group.tenants.map(({ index, label }) => (
              <label key={index} class="check">
                <input
                  type="checkbox"
                  checked={chosen.has(keyAt(index))}
                  onChange={() => toggle(keyAt(index))}
                />{" "}
                {label}
              </label>
            ))}
          </fieldset>
        ))}
        {failure !== undefined && <ErrorNotice failure={failure} />}
        <div class="event-actions">
          <button type="submit" class="control primary" disabled={busy}>
            Keep the choice
          </button>
        </div>
      </form>
    </details>
  );
}
