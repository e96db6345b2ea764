import { useEffect, useState } from "preact/hooks";
import type { CompareJson, FindingJson } from "../../api/compare-contract.ts";
import { findingPath, selectionNames } from "../state/asked-path.ts";
import { preferredZone } from "../state/preferences.ts";
import { address, goTo } from "../state/route.ts";
import { nameIds } from "../state/grouping.ts";
import { tenantNames } from "../state/session.ts";
import { range } from "../state/timeline-state.ts";
import { formatLength } from "../time/length.ts";
import { readTime } from "../time/typed-time.ts";
import { formatMoment } from "../time/zone.ts";
import { CoverageNote } from "../ui/coverage-note.tsx";
import { ErrorNotice } from "../ui/error-notice.tsx";
import { Link } from "../ui/link.tsx";
import { usePageData } from "../ui/page-data.ts";
import { Pick } from "../ui/pick.tsx";

const baselines = {
  "same-hours": "the same hours of the days before",
  rest: "all else of the span",
} as const;

/** What stands out of a selection of events, against what is usual. */
export function ComparePage() {
  useEffect(() => void (document.title = "Compare · Isochron"), []);
  const asked = new URLSearchParams(address.value.search);
  const isAsked = asked.has("from") && asked.has("to");
  return (
    <main class="page">
      <h1>What stands out?</h1>
      <SpanForm asked={asked} key={address.value.search} />
      {isAsked ? (
        <Asked asked={asked} />
      ) : (
        <p class="dim">Give a span, or drag one over the timeline’s lanes.</p>
      )}
    </main>
  );
}

function SpanForm({ asked }: { asked: URLSearchParams }) {
  const zone = preferredZone.value;
  const shown = (name: "from" | "to") => {
    const ms = Date.parse(asked.get(name) ?? "");
    return formatMoment(Number.isNaN(ms) ? range.peek()[name] : ms, zone);
  };
  const [from, setFrom] = useState(() => shown("from"));
  const [to, setTo] = useState(() => shown("to"));
  const isGiven = [...asked.keys()].some((name) => name.startsWith("baseline_"));
  const [baseline, setBaseline] = useState(isGiven ? "given" : (asked.get("baseline") ?? "same-hours"));
  const [first, last] = [readMoment(from, zone), readMoment(to, zone)];
  const isWell = first !== undefined && last !== undefined && first < last;
  return (
    <form
      class="as-of"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isWell) return;
        const query = new URLSearchParams(location.search);
        query.set("from", new Date(first).toISOString());
        query.set("to", new Date(last).toISOString());
        if (baseline !== "given") {
          const given = [...query.keys()].filter((name) => name.startsWith("baseline_"));
          for (const name of given) query.delete(name);
          query.set("baseline", baseline);
        }
        goTo(`/compare?${query.toString()}`);
      }}
    >
      <label class="as-of">
        From
        <input
          value={from}
          spellcheck={false}
          aria-invalid={first === undefined}
          onInput={(event) => setFrom(event.currentTarget.value)}
        />
      </label>
      <label class="as-of">
        To
        <input
          value={to}
          spellcheck={false}
          aria-invalid={last === undefined}
          onInput={(event) => setTo(event.currentTarget.value)}
        />
      </label>
      <Pick label="Against" value={baseline} onPick={setBaseline}>
        {isGiven && <option value="given">the baseline of the link</option>}
        {Object.entries(baselines).map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </Pick>
      <button type="submit" class="control primary" disabled={!isWell}>
        Compare
      </button>
      {!isWell && <span class="hint problem">The end has to come after the beginning.</span>}
    </form>
  );
}

function readMoment(text: string, zone: string): number | undefined {
  const read = readTime(text, zone, Date.now());
  if (!read.ok) return undefined;
  return read.time.kind === "absolute" ? read.time.ms : Date.now() + read.time.ms;
}

function Asked({ asked }: { asked: URLSearchParams }) {
  const query = new URLSearchParams();
  for (const [name, value] of asked) {
    const isKnown = ["from", "to", "baseline", "rate", "limit", ...selectionNames].includes(name);
    if ((isKnown || name.startsWith("baseline_")) && value !== "") query.set(name, value);
  }
  const { data, failure, since, retry } = usePageData<CompareJson>(`compare?${query.toString()}`);
  return (
    <>
      <Filter asked={asked} />
      {failure !== undefined && (
        <ErrorNotice failure={failure} {...(since === undefined ? {} : { since })} retry={retry} />
      )}
      {data === undefined ? (
        failure === undefined && <p aria-busy="true">Counting…</p>
      ) : (
        <Answer data={data} asked={asked} />
      )}
    </>
  );
}

