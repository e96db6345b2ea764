import { useEffect } from "preact/hooks";
import type { EventJson, QuarantineJson } from "../../api/contract.ts";
import { nameIds } from "../state/grouping.ts";
import { nameEntity } from "../state/entity-names.ts";
import { preferredZone } from "../state/preferences.ts";
import { tenantNames } from "../state/session.ts";
import { plainView, spellView } from "../state/view.ts";
import { formatMoment } from "../time/zone.ts";
import { ErrorNotice } from "../ui/error-notice.tsx";
import { KindWord } from "../ui/glyph.tsx";
import { Link } from "../ui/link.tsx";
import { tenantWords } from "../ui/ownership.tsx";
import { usePageData } from "../ui/page-data.ts";

const reasonWords = {
  ambiguous: "More than one tenant is possible",
  unresolved: "Nothing says whose it is",
} as const;

/** Events without an owner. Nobody but the provider can see them. */
export function QuarantinePage() {
  const { data, failure, since, retry } = usePageData<QuarantineJson>("quarantine");
  useEffect(() => void (document.title = "Quarantine · Isochron"), []);
  return (
    <main class="page">
      <h1>Quarantine</h1>
      {failure !== undefined && (
        <ErrorNotice failure={failure} {...(since === undefined ? {} : { since })} retry={retry} />
      )}
      {data !== undefined && (
        <>
          <p class="lead">
            {data.total === 0
              ? "Every event has an owner."
              : `${data.total.toLocaleString("en")} ${data.total === 1 ? "event has" : "events have"} no owner. Nobody outside the provider can see them.`}
          </p>
          {data.groups.length > 0 && <GroupTable groups={data.groups} />}
        </>
      )}
    </main>
  );
}

function GroupTable({ groups }: { groups: QuarantineJson["groups"] }) {
  return (
    <div
      class="table-wrap panel"
      tabIndex={0}
      role="group"
      aria-label="Quarantined events by reason, scrollable"
    >
      <table class="plain">
        <caption class="visually-hidden">Events without an owner, by reason and type</caption>
        <thead>
          <tr>
            <th scope="col">Reason</th>
            <th scope="col">Type</th>
            <th scope="col" class="number">
              Count
            </th>
            <th scope="col">Oldest ({preferredZone.value})</th>
            <th scope="col">Example</th>
            <th scope="col">Evidence</th>
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <tr key={`${group.reason} ${group.type}`}>
              <td>{reasonWords[group.reason]}</td>
              <td>
                <code>{group.type}</code>
              </td>
              <td class="number">{group.count.toLocaleString("en")}</td>
              <td class="time">{formatMoment(Date.parse(group.oldest), preferredZone.value)}</td>
              <td>
                <KindWord kind={group.example.kind} />{" "}
                <Link href={hrefOf(group.example)}>{group.example.summary}</Link>{" "}
                <span class="dim">
                  {group.example.subject.kind} {nameEntity(group.example.subject)}
                </span>
              </td>
              <td class="dim">{evidenceOf(group.example)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const aroundMs = 5 * 60_000;

function hrefOf(event: EventJson): string {
  const at = Date.parse(event.occurred_at);
  return `/t?${spellView({
    ...plainView(preferredZone.value),
    from: { kind: "absolute", ms: at - aroundMs },
    to: { kind: "absolute", ms: at + aroundMs },
    selected: event.id,
  })}`;
}

function evidenceOf(event: EventJson): string {
  const candidates = event.attribution.candidates ?? [];
  if (candidates.length > 0) {
    return `Candidates: ${candidates.map(tenantWords).join(", ")}`;
  }
  const says = event.attribution.evidence.at(-1)?.says;
  return says === undefined ? "No identifier in the record." : nameIds(says, tenantNames.value);
}
