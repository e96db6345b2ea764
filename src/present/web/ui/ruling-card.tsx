import { useRef, useState } from "preact/hooks";
import type { RulingJson, RulingVersionJson } from "../../api/quarantine-contract.ts";
import { announce } from "../state/announcer.ts";
import { sendApi } from "../state/client.ts";
import { preferredZone } from "../state/preferences.ts";
import { countWords, matchWords } from "../state/ruling-words.ts";
import { decides } from "../state/session.ts";
import { formatMoment } from "../time/zone.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { Link } from "./link.tsx";
import { tenantWords } from "./ownership.tsx";
import { useSending } from "./sending.ts";
import { isReason, WhyField } from "./why-field.tsx";

/** One ruling with its versions, and the ways to rule otherwise or to take it back. */
export function RulingCard({ ruling, reread }: { ruling: RulingJson; reread: () => void }) {
  const [withdrawing, setWithdrawing] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const inForce = ruling.state === "in-force";
  const id = `ruling-${ruling.id}`;
  const close = () => {
    setWithdrawing(false);
    requestAnimationFrame(() => opener.current?.focus());
  };
  return (
    <li class={`card ruling${inForce ? "" : " withdrawn"}`} aria-labelledby={id}>
      <header>
        <h2 id={id}>{answerWords(ruling)}</h2>
        <span class="tag">{inForce ? "in force" : "withdrawn"}</span>
        {inForce && (
          <span class="dim">
            holds {countWords(ruling.events, ruling.at_least)} {ruling.events === 1 ? "event" : "events"}
          </span>
        )}
      </header>
      <Match match={ruling.match} />
      <Decision version={ruling} />
      {ruling.versions.length > 1 && <Versions versions={ruling.versions} />}
      {inForce && decides.value && !withdrawing && (
        <p class="card-foot">
          <Link class="control" href={`/quarantine?ruling=${encodeURIComponent(ruling.id)}`}>
            Rule otherwise<span class="visually-hidden">: {answerWords(ruling)}</span>
          </Link>
          <button type="button" class="control" ref={opener} onClick={() => setWithdrawing(true)}>
            Withdraw…<span class="visually-hidden"> {answerWords(ruling)}</span>
          </button>
        </p>
      )}
      {inForce && decides.value && withdrawing && (
        <WithdrawForm ruling={ruling} reread={reread} close={close} />
      )}
    </li>
  );
}

/** Whose a ruling says the events are. */
export function answerWords({ answer }: Pick<RulingVersionJson, "answer">): string {
  return answer.tenant === undefined ? "The provider’s own" : tenantWords(answer.tenant);
}

function Match({ match }: Pick<RulingVersionJson, "match">) {
  const words = matchWords(match, preferredZone.value);
  return (
    <p class="match">
      {words.map(([word, value]) => (
        <span key={word}>
          <span class="dim">{word}</span> <code>{value}</code>
        </span>
      ))}
    </p>
  );
}

function Decision({ version }: { version: RulingVersionJson }) {
  const at = formatMoment(Date.parse(version.decided_at), preferredZone.value);
  return (
    <p>
      {version.why}{" "}
      <span class="dim">
        {version.withdrawn ? "withdrawn" : `version ${version.version}`} by {version.by}, {at}
      </span>
    </p>
  );
}

function Versions({ versions }: { versions: readonly RulingVersionJson[] }) {
  return (
    <details class="versions">
      <summary>{versions.length} versions</summary>
      <ol>
        {versions.map((version) => (
          <li key={version.version}>
            <strong>{version.withdrawn ? "Withdrawn" : answerWords(version)}</strong>
            <Match match={version.match} />
            <Decision version={version} />
          </li>
        ))}
      </ol>
    </details>
  );
}

/** Takes a ruling back; what it held waits again, unless facts have named an owner meanwhile. */
function WithdrawForm(props: { ruling: RulingJson; reread: () => void; close: () => void }) {
  const { ruling, reread, close } = props;
  const [why, setWhy] = useState("");
  const { busy, failure, send } = useSending();
  const withdraw = async (event: Event) => {
    event.preventDefault();
    if (!isReason(why) || busy) return;
    const body = { why: why.trim(), expected_version: ruling.version };
    const path = `rulings/${encodeURIComponent(ruling.id)}/withdrawal`;
    const done = await send(() => sendApi<RulingJson>("POST", path, body));
    reread();
    if (done === undefined) return;
    announce("Withdrawn.");
    close();
  };
  const events = countWords(ruling.events, ruling.at_least);
  return (
    <form class="withdraw" onSubmit={(event) => void withdraw(event)}>
      <p>
        <strong>
          {events} {ruling.events === 1 ? "event" : "events"}
        </strong>{" "}
        will be looked at anew: without another owner that facts prove,{" "}
        {ruling.events === 1 ? "it waits" : "they wait"} again, and no tenant sees{" "}
        {ruling.events === 1 ? "it" : "them"} any more.
      </p>
      <WhyField value={why} onChange={setWhy} hint="Kept with the ruling, as its last version." focused />
      {failure?.status === 409 ? (
        <div class="notice" role="alert">
          <p>
            <strong>The situation changed: somebody else has decided about this ruling.</strong> It has been
            read anew; look again, then withdraw it.
          </p>
        </div>
      ) : (
        failure !== undefined && <ErrorNotice failure={failure} />
      )}
      <div class="event-actions">
        <button type="submit" class="control primary" disabled={busy || !isReason(why)}>
          Withdraw
        </button>
        <button type="button" class="control" onClick={close}>
          Keep it
        </button>
      </div>
    </form>
  );
}
