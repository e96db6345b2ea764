import { useState } from "preact/hooks";
import type { MaintenanceJson, WorkWindowJson } from "../../api/maintenance-contract.ts";
import { announce } from "../state/announcer.ts";
import { sendApi } from "../state/client.ts";
import { preferredZone } from "../state/preferences.ts";
import { decides } from "../state/session.ts";
import { formatMoment, momentIn } from "../time/zone.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { usePageData } from "./page-data.ts";
import { useSending } from "./sending.ts";
import { isReason, WhyField } from "./why-field.tsx";

/** Planned work, what sources tell of, and a form to plan more. */
export function MaintenanceList(props: { told: readonly WorkWindowJson[]; reread: () => void }) {
  const { data, failure, retry } = usePageData<MaintenanceJson>("maintenance?limit=100");
  const changed = () => {
    retry();
    props.reread();
  };
  return (
    <section aria-labelledby="maintenance">
      <h2 id="maintenance">Maintenance</h2>
      <p class="hint">
        What happens to these things and to what stands on them meanwhile is called expected, and shown all
        the same.
      </p>
      {failure !== undefined && <ErrorNotice failure={failure} retry={retry} />}
      {data !== undefined && data.windows.length === 0 && <p>No work is planned.</p>}
      {data !== undefined && data.windows.length > 0 && (
        <ul class="cards">
          {data.windows.map((window) => (
            <Work key={window.id} window={window} reread={changed} />
          ))}
        </ul>
      )}
      {props.told.length > 0 && (
        <details class="versions">
          <summary>{props.told.length} told by sources</summary>
          <ul class="cards">
            {props.told.map((window) => (
              <Work key={window.told.event} window={window} reread={changed} />
            ))}
          </ul>
        </details>
      )}
      {decides.value && <PlanForm reread={changed} />}
    </section>
  );
}

function moment(at: string): string {
  return formatMoment(Date.parse(at), preferredZone.value);
}

function Work({ window, reread }: { window: WorkWindowJson; reread: () => void }) {
  const { busy, failure, send } = useSending();
  const { told, cancelled_at: cancelled } = window;
  const isOver = window.to !== null && Date.parse(window.to) <= Date.now();
  const cancel = async () => {
    const done = await send(() => sendApi("DELETE", `maintenance/${encodeURIComponent(window.id ?? "")}`));
    if (done === undefined) return;
    announce("Cancelled.");
    reread();
  };
  return (
    <li class="card" aria-label={window.title}>
      <header>
        <h3>{window.title}</h3>
        <span class="dim">
          {moment(window.from)} to {window.to === null ? "no told end" : moment(window.to)}
        </span>
        {cancelled !== null && <span class="tag">cancelled</span>}
        {cancelled === null && isOver && <span class="tag">over</span>}
      </header>
      <p>{window.on.map(({ kind, id }) => `${kind.replaceAll("_", " ")} ${id}`).join(", ")}</p>
      <p class="dim">
        {told.by === "planned" ? `${told.why}; planned by ${told.person}` : `told by ${told.connection}`}
      </p>
      {failure !== undefined && <ErrorNotice failure={failure} />}
      {window.id !== undefined && cancelled === null && !isOver && decides.value && (
        <p class="card-foot">
          <button type="button" class="control" disabled={busy} onClick={() => void cancel()}>
            Cancel it<span class="visually-hidden">: {window.title}</span>
          </button>
        </p>
      )}
    </li>
  );
}

const thingPattern = /^[a-z_]+\/\S.*$/;

function readThings(text: string): readonly { readonly kind: string; readonly id: string }[] | undefined {
  const words = text.split(/[,\n]/).map((word) => word.trim());
  const named = words.filter((word) => word !== "");
  if (named.length === 0 || !named.every((word) => thingPattern.test(word))) return undefined;
  return named.map((word) => {
    const slash = word.indexOf("/");
    return { kind: word.slice(0, slash), id: word.slice(slash + 1) };
  });
}

/** A local time of the zone that the pages show, as the input writes it. */
function readMoment(text: string): string | undefined {
  const local = Date.parse(`${text}Z`);
  return Number.isNaN(local) ? undefined : new Date(momentIn(local, preferredZone.value)).toISOString();
}

function PlanForm({ reread }: { reread: () => void }) {
  const empty = { title: "", things: "", from: "", to: "", plane: "" };
  const [given, setGiven] = useState(empty);
  const [why, setWhy] = useState("");
  const { busy, failure, send } = useSending();
  const on = readThings(given.things);
  const [from, to] = [readMoment(given.from), readMoment(given.to)];
  const isWhole = given.title.trim() !== "" && on !== undefined && from !== undefined && to !== undefined;
  const plan = async (event: Event) => {
    event.preventDefault();
    if (!isWhole || !isReason(why) || busy) return;
    const plane = given.plane.trim() === "" ? {} : { control_plane: given.plane.trim() };
    const body = { title: given.title.trim(), from, to, on, why: why.trim(), ...plane };
    const done = await send(() => sendApi("POST", "maintenance", body));
    if (done === undefined) return;
    announce("Planned.");
    setGiven(empty);
    setWhy("");
    reread();
  };
  const note = (name: keyof typeof empty) => (event: { readonly currentTarget: HTMLInputElement }) =>
    setGiven({ ...given, [name]: event.currentTarget.value });
  const words = (name: keyof typeof empty, label: string) => (
    <label class="field">
      <span class="field-name">{label}</span>
      <input type="text" value={given[name]} autocomplete="off" onInput={note(name)} />
    </label>
  );
  const moments = (name: "from" | "to", label: string) => (
    <label class="field">
      <span class="field-name">{label}</span>
      <input type="datetime-local" value={given[name]} onInput={note(name)} />
    </label>
  );
  return (
    <details class="admin-details">
      <summary>Plan work</summary>
      <form class="withdraw" onSubmit={(event) => void plan(event)}>
        <div class="admin-form">
          {words("title", "What is done")}
          {words("things", "On, such as host/cmp-17, with commas between")}
          {moments("from", `From (${preferredZone.value})`)}
          {moments("to", "To, not part of it")}
          {words("plane", "Cloud, where there are several")}
        </div>
        <WhyField value={why} onChange={setWhy} hint="Kept with the work and in the audit." />
        {failure !== undefined && <ErrorNotice failure={failure} />}
        <div class="event-actions">
          <button type="submit" class="control primary" disabled={busy || !isWhole || !isReason(why)}>
            Plan it
          </button>
        </div>
      </form>
    </details>
  );
}
