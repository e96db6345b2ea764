import type { QuarantineGroupJson } from "../../api/quarantine-contract.ts";
import { nameEntity } from "../state/entity-names.ts";
import { sentenceCase } from "../state/grouping.ts";
import { preferredZone } from "../state/preferences.ts";
import { countWords } from "../state/ruling-words.ts";
import { formatMoment } from "../time/zone.ts";
import { KindWord } from "./glyph.tsx";
import { Link } from "./link.tsx";
import { tenantWords } from "./ownership.tsx";

/** The address of a group's workbench: what tells it from every other group. */
export function groupPath(group: QuarantineGroupJson): string {
  const { reason, type, connection, control_plane } = group;
  const query = new URLSearchParams({ reason, type, connection, control_plane });
  return `/quarantine?${query.toString()}`;
}

/** What waits: reason by reason, the largest first, and under each the types and sources. */
export function QuarantineGroups({ groups }: { groups: readonly QuarantineGroupJson[] }) {
  const reasons = new Map<string, QuarantineGroupJson[]>();
  for (const group of groups) reasons.set(group.reason, [...(reasons.get(group.reason) ?? []), group]);
  const size = (members: readonly QuarantineGroupJson[]) =>
    members.reduce((sum, { count }) => sum + count, 0);
  return (
    <>
      {[...reasons]
        .toSorted(([, one], [, other]) => size(other) - size(one))
        .map(([reason, members]) => (
          <section key={reason} class="reason" aria-labelledby={`reason-${reason}`}>
            <h2 id={`reason-${reason}`}>{sentenceCase(reason)}</h2>
            <p class="dim">{members[0]?.says}</p>
            <ol class="groups">
              {members.map((group) => (
                <Group key={groupPath(group)} group={group} />
              ))}
            </ol>
          </section>
        ))}
    </>
  );
}

function Group({ group }: { group: QuarantineGroupJson }) {
  const { example } = group;
  return (
    <li>
      <p class="group-count">
        <strong>{countWords(group.count, group.at_least)}</strong>
        <span>{group.count === 1 ? "event" : "events"}</span>
      </p>
      <div>
        <h3>
          <Link href={groupPath(group)}>
            <code>{group.type}</code>
          </Link>
        </h3>
        <p class="dim">from {group.connection}</p>
        <Ages group={group} />
      </div>
      <p>
        <span class="part-name">Example</span>
        <KindWord kind={example.kind} /> {example.summary}{" "}
        <span class="dim">
          {example.subject.kind.replaceAll("_", " ")} {nameEntity(example.subject)}
        </span>
      </p>
      <div>
        <span class="part-name">Who it could be</span>
        <Candidates group={group} />
      </div>
    </li>
  );
}

function Ages({ group }: { group: QuarantineGroupJson }) {
  const moment = (at: string) => formatMoment(Date.parse(at), preferredZone.value);
  return (
    <p class="dim">
      {group.count > 1 && (
        <>
          oldest <time>{moment(group.oldest)}</time>,{" "}
        </>
      )}
      newest <time>{moment(group.newest)}</time>
    </p>
  );
}

function Candidates({ group: { candidates } }: { group: QuarantineGroupJson }) {
  if (candidates.length === 0) return <p class="dim">No trace of anybody.</p>;
  return (
    <ul>
      {candidates.slice(0, 3).map(({ tenant, events }) => (
        <li key={`${tenant.control_plane} ${tenant.domain_id} ${tenant.project_id}`}>
          {tenantWords(tenant)} <span class="dim">{events.toLocaleString("en")}</span>
        </li>
      ))}
      {candidates.length > 3 && <li class="dim">and {candidates.length - 3} more</li>}
    </ul>
  );
}
