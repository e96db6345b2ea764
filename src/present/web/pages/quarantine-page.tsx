import { useEffect } from "preact/hooks";
import type { QuarantineGroupJson, QuarantineJson } from "../../api/quarantine-contract.ts";
import { countWords } from "../state/ruling-words.ts";
import { address } from "../state/route.ts";
import { ErrorNotice } from "../ui/error-notice.tsx";
import { EventWorkbench, GroupWorkbench, RevisionWorkbench } from "../ui/workbench.tsx";
import { usePageData, type PageData } from "../ui/page-data.ts";
import { groupPath, QuarantineGroups } from "../ui/quarantine-groups.tsx";
import { QuarantineTabs } from "../ui/quarantine-tabs.tsx";

const refreshMs = 5_000;

/** Events without an owner: the groups they fall into, and the workbench for one group, event or ruling. */
export function QuarantinePage() {
  const page = usePageData<QuarantineJson>("quarantine", refreshMs);
  const { search } = address.value;
  const asked = new URLSearchParams(search);
  const { retry } = page;
  // Whoever comes back from a decision wants to see what it left.
  useEffect(retry, [search, retry]);
  useEffect(() => void (document.title = "Quarantine · Isochron"), []);
  const event = asked.get("event");
  const ruling = asked.get("ruling");
  if (event !== null)
    return <EventWorkbench key={event} id={event} provider={asked.get("as") === "provider"} />;
  if (ruling !== null) return <RevisionWorkbench key={ruling} id={ruling} />;
  if (asked.has("type")) return <OpenGroup page={page} asked={asked} />;
  return <Overview page={page} />;
}

function OpenGroup({ page, asked }: { page: PageData<QuarantineJson>; asked: URLSearchParams }) {
  const { data, failure, since, retry } = page;
  const wanted = `/quarantine?${asked.toString()}`;
  const group = data?.groups.find((each) => isAsked(each, asked));
  if (failure !== undefined && data === undefined) {
    return (
      <main class="page">
        <ErrorNotice failure={failure} {...(since === undefined ? {} : { since })} retry={retry} />
      </main>
    );
  }
  if (data === undefined) return <main class="page" aria-busy="true" />;
  return <GroupWorkbench key={wanted} group={group} reread={retry} />;
}

function isAsked(group: QuarantineGroupJson, asked: URLSearchParams): boolean {
  return new URL(groupPath(group), location.href).searchParams.toString() === asked.toString();
}

function Overview({ page }: { page: PageData<QuarantineJson> }) {
  const { data, failure, since, retry } = page;
  return (
    <main class="page">
      <h1>Quarantine</h1>
      <QuarantineTabs at="waiting" />
      {failure !== undefined && (
        <ErrorNotice failure={failure} {...(since === undefined ? {} : { since })} retry={retry} />
      )}
      {data !== undefined && (
        <div class={failure === undefined ? "" : "dimmed"}>
          {data.total === 0 ? <NothingWaits /> : <Waiting data={data} />}
        </div>
      )}
    </main>
  );
}

function NothingWaits() {
  return (
    <div class="nothing-waits">
      <h2>Nothing waits.</h2>
      <p>
        Every event has an owner, or is the provider’s own. What comes in without one appears here, and no
        tenant sees it before that.
      </p>
    </div>
  );
}

function Waiting({ data }: { data: QuarantineJson }) {
  return (
    <>
      <p class="lead">
        <strong>{countWords(data.total, data.at_least)}</strong>{" "}
        {data.total === 1 ? "event has" : "events have"} no owner. Nobody outside the provider can see them.
      </p>
      <QuarantineGroups groups={data.groups} />
      {data.truncated && <p class="hint">There are more groups; the largest are shown.</p>}
    </>
  );
}
