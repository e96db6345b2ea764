import { useEffect, useRef, useState } from "preact/hooks";
import type { EventJson, MembersPageJson } from "../../api/contract.ts";
import { announce } from "../state/announcer.ts";
import { isAbort, readApi, RequestFailure } from "../state/client.ts";
import { nameEntity } from "../state/entity-names.ts";
import { stormOf, subjectWords, type Storm, type StormSample } from "../state/storm.ts";
import { view } from "../state/timeline-state.ts";
import { formatLength } from "../time/length.ts";
import { formatClock, formatMoment, zoneName } from "../time/zone.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { Link } from "./link.tsx";
import { formatCount } from "./number-words.ts";

const pageSize = 100;

/** What an event of a storm stands for: how many, from when to when, samples, and all of them page by page. */
export function StormPart({ event }: { event: EventJson }) {
  const storm = stormOf(event);
  if (storm === undefined) return null;
  return (
    <section class="part storm" aria-labelledby="storm-title">
      <h3 id="storm-title">A storm, folded into one event</h3>
      <p class="storm-count">
        <strong>× {formatCount(storm.count)}</strong> on {subjectWords(storm)}
      </p>
      <StormTimes storm={storm} />
      <Members key={event.id} id={event.id} storm={storm} />
    </section>
  );
}

function StormTimes({ storm }: { storm: Storm }) {
  const { zone } = view.value;
  return (
    <dl class="facts">
      <div>
        <dt>First</dt>
        <dd>
          <time>{formatMoment(storm.first, zone, "ms")}</time>
        </dd>
      </div>
      <div>
        <dt>Last</dt>
        <dd>
          <time>{formatMoment(storm.last, zone, "ms")}</time>{" "}
          <span class="dim">{formatLength(storm.last - storm.first)} later</span>
        </dd>
      </div>
    </dl>
  );
}

interface Unfolded {
  readonly members: readonly StormSample[];
  readonly next: string | null;
}

/** The samples at first; when asked for, the members themselves. A tenant is given its own only. */
function Members({ id, storm }: { id: string; storm: Storm }) {
  const { unfolded, reading, failure, read } = useMembers(id);
  const shown = unfolded?.members ?? storm.samples;
  const rest = storm.count - shown.length;
  const more = unfolded === undefined ? rest > 0 : unfolded.next !== null;
  return (
    <>
      <h4>{unfolded === undefined ? `First ${formatCount(shown.length)} of them` : "One by one"}</h4>
      <ol class="members">
        {shown.map((member) => (
          <Member key={member.id} member={member} />
        ))}
      </ol>
      {failure !== undefined && <ErrorNotice failure={failure} retry={read} />}
      {more && failure === undefined && (
        <p class="storm-more">
          <button type="button" class="control" disabled={reading} onClick={read}>
            {unfolded === undefined
              ? `Show all ${formatCount(storm.count)}`
              : `Show ${formatCount(Math.min(pageSize, rest))} more`}
          </button>{" "}
          {unfolded !== undefined && (
            <span class="dim">
              {formatCount(shown.length)} of {formatCount(storm.count)}
            </span>
          )}
        </p>
      )}
      {unfolded !== undefined && !more && <p class="dim">All {formatCount(shown.length)} are shown.</p>}
    </>
  );
}

function useMembers(id: string) {
  const [unfolded, setUnfolded] = useState<Unfolded | undefined>(undefined);
  const [reading, setReading] = useState(false);
  const [failure, setFailure] = useState<RequestFailure | undefined>(undefined);
  const stop = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => stop.current?.abort(), []);
  const read = () => {
    stop.current = new AbortController();
    setReading(true);
    setFailure(undefined);
    const cursor = unfolded?.next;
    const query = new URLSearchParams({ limit: String(pageSize), ...(cursor ? { cursor } : {}) });
    readApi<MembersPageJson>(`events/${encodeURIComponent(id)}/members?${query}`, stop.current.signal).then(
      (page) => {
        const members = [...(unfolded?.members ?? []), ...page.events.map(toSample)];
        setReading(false);
        setUnfolded({ members, next: page.next_cursor });
        announce(`${formatCount(members.length)} single events shown.`);
      },
      (error: unknown) => {
        if (isAbort(error)) return;
        if (!(error instanceof RequestFailure)) throw error;
        setReading(false);
        setFailure(error);
      },
    );
  };
  return { unfolded, reading, failure, read };
}

function toSample(event: EventJson): StormSample {
  return { id: event.id, at: Date.parse(event.occurred_at), subject: event.subject, summary: event.summary };
}

function Member({ member }: { member: StormSample }) {
  const { zone } = view.value;
  return (
    <li>
      <span class="pointer-time">
        {formatClock(member.at, zone, "ms")} {zoneName(member.at, zone)}
      </span>
      <span class="dim">
        {" "}
        {member.subject.kind.replaceAll("_", " ")} {nameEntity(member.subject)}
      </span>
      <br />
      <Link href={`/e/${encodeURIComponent(member.id)}`}>{member.summary}</Link>
    </li>
  );
}
