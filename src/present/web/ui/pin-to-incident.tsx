import { useState } from "preact/hooks";
import type { IncidentAnswerJson, IncidentsJson, OpenedIncidentJson } from "../../api/incident-contract.ts";
import { readApi, sendApi } from "../state/client.ts";
import { goTo } from "../state/route.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { usePageData } from "./page-data.ts";
import { useSending } from "./sending.ts";

/** Pins an event to an incident that is open, or opens one with it. */
export function PinToIncident({ event, summary }: { event: string; summary: string }) {
  const [open, setOpen] = useState(false);
  if (!open) {
    return (
      <button type="button" class="control" onClick={() => setOpen(true)}>
        Pin to incident…
      </button>
    );
  }
  return <PinForm event={event} summary={summary} close={() => setOpen(false)} />;
}

function PinForm(props: { event: string; summary: string; close: () => void }) {
  const { event, summary, close } = props;
  const {
    data,
    failure: unread,
    retry,
  } = usePageData<IncidentsJson>("incidents?state=draft,reviewed&limit=100");
  const [chosen, setChosen] = useState("");
  const { busy, failure, send } = useSending();
  const pin = async (submitted: Event) => {
    submitted.preventDefault();
    if (busy) return;
    const done = await send(() => (chosen === "" ? openWith(event, summary) : pinTo(chosen, event)));
    if (done !== undefined) goTo(`/incidents/${done.answer}`);
  };
  return (
    <form class="withdraw" onSubmit={(submitted) => void pin(submitted)}>
      {unread !== undefined && <ErrorNotice failure={unread} retry={retry} />}
      <label class="field">
        <span class="field-name">Incident</span>
        <select value={chosen} onChange={(changed) => setChosen(changed.currentTarget.value)}>
          <option value="">open a new one</option>
          {data?.incidents.map(({ id, title }) => (
            <option key={id} value={id}>
              {title}
            </option>
          ))}
        </select>
      </label>
      {failure !== undefined && <ErrorNotice failure={failure} />}
      <div class="event-actions">
        <button type="submit" class="control primary" disabled={busy}>
          Pin it
        </button>
        <button type="button" class="control" onClick={close}>
          Leave it
        </button>
      </div>
    </form>
  );
}

async function openWith(event: string, summary: string): Promise<string> {
  const title = summary.slice(0, 200);
  const { incident } = await sendApi<OpenedIncidentJson>("POST", "incidents", { title, events: [event] });
  return incident.id;
}

async function pinTo(id: string, event: string): Promise<string> {
  const answer = await readApi<IncidentAnswerJson>(`incidents/${id}`);
  if (answer.kind === "edition") return id;
  const body = { expected_version: answer.incident.version, changes: [{ kind: "pin", event }] };
  await sendApi("POST", `incidents/${id}/entries`, body);
  return id;
}
