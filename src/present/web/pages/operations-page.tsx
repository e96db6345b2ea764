import { useEffect } from "preact/hooks";
import type {
  OperationAnswerJson,
  OperationJson,
  OperationsJson,
  OperationSummaryJson,
} from "../../api/operation-contract.ts";
import { preferredZone } from "../state/preferences.ts";
import { address } from "../state/route.ts";
import { formatLength } from "../time/length.ts";
import { formatMoment } from "../time/zone.ts";
import { CoverageNote } from "../ui/coverage-note.tsx";
import { ErrorNotice } from "../ui/error-notice.tsx";
import { Link } from "../ui/link.tsx";
import { usePageData } from "../ui/page-data.ts";

const asked = ["from", "to", "state", "template", "resource", "tenant", "stuck"];

/** Long operations of a span of time, the latest first. */
export function OperationsPage() {
  useEffect(() => void (document.title = "Operations · Isochron"), []);
  const given = new URLSearchParams(address.value.search);
  const query = new URLSearchParams(
    [...given].filter(([name, value]) => asked.includes(name) && value !== ""),
  );
  const { data, failure, since, retry } = usePageData<OperationsJson>(`operations?${query.toString()}`);
  const isStuck = query.get("stuck") === "true";
  return (
    <main class="page">
      <h1>Operations</h1>
      <p class="control-row">
        <Link class="control" href={isStuck ? "/operations" : "/operations?stuck=true"}>
          {isStuck ? "Show all" : "Only what is stuck"}
        </Link>
      </p>
      {failure !== undefined && (
        <ErrorNotice failure={failure} {...(since === undefined ? {} : { since })} retry={retry} />
      )}
      {data === undefined ? failure === undefined && <p aria-busy="true">Reading…</p> : <List data={data} />}
    </main>
  );
}

