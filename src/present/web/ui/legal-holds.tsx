import { useRef, useState } from "preact/hooks";
import type { HoldJson } from "../../api/retention-contract.ts";
import { announce } from "../state/announcer.ts";
import { sendApi } from "../state/client.ts";
import { preferredZone } from "../state/preferences.ts";
import { session } from "../state/session.ts";
import { targetWords, toTarget } from "../state/tenant-target.ts";
import type { TenantChoice } from "../state/tenant-tree.ts";
import { formatMoment } from "../time/zone.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { usePageData } from "./page-data.ts";
import { useSending } from "./sending.ts";
import { TenantPick } from "./tenant-pick.tsx";
import { isReason, WhyField } from "./why-field.tsx";

/** What may not be deleted, whatever its age; those that were lifted stay listed. */
export function LegalHolds() {
  const { data, failure, retry } = usePageData<{ holds: HoldJson[] }>("holds");
  const standing = data?.holds.filter(({ lifted }) => lifted === null) ?? [];
  const lifted = data?.holds.filter((hold) => hold.lifted !== null) ?? [];
  return (
    <section aria-labelledby="holds">
      <h2 id="holds">Legal holds</h2>
      {failure !== undefined && <ErrorNotice failure={failure} retry={retry} />}
      {data !== undefined && (
        <>
          {standing.length === 0 ? (
            <p>None stands.</p>
          ) : (
            <ul class="cards">
              {standing.map((hold) => (
                <Hold key={hold.id} hold={hold} reread={retry} />
              ))}
            </ul>
          )}
          {lifted.length > 0 && (
            <details class="versions">
              <summary>{lifted.length} lifted</summary>
              <ul class="cards">
                {lifted.map((hold) => (
                  <Hold key={hold.id} hold={hold} reread={retry} />
                ))}
              </ul>
            </details>
          )}
        </>
      )}
      <PlaceHold reread={retry} />
    </section>
  );
}

function moment(at: string): string {
  return formatMoment(Date.parse(at), preferredZone.value);
}

function spanWords({ from, to }: Pick<HoldJson, "from" | "to">): string {
  if (from === null && to === null) return "for all of time";
  if (from === null) return `before ${moment(to ?? "")}`;
  return to === null ? `from ${moment(from)} on` : `from ${moment(from)} to ${moment(to)}`;
}

function Hold({ hold, reread }: { hold: HoldJson; reread: () => void }) {
  const [lifting, setLifting] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const { lifted } = hold;
  const close = () => {
    setLifting(false);
    requestAnimationFrame(() => opener.current?.focus());
  };
  return (
    <li class="card" aria-labelledby={hold.id}>
      <header>
        <h3 id={hold.id}>{hold.of}</h3>
        <span class="dim">{spanWords(hold)}</span>
        {lifted !== null && <span class="tag">lifted</span>}
      </header>
      <p>
        {hold.why}{" "}
        <span class="dim">
          placed by {hold.placed_by}, {moment(hold.placed_at)}
        </span>
      </p>
      {lifted !== null && (
        <p>
          {lifted.why}{" "}
          <span class="dim">
            lifted by {lifted.by}, {moment(lifted.at)}
          </span>
        </p>
      )}
      {lifted === null && !lifting && (
        <p class="card-foot">
          <button type="button" class="control" ref={opener} onClick={() => setLifting(true)}>
            Lift…<span class="visually-hidden"> the hold on {hold.of}</span>
          </button>
        </p>
      )}
      {lifting && <LiftForm hold={hold} reread={reread} close={close} />}
    </li>
  );
}

function LiftForm(props: { hold: HoldJson; reread: () => void; close: () => void }) {
  const { hold, reread, close } = props;
  const [why, setWhy] = useState("");
  const { busy, failure, send } = useSending();
  const lift = async (event: Event) => {
    event.preventDefault();
    if (!isReason(why) || busy) return;
    const path = `holds/${encodeURIComponent(hold.id)}/lifting`;
    const done = await send(() => sendApi("POST", path, { why: why.trim() }));
    if (done === undefined) return;
    announce("Lifted.");
    close();
    reread();
  };
  return (
    <form class="withdraw" onSubmit={(event) => void lift(event)}>
      <p>What is old enough under it is deleted for good with the next pass, within the hour.</p>
      <WhyField value={why} onChange={setWhy} hint="Kept with the hold and in the audit." focused />
      {failure !== undefined && <ErrorNotice failure={failure} />}
      <div class="event-actions">
        <button type="submit" class="control primary" disabled={busy || !isReason(why)}>
          Lift
        </button>
        <button type="button" class="control" onClick={close}>
          Keep it
        </button>
      </div>
    </form>
  );
}

/** A day is meant as it begins in UTC. */
const dayStart = (day: string): string => `${day}T00:00:00Z`;

function PlaceHold({ reread }: { reread: () => void }) {
  const [choice, setChoice] = useState<TenantChoice>();
  const [days, setDays] = useState({ from: "", to: "" });
  const [why, setWhy] = useState("");
  const { busy, failure, send } = useSending();
  const isWhole = choice !== undefined && isReason(why);
  const place = async (event: Event) => {
    event.preventDefault();
    if (choice === undefined || !isWhole || busy) return;
    const body = {
      target: toTarget(choice),
      ...(days.from === "" ? {} : { from: dayStart(days.from) }),
      ...(days.to === "" ? {} : { to: dayStart(days.to) }),
      why: why.trim(),
    };
    const done = await send(() => sendApi("POST", "holds", body));
    if (done === undefined) return;
    announce("The hold stands.");
    setChoice(undefined);
    setDays({ from: "", to: "" });
    setWhy("");
    reread();
  };
  return (
    <details class="admin-details">
      <summary>Place a hold</summary>
      <form class="withdraw" onSubmit={(event) => void place(event)}>
        <div class="admin-form">
          <TenantPick
            label="On"
            words={choice === undefined ? "choose a tenant…" : targetWords(toTarget(choice), session.value)}
            chosen={choice}
            withCustomers
            onPick={setChoice}
          />
          {(["from", "to"] as const).map((edge) => (
            <label class="field" key={edge}>
              <span class="field-name">{edge === "from" ? "From, if not all" : "To, not part of it"}</span>
              <input
                type="date"
                value={days[edge]}
                onInput={(event) => setDays({ ...days, [edge]: event.currentTarget.value })}
              />
            </label>
          ))}
        </div>
        <WhyField
          value={why}
          onChange={setWhy}
          hint="Kept with the hold and in the audit. Days begin in UTC. A hold on a resource: isochron holds --resource."
        />
        {failure !== undefined && <ErrorNotice failure={failure} />}
        <div class="event-actions">
          <button type="submit" class="control primary" disabled={busy || !isWhole}>
            Place it
          </button>
        </div>
      </form>
    </details>
  );
}
