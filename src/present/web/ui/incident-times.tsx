import { useState } from "preact/hooks";
import type { DossierJson, TimeMarkJson } from "../../api/incident-contract.ts";
import {
  lengthNames,
  lengthWords,
  precisionOf,
  provenanceWords,
  timeWords,
} from "../state/incident-words.ts";
import { preferredZone } from "../state/preferences.ts";
import { decides } from "../state/session.ts";
import { formatMoment } from "../time/zone.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { useIncidentWrite, type IncidentPart } from "./incident-write.ts";

type Thing = DossierJson["times"][number];
const names = ["event", "detection", "decision", "resolution"] as const;

/** The four times of each measured thing, how each is known, and the lengths between them. */
export function IncidentTimes(part: IncidentPart) {
  const { times, incident } = part.dossier;
  const writes = decides.value && incident.state !== "published";
  return (
    <section aria-labelledby="incident-times">
      <h2 id="incident-times">Times</h2>
      {times.length === 0 && <p>Nothing is measured yet: name a service, a component or a resource.</p>}
      {times.map((one) => (
        <ThingTimes key={one.thing.id} one={one} />
      ))}
      {writes && times.length > 0 && <SetTime {...part} />}
      {writes && <AddThing {...part} />}
    </section>
  );
}

function ThingTimes({ one: { thing, standing, inferred, lengths } }: { one: Thing }) {
  return (
    <div class="table-wrap" tabIndex={0} role="group" aria-label={`Times of ${thing.name}, scrollable`}>
      <table class="plain">
        <caption>
          {thing.name}
          {thing.ref !== undefined && (
            <span class="dim">
              {" "}
              {thing.ref.kind} {thing.ref.id}
            </span>
          )}
        </caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">At</th>
            <th scope="col">How it is known</th>
          </tr>
        </thead>
        <tbody>
          {names.map((name) => (
            <TimeRow
              key={name}
              name={name}
              mark={standing.find(({ time }) => time === name)}
              inferred={inferred.find(({ time }) => time === name)}
            />
          ))}
        </tbody>
        <tfoot>
          <tr>
            <td colSpan={3}>
              {lengthNames.map(([name, words]) => `${words} ${lengthWords(lengths[name])}`).join("; ")}
            </td>
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

function TimeRow(props: {
  name: TimeMarkJson["time"];
  mark: TimeMarkJson | undefined;
  inferred: TimeMarkJson | undefined;
}) {
  const { name, mark, inferred } = props;
  const differs = mark !== undefined && inferred !== undefined && inferred.at !== mark.at;
  return (
    <tr>
      <th scope="row">{timeWords[name]}</th>
      <td class="time">{mark === undefined ? "not known" : moment(mark.at)}</td>
      <td>
        {mark !== undefined && provenanceWords(mark.provenance)}
        {differs && (
          <span class="dim">
            {" "}
            ({moment(inferred.at)} {provenanceWords(inferred.provenance)})
          </span>
        )}
      </td>
    </tr>
  );
}

function moment(at: string): string {
  return formatMoment(Date.parse(at), preferredZone.value);
}

interface TimeForm {
  readonly thing: string;
  readonly time: TimeMarkJson["time"];
  readonly at: string;
  readonly why: string;
}

function SetTime(part: IncidentPart) {
  const { things } = part.dossier.incident;
  const [form, setForm] = useState<TimeForm>({
    thing: things[0]?.id ?? "",
    time: "detection",
    at: "",
    why: "",
  });
  const { busy, failure, write } = useIncidentWrite(part);
  const at = Date.parse(`${form.at}Z`);
  const isWhole = form.thing !== "" && !Number.isNaN(at) && form.why.trim() !== "";
  const set = async (event: Event) => {
    event.preventDefault();
    if (!isWhole || busy) return;
    const { thing, time, why } = form;
    const change = {
      kind: "time",
      thing,
      time,
      at: new Date(at).toISOString(),
      precision_ms: precisionOf(form.at),
      why: why.trim(),
    } as const;
    if (await write([change], "The time is set.")) setForm({ ...form, at: "", why: "" });
  };
  const isGiven = part.dossier.incident.times.some(
    ({ thing, time }) => thing === form.thing && time === form.time,
  );
  const clear = async () => {
    const { thing, time, why } = form;
    const change = { kind: "clear-time", thing, time, why: why.trim() } as const;
    if (await write([change], "The time is taken back.")) setForm({ ...form, at: "", why: "" });
  };
  return (
    <details class="admin-details">
      <summary>Set a time, or take one back</summary>
      <form class="withdraw" onSubmit={(event) => void set(event)}>
        <div class="admin-form">
          <Choice
            label="Of"
            value={form.thing}
            all={things.map(({ id, name }) => [id, name])}
            onPick={(thing) => setForm({ ...form, thing })}
          />
          <Choice
            label="Which"
            value={form.time}
            all={names.map((name) => [name, timeWords[name]])}
            onPick={(time) => setForm({ ...form, time: time as TimeForm["time"] })}
          />
          <TimeFields form={form} setForm={setForm} />
        </div>
        {failure !== undefined && <ErrorNotice failure={failure} />}
        <div class="event-actions">
          <button type="submit" class="control primary" disabled={busy || !isWhole}>
            Set it
          </button>
          {isGiven && <TakeBack ready={!busy && form.why.trim() !== ""} take={() => void clear()} />}
        </div>
      </form>
    </details>
  );
}

function TakeBack({ ready, take }: { ready: boolean; take: () => void }) {
  return (
    <button type="button" class="control" disabled={!ready} onClick={take}>
      Take back what was given
    </button>
  );
}

function Choice(props: {
  label: string;
  value: string;
  all: readonly (readonly [value: string, words: string])[];
  onPick: (value: string) => void;
}) {
  return (
    <label class="field">
      <span class="field-name">{props.label}</span>
      <select value={props.value} onChange={(event) => props.onPick(event.currentTarget.value)}>
        {props.all.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

function TimeFields({ form, setForm }: { form: TimeForm; setForm: (form: TimeForm) => void }) {
  return (
    <>
      <label class="field">
        <span class="field-name">At, in UTC</span>
        <input
          type="datetime-local"
          step={1}
          required
          value={form.at}
          onInput={(event) => setForm({ ...form, at: event.currentTarget.value })}
        />
      </label>
      <label class="field">
        <span class="field-name">How it is known, or why it is taken back</span>
        <input
          class="wide-input"
          required
          maxLength={500}
          value={form.why}
          onInput={(event) => setForm({ ...form, why: event.currentTarget.value })}
        />
      </label>
    </>
  );
}

function AddThing(part: IncidentPart) {
  const [form, setForm] = useState({ name: "", resource: "" });
  const { busy, failure, write } = useIncidentWrite(part);
  const match = /^([a-z_]+)[/:](.+)$/.exec(form.resource.trim());
  const isWhole = form.name.trim() !== "" && (form.resource.trim() === "" || match !== null);
  const add = async (event: Event) => {
    event.preventDefault();
    if (!isWhole || busy) return;
    const name = form.name.trim();
    const ref = match === null ? {} : { ref: { kind: match[1] ?? "", id: match[2] ?? "" } };
    const thing = { id: match === null ? name : form.resource.trim(), name, ...ref };
    if (await write([{ kind: "thing", thing }], "It is measured now.")) setForm({ name: "", resource: "" });
  };
  return (
    <details class="admin-details">
      <summary>Measure another thing</summary>
      <form class="withdraw" onSubmit={(event) => void add(event)}>
        <div class="admin-form">
          {(["name", "resource"] as const).map((field) => (
            <label class="field" key={field}>
              <span class="field-name">{field === "name" ? "Name" : "Resource, such as host/compute-7"}</span>
              <input
                class="wide-input"
                required={field === "name"}
                maxLength={200}
                value={form[field]}
                onInput={(event) => setForm({ ...form, [field]: event.currentTarget.value })}
              />
            </label>
          ))}
        </div>
        {failure !== undefined && <ErrorNotice failure={failure} />}
        <div class="event-actions">
          <button type="submit" class="control primary" disabled={busy || !isWhole}>
            Measure it
          </button>
        </div>
      </form>
    </details>
  );
}
