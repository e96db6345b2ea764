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

/** What waits, the largest group first. */
export function QuarantineGroups({ groups }: { groups: readonly QuarantineGroupJson[] }) {
  return (
    <ol class="groups">
      {groups.map((group) => (
        <Group key={groupPath(group)} group={group} />
      ))}
    </ol>
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
        <h2>
          <Link href={groupPath(group)}>
            {sentenceCase(group.reason)}
            <span class="visually-hidden">: {group.type}</span>
          </Link>
        </h2>
        <p class="dim">{group.says}</p>
        <p>
          <code>{group.type}</code> <span class="dim">from {group.connection}</span>
        </p>
      </div>
      <div>
        <h3>Example</h3>
        <p>
          <KindWord kind={example.kind} /> {example.summary}{" "}
          <span class="dim">
            {example.subject.kind.replaceAll("_", " ")} {nameEntity(example.subject)}
          </span>
        </p>
        <Ages group={group} />
      </div>
      <div>
        <h3>Who it could be</h3>
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