/** What the selection is narrowed by, which the timeline is where one changes it. */
function Filter({ asked }: { asked: URLSearchParams }) {
  const given = selectionNames.flatMap((name) => {
    const value = asked.get(name);
    return value === null || value === "" ? [] : [`${name} ${value}`];
  });
  if (given.length === 0) return null;
  const query = new URLSearchParams(asked);
  query.delete("baseline");
  return (
    <p>
      Only {nameIds(given.join(", "), tenantNames.value)}.{" "}
      <Link href={`/t?${query.toString()}`}>Change the filter on the timeline</Link>
    </p>
  );
}

function Answer({ data, asked }: { data: CompareJson; asked: URLSearchParams }) {
  const { selection, baseline } = data;
  const zone = preferredZone.value;
  const length = formatLength(Date.parse(selection.to) - Date.parse(selection.from));
  const against = baseline.kind === "given" ? "the given baseline" : baselines[baseline.kind];
  const earliest = Math.min(...[selection, ...baseline.spans].map(({ from }) => Date.parse(from)));
  return (
    <>
      <p class="lead">
        <strong>{selection.events.toLocaleString("en")}</strong> events of {length} against{" "}
        <strong>{baseline.events.toLocaleString("en")}</strong> of {against}.
      </p>
      {data.truncated && (
        <div class="notice" role="note">
          <p>There were more events than were counted: the newest were. A shorter span is counted whole.</p>
        </div>
      )}
      <CoverageNote coverage={data.coverage} from={earliest} to={Date.parse(selection.to)} zone={zone} />
      {data.findings.length === 0 ? (
        <p role="status">
          {selection.events === 0 || baseline.events === 0
            ? "One side has no events, so nothing can be said."
            : `Nothing stands out of ${data.tested.toLocaleString("en")} values that were tried.`}
        </p>
      ) : (
        <Findings data={data} asked={asked} />
      )}
    </>
  );
}

function Findings({ data, asked }: { data: CompareJson; asked: URLSearchParams }) {
  return (
    <section aria-labelledby="findings">
      <h2 id="findings">
        {data.found.toLocaleString("en")} of {data.tested.toLocaleString("en")} values stand out
      </h2>
      <FindingTable
        title="More than usual"
        findings={data.findings.filter(({ direction }) => direction === "more")}
        asked={asked}
      />
      <FindingTable
        title="Less than usual"
        findings={data.findings.filter(({ direction }) => direction === "less")}
        asked={asked}
      />
      <p class="dim">
        Of what is told here at most {(data.rate * 100).toLocaleString("en")} % is chance, on average. That
        two things come together does not say that one causes the other.
      </p>
    </section>
  );
}

function FindingTable(props: { title: string; findings: readonly FindingJson[]; asked: URLSearchParams }) {
  const { title, findings, asked } = props;
  if (findings.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <div class="table-wrap panel" tabIndex={0} role="group" aria-label={`${title}, scrollable`}>
        <table class="plain">
          <caption class="visually-hidden">The most telling first</caption>
          <thead>
            <tr>
              <th scope="col">Attribute</th>
              <th scope="col">Value</th>
              <th scope="col">In words</th>
              <th scope="col" class="number">
                z
              </th>
            </tr>
          </thead>
          <tbody>
            {findings.map((finding) => (
              <Finding
                key={`${finding.attribute} ${finding.value}`}
                finding={finding}
                path={findingPath(finding, asked)}
              />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Finding({ finding, path }: { finding: FindingJson; path: string | undefined }) {
  const plain =
    finding.attribute === "tenant" ? finding.value.replace(/^(project|domain)\//, "") : finding.value;
  const value = nameIds(plain, tenantNames.value);
  return (
    <tr>
      <td>
        {finding.attribute === "tenant"
          ? finding.value.replace(/\/.*/, "")
          : finding.attribute.replaceAll("_", " ")}
      </td>
      <th scope="row">{path === undefined ? value : <Link href={path}>{value}</Link>}</th>
      <td class="words">{finding.says}</td>
      <td class="number">{finding.z.toFixed(1)}</td>
    </tr>
  );
}
