import { useState } from "preact/hooks";
import type { AlertGroupJson, AlertJson, AlertMemberJson } from "../../api/alert-contract.ts";
import { announce } from "../state/announcer.ts";
import { sendApi } from "../state/client.ts";
import { nameEntity } from "../state/entity-names.ts";
import { preferredZone } from "../state/preferences.ts";
import { decides } from "../state/session.ts";
import { formatMoment } from "../time/zone.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { SeverityWord } from "./glyph.tsx";
import { Link } from "./link.tsx";
import { useSending } from "./sending.ts";
import { isReason, WhyField } from "./why-field.tsx";

/** What a problem is called whose monitor's word for it is not told to the reader. */
const nameless = "unnamed";

/** One group: what it is about, and on request each alert with its members. */
export function AlertGroup({ group, reread }: { group: AlertGroupJson; reread: () => void }) {
  const { alerts, changed_before: cause } = group;
  const thing = group.on ?? alerts[0]!.thing;
  const known = alerts.map(({ problem_class: name }) => name).filter((name) => name !== nameless);
  const problems = [...new Set(known)].join(", ");
  return (
    <li class="card" aria-labelledby={group.id}>
      <header>
        <h3 id={group.id}>
          {thing.kind.replaceAll("_", " ")} {nameEntity(thing)}
          {problems !== "" && `: ${problems}`}
        </h3>
        <span class="tag">{group.state}</span> <SeverityWord severity={group.severity} />
      </header>
      <p>
        Since {moment(group.from)}
        {alerts.length > 1 && `; ${alerts.length} alerts: ${group.why}`}
      </p>
      {cause !== null && (
        <p>
          <Link href={`/e/${encodeURIComponent(cause.event.id)}`}>{cause.says}</Link>{" "}
          <span class="dim">a candidate, no more</span>
        </p>
      )}
      <details class="versions">
        <summary>
          {alerts.length === 1 ? "What monitors told" : `The ${alerts.length} alerts`}
          <span class="visually-hidden"> of {nameEntity(thing)}</span>
        </summary>
        <ul>
          {alerts.map((alert) => (
            <Alert key={alert.id} alert={alert} reread={reread} />
          ))}
        </ul>
      </details>
    </li>
  );
}

function moment(at: string): string {
  return formatMoment(Date.parse(at), preferredZone.value);
}

function Alert({ alert, reread }: { alert: AlertJson; reread: () => void }) {
  return (
    <li>
      <strong>
        {alert.thing.kind.replaceAll("_", " ")} {nameEntity(alert.thing)}
      </strong>{" "}
      <span class="tag">{alert.state}</span>
      <ul>
        {alert.members.map((member) => (
          <Member
            key={member.first_event}
            member={member}
            isShared={alert.members.length > 1}
            reread={reread}
          />
        ))}
      </ul>
    </li>
  );
}

function Member(props: { member: AlertMemberJson; isShared: boolean; reread: () => void }) {
  const { member, isShared, reread } = props;
  const { from, to, why, expected, unknown } = member;
  const canSplit = decides.value && isShared;
  const canJoin = decides.value && member.split !== undefined;
  return (
    <li>
      {member.monitor !== undefined && `${member.monitor}: `}
      <Link href={`/e/${encodeURIComponent(member.first_event)}`}>
        {member.problem === nameless ? "Alert" : member.problem}
      </Link>{" "}
      <span class="dim">
        {from === null ? "begun before" : moment(from)} to {to === null ? "now" : moment(to)}, {member.state}
      </span>
      {[expected, unknown, why].map((words) => words !== undefined && <p key={words}>{words}</p>)}
      {member.flapping_since !== undefined && <p>flaps since {moment(member.flapping_since)}</p>}
      {canSplit && <Decide word="Let it stand alone…" member={member} reread={reread} />}
      {canJoin && <Decide word="Merge it again…" member={member} reread={reread} />}
    </li>
  );
}

/** A person's word on whether one monitor's alert is a problem of its own, with the reason. */
function Decide(props: { word: string; member: AlertMemberJson; reread: () => void }) {
  const { word, member, reread } = props;
  const [open, setOpen] = useState(false);
  const [why, setWhy] = useState("");
  const { busy, failure, send } = useSending();
  const decide = async (event: Event) => {
    event.preventDefault();
    if (!isReason(why) || busy) return;
    const done = await send(() =>
      member.split === undefined
        ? sendApi("POST", "alerts/splits", { event: member.first_event, why: why.trim() })
        : sendApi("POST", `alerts/splits/${encodeURIComponent(member.split)}/undoing`, { why: why.trim() }),
    );
    if (done === undefined) return;
    announce(member.split === undefined ? "It stands alone." : "It is merged again.");
    reread();
  };
  if (!open)
    return (
      <button type="button" class="control" onClick={() => setOpen(true)}>
        {word}
      </button>
    );
  return (
    <form class="withdraw" onSubmit={(event) => void decide(event)}>
      <WhyField value={why} onChange={setWhy} hint="Kept with the decision and in the audit." focused />
      {failure !== undefined && <ErrorNotice failure={failure} />}
      <div class="event-actions">
        <button type="submit" class="control primary" disabled={busy || !isReason(why)}>
          Decide
        </button>
        <button type="button" class="control" onClick={() => setOpen(false)}>
          Leave it
        </button>
      </div>
    </form>
  );
}