function List({ data: { operations, truncated, coverage } }: { data: OperationsJson }) {
  return (
    <>
      {operations.length === 0 ? (
        <p class="dim">No operation was seen in this span.</p>
      ) : (
        <div class="table-wrap panel" tabIndex={0} role="group" aria-label="Operations, scrollable">
          <table class="plain">
            <caption class="visually-hidden">Operations, the latest first</caption>
            <thead>
              <tr>
                <th scope="col">Began</th>
                <th scope="col">Operation</th>
                <th scope="col">On</th>
                <th scope="col">State</th>
                <th scope="col">Done</th>
                <th scope="col">Took</th>
              </tr>
            </thead>
            <tbody>
              {operations.map((operation) => (
                <Row key={operation.id} operation={operation} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {truncated && <p class="hint">Not all of the span was read: ask for a shorter one.</p>}
      <CoverageNote
        coverage={coverage}
        from={Math.min(Date.now(), ...operations.map((one) => Date.parse(one.first_seen_at)))}
        to={Date.now()}
        zone={preferredZone.value}
      />
    </>
  );
}

function Row({ operation }: { operation: OperationSummaryJson }) {
  const { id, title, entity, first_seen_at: first, progress } = operation;
  return (
    <tr>
      <td class="time">{formatMoment(Date.parse(first), preferredZone.value)}</td>
      <td>
        <Link href={`/operations/${id}`}>{title}</Link>
      </td>
      <td>{`${entity.kind} ${entity.name ?? entity.id}`}</td>
      <td title={operation.says}>{stateText(operation)}</td>
      <td>{`${progress.done} of ${progress.total}`}</td>
      <td>{tookText(operation)}</td>
    </tr>
  );
}

function stateText({ state, stuck }: OperationSummaryJson): string {
  return `${state.replaceAll("-", " ")}${stuck ? ", stuck" : ""}`;
}

function tookText({ started_at: started, ended_at: ended }: OperationSummaryJson): string {
  return started === undefined || ended === undefined
    ? "–"
    : formatLength(Date.parse(ended) - Date.parse(started));
}

/** One operation as a waterfall of its steps and parts. */
export function OperationPage() {
  useEffect(() => void (document.title = "Operation · Isochron"), []);
  const id = decodeURIComponent(address.value.path.split("/")[2] ?? "");
  const { data, failure, since, retry } = usePageData<OperationAnswerJson>(
    `operations/${encodeURIComponent(id)}`,
  );
  return (
    <main class="page">
      <p class="eyebrow">
        <Link href="/operations">Operations</Link>
      </p>
      {data === undefined && <h1>{failure?.status === 404 ? "No such operation" : "Operation"}</h1>}
      {failure !== undefined && (
        <ErrorNotice failure={failure} {...(since === undefined ? {} : { since })} retry={retry} />
      )}
      {data === undefined ? failure === undefined && <p aria-busy="true">Reading…</p> : <Whole data={data} />}
    </main>
  );
}

function Whole({ data }: { data: OperationAnswerJson }) {
  const { operation, coverage } = data;
  const { title, entity, progress, missing, attempts } = operation;
  return (
    <>
      <h1>{`${title}: ${entity.kind} ${entity.name ?? entity.id}`}</h1>
      <p>{`${stateText(operation)}. ${operation.says} ${progress.done} of ${progress.total} done.`}</p>
      {attempts > 1 && <p>{`Tried ${attempts} times.`}</p>}
      {missing.length > 0 && <p class="hint">{`Nothing was seen of ${missing.join(", ")}.`}</p>}
      <Waterfall bars={barsOf(data)} />
      <CoverageNote
        coverage={coverage}
        from={Date.parse(operation.first_seen_at)}
        to={Date.parse(operation.last_seen_at)}
        zone={preferredZone.value}
      />
    </>
  );
}

interface Bar {
  readonly key: string;
  readonly name: string;
  readonly depth: number;
  readonly on: string;
  readonly state: string;
  readonly from: number;
  readonly to: number;
  readonly event: string | undefined;
}

function barsOf({ operation, parts }: OperationAnswerJson): readonly Bar[] {
  const depths = new Map([[operation.id, 0]]);
  const bars = barsOfOne(operation, 0);
  for (const part of parts) {
    const depth = (depths.get(part.within) ?? 0) + 1;
    depths.set(part.id, depth);
    bars.push(...barsOfOne(part, depth));
  }
  return bars;
}

function barsOfOne(operation: OperationJson, depth: number): Bar[] {
  const { id, title, entity } = operation;
  const span = (one: { first_seen_at: string; last_seen_at: string }) => ({
    from: Date.parse(one.first_seen_at),
    to: Date.parse(one.last_seen_at),
  });
  const on = `${entity.kind} ${entity.name ?? entity.id}`;
  const head = {
    key: id,
    name: title,
    depth,
    on,
    state: stateText(operation),
    ...span(operation),
    event: undefined,
  };
  const steps = operation.steps.map((step, index) => ({
    key: `${id} ${index}`,
    name: step.name,
    depth: depth + step.depth + 1,
    on: `${step.entity.kind} ${step.entity.name ?? step.entity.id}`,
    state: step.attempts > 1 ? `${step.state}, try ${step.attempts}` : step.state,
    ...span(step),
    event: step.events[0],
  }));
  return [head, ...steps];
}

const chartWidth = 300;

function Waterfall({ bars }: { bars: readonly Bar[] }) {
  const from = Math.min(...bars.map((bar) => bar.from));
  const length = Math.max(1, Math.max(...bars.map((bar) => bar.to)) - from);
  return (
    <div class="table-wrap panel" tabIndex={0} role="group" aria-label="Steps, scrollable">
      <table class="plain">
        <caption class="visually-hidden">
          Steps and parts, each inside the one above that is set further left
        </caption>
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">On</th>
            <th scope="col">State</th>
            <th scope="col">Took</th>
            <th scope="col">When</th>
          </tr>
        </thead>
        <tbody>
          {bars.map((bar) => (
            <tr key={bar.key}>
              <td>
                {"\u2003".repeat(bar.depth)}
                {bar.event === undefined ? bar.name : <Link href={`/e/${bar.event}`}>{bar.name}</Link>}
              </td>
              <td>{bar.on}</td>
              <td>{bar.state}</td>
              <td>{formatLength(bar.to - bar.from)}</td>
              <td>
                <svg width={chartWidth} height="12" aria-hidden="true">
                  <rect
                    x={((bar.from - from) / length) * (chartWidth - 2)}
                    width={Math.max(2, ((bar.to - bar.from) / length) * (chartWidth - 2))}
                    height="12"
                    class="span-bar"
                  />
                </svg>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
