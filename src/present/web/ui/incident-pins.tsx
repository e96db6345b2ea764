import { useState } from "preact/hooks";
import type { PinJson } from "../../api/incident-contract.ts";
import { preferredZone } from "../state/preferences.ts";
import { decides } from "../state/session.ts";
import { formatMoment } from "../time/zone.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { useIncidentWrite, type IncidentPart } from "./incident-write.ts";
import { Link } from "./link.tsx";
import { isReason, WhyField } from "./why-field.tsx";

/** The pinned events, as the reader may see them. */
export function IncidentPins(part: IncidentPart) {
  const { pins, incident } = part.dossier;
  const [taken, setTaken] = useState<string>();
  const writes = decides.value && incident.state !== "published";
  return (
    <section aria-labelledby="incident-pins">
      <h2 id="incident-pins">Pinned events</h2>
      {pins.length === 0 && <p>None. Choose an event in the timeline and pin it here.</p>}
      {pins.length > 0 && (
        <ul class="cards">
          {pins.map((pin) => (
            <li class="card" key={pin.event}>
              <Pin pin={pin} />
              {writes && taken !== pin.event && (
                <p class="card-foot">
                  <button type="button" class="control" onClick={() => setTaken(pin.event)}>
                    Take off…<span class="visually-hidden"> {pin.summary ?? pin.event}</span>
                  </button>
                </p>
              )}
              {taken === pin.event && <Unpin {...part} event={pin.event} close={() => setTaken(undefined)} />}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

const stateWords = {
  visible: "",
  withheld: "You may not see this event.",
  gone: "This event is not stored any more.",
};

function Pin({ pin }: { pin: PinJson }) {
  return (
    <>
      <p>
        {pin.state === "visible" ? (
          <>
            {pin.occurred_at !== undefined && (
              <time>{formatMoment(Date.parse(pin.occurred_at), preferredZone.value)}</time>
            )}{" "}
            <Link href={`/e/${encodeURIComponent(pin.event)}`}>{pin.summary}</Link>
          </>
        ) : (
          <>
            {stateWords[pin.state]} <code class="id">{pin.event}</code>
          </>
        )}
      </p>
      <p class="dim">
        {pin.note !== undefined && `${pin.note} · `}pinned by {pin.by}
      </p>
    </>
  );
}

function Unpin({ event, close, ...part }: IncidentPart & { event: string; close: () => void }) {
  const [why, setWhy] = useState("");
  const { busy, failure, write } = useIncidentWrite(part);
  const unpin = async (submitted: Event) => {
    submitted.preventDefault();
    if (!isReason(why) || busy) return;
    if (await write([{ kind: "unpin", event, why: why.trim() }], "It is pinned no more.")) close();
  };
  return (
    <form class="withdraw" onSubmit={(submitted) => void unpin(submitted)}>
      <WhyField value={why} onChange={setWhy} hint="Kept in the incident's history." focused />
      {failure !== undefined && <ErrorNotice failure={failure} />}
      <div class="event-actions">
        <button type="submit" class="control primary" disabled={busy || !isReason(why)}>
          Take it off
        </button>
        <button type="button" class="control" onClick={close}>
          Leave it
        </button>
      </div>
    </form>
  );
}
