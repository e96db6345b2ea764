import { useEffect, useState } from "preact/hooks";
import type { BlastItemJson, BlastJson } from "../../api/blast-contract.ts";
import { blastPath } from "../state/asked-path.ts";
import { nameEntity } from "../state/entity-names.ts";
import { resourcePath } from "../state/grouping.ts";
import { preferredZone } from "../state/preferences.ts";
import { address, goTo } from "../state/route.ts";
import { isProvider } from "../state/session.ts";
import { formatMoment } from "../time/zone.ts";
import { CoverageNote } from "../ui/coverage-note.tsx";
import { ErrorNotice } from "../ui/error-notice.tsx";
import { Link } from "../ui/link.tsx";
import { MomentField } from "../ui/moment-field.tsx";
import { tenantWords } from "../ui/ownership.tsx";
import { usePageData } from "../ui/page-data.ts";

const names = ["event", "resource", "at", "window_minutes", "hops", "control_plane"] as const;

/** What a failure reaches, as things stood then: what shows symptoms, and what is predicted. */
export function BlastPage() {
  useEffect(() => void (document.title = "Blast radius · Isochron"), []);
  const asked = new URLSearchParams(address.value.search);
  return (
    <main class="page">
      <p class="eyebrow">Blast radius</p>
      {asked.has("event") || asked.has("resource") ? <Asked asked={asked} /> : <Ask />}
    </main>
  );
}

function Asked({ asked }: { asked: URLSearchParams }) {
  const query = new URLSearchParams({ limit: "500" });
  for (const name of names) {
    const value = asked.get(name);
    if (value !== null && value !== "") query.set(name, value);
  }
  // Of a resource alone the present is meant; the minute keeps the address of the request the same while it is read.
  if (!query.has("event") && !query.has("at"))
    query.set("at", new Date(Math.floor(Date.now() / 60_000) * 60_000).toISOString());
  const { data, failure, since, retry } = usePageData<BlastJson>(`blast?${query.toString()}`);
  if (failure?.status === 404) {
    return (
      <>
        <h1>Nothing is known of that</h1>
        <p>It does not exist, or it lies outside what you may see.</p>
        <AskForm />
      </>
    );
  }
  return (
    <>
      {failure !== undefined && (
        <ErrorNotice failure={failure} {...(since === undefined ? {} : { since })} retry={retry} />
      )}
      {data === undefined ? (
        failure === undefined && <p aria-busy="true">Walking what depends on it…</p>
      ) : (
        <Radius data={data} />
      )}
    </>
  );
}

function Ask() {
  return (
    <>
      <h1>What does a failure reach?</h1>
      <p class="lead">Name a resource, or open an event and ask from there.</p>
      <AskForm />
    </>
  );
}

function AskForm() {
  const [text, setText] = useState("");
  const isWell = /^[a-z_]+[/:].+$/.test(text.trim());
  return (
    <form
      class="as-of"
      onSubmit={(event) => {
        event.preventDefault();
        const [, kind, id] = /^([a-z_]+)[/:](.+)$/.exec(text.trim()) ?? [];
        if (kind !== undefined && id !== undefined) goTo(blastPath({ resource: { kind, id } }));
      }}
    >
      <label class="as-of">
        What failed
        <input
          value={text}
          placeholder="host/cmp-17"
          spellcheck={false}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="control primary" disabled={!isWell}>
        Show what it reaches
      </button>
    </form>
  );
}

function Radius({ data }: { data: BlastJson }) {
  const { target, counts, window } = data;
  const zone = preferredZone.value;
  const failed = target.failed.map((one) => `${one.kind.replaceAll("_", " ")} ${nameEntity(one)}`).join(", ");
  const confirmed = data.items.filter(({ state }) => state === "confirmed");
  const predicted = data.items.filter(({ state }) => state === "predicted");
  return (
    <>
      <h1>What the failure of {failed} reaches</h1>
      <p class="lead">
        {counts.reached === 0 ? (
          <strong>Nothing that is known.</strong>
        ) : (
          <>
            <strong>{counts.reached.toLocaleString("en")}</strong> reached
            {data.by_tenant.length > 0 && ` of ${data.by_tenant.length.toLocaleString("en")} tenants`}:{" "}
            <strong>{counts.confirmed.toLocaleString("en")}</strong> confirmed by symptoms,{" "}
            {(counts.reached - counts.confirmed).toLocaleString("en")} predicted.
          </>
        )}
      </p>
      {target.events.map((event) => (
        <p key={event.id}>
          After <Link href={`/e/${encodeURIComponent(event.id)}`}>{event.summary}</Link>
        </p>
      ))}
      <dl class="facts wide">
        <div>
          <dt>As of</dt>
          <dd>
            <MomentField name="at" label="As of" at={Date.parse(target.at)} key={target.at} />
          </dd>
        </div>
        <div>
          <dt>Symptoms until</dt>
          <dd>{formatMoment(Date.parse(window.to), zone)}</dd>
        </div>
      </dl>
      {data.unknown.length > 0 && (
        <div class="notice" role="note">
          {data.unknown.map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
        </div>
      )}
      <CoverageNote
        coverage={data.coverage}
        from={Date.parse(window.from)}
        to={Date.parse(window.to)}
        zone={zone}
      />
      {counts.reached > 0 && <Counts data={data} />}
      <Items title="Confirmed by symptoms" items={confirmed} at={target.at} />
      <Items title="Predicted, without symptoms so far" items={predicted} at={target.at} />
      {data.items.length < counts.reached && (
        <p class="dim">{(counts.reached - data.items.length).toLocaleString("en")} more are not listed.</p>
      )}
    </>
  );
}

function Counts({ data }: { data: BlastJson }) {
  return (
    <>
      <CountTable
        title="By type"
        first="Type"
        rows={data.by_kind.map((one) => ({ ...one, name: one.kind.replaceAll("_", " ") }))}
      />
      {data.by_tenant.length > 0 && (
        <CountTable
          title="By tenant"
          first="Tenant"
          rows={data.by_tenant.map((one) => ({ ...one, name: tenantWords(one.tenant) }))}
        />
      )}
    </>
  );
}

function CountTable(props: {
  title: string;
  first: string;
  rows: readonly { readonly name: string; readonly reached: number; readonly confirmed: number }[];
}) {
  const { title, first, rows } = props;
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <div class="table-wrap panel" tabIndex={0} role="group" aria-label={`${title}, scrollable`}>
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">{first}</th>
              <th scope="col" class="number">
                Reached
              </th>
              <th scope="col" class="number">
                Confirmed
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ name, reached, confirmed }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="number">{reached.toLocaleString("en")}</td>
                <td class="number">{confirmed.toLocaleString("en")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Items(props: { title: string; items: readonly BlastItemJson[]; at: string }) {
  const { title, items, at } = props;
  if (items.length === 0) return null;
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <div class="table-wrap panel" tabIndex={0} role="group" aria-label={`${title}, scrollable`}>
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">What</th>
              {isProvider.value && <th scope="col">Tenant</th>}
              <th scope="col">Likely</th>
              <th scope="col">Symptoms</th>
              <th scope="col">Way</th>
            </tr>
          </thead>
          <tbody>
            {items.map((item) => (
              <Item key={`${item.entity.kind} ${item.entity.id}`} item={item} at={at} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Item({ item, at }: { item: BlastItemJson; at: string }) {
  const { entity, tenant, symptoms } = item;
  const zone = preferredZone.value;
  const [first] = symptoms.first;
  return (
    <tr>
      <th scope="row">
        <Link href={`${resourcePath(entity)}?at=${at}`}>
          {entity.kind.replaceAll("_", " ")} {nameEntity(entity)}
        </Link>
      </th>
      {isProvider.value && <td>{tenant === undefined ? "not known" : tenantWords(tenant)}</td>}
      <td>
        {item.likelihood} <span class="dim">{item.probability.toFixed(2)}</span>
      </td>
      <td class="words">
        {first === undefined ? (
          <span class="dim">none</span>
        ) : (
          <>
            {symptoms.count > 1 && `${symptoms.count.toLocaleString("en")}, first `}
            <Link href={`/e/${encodeURIComponent(first.id)}`}>{first.summary}</Link>{" "}
            <span class="dim">{formatMoment(Date.parse(first.occurred_at), zone)}</span>
          </>
        )}
      </td>
      <td class="words">
        {item.way.map(({ failed, harmed, says }, index) => (
          <span key={`${failed.id} ${harmed.id}`}>
            {index === 0 && `${failed.kind.replaceAll("_", " ")} ${nameEntity(failed)}`} →{" "}
            {harmed.kind.replaceAll("_", " ")} {nameEntity(harmed)} <span class="dim">({says})</span>{" "}
          </span>
        ))}
        {item.stale && item.last_seen_at !== null && (
          <span class="severity severity-warning">
            last seen {formatMoment(Date.parse(item.last_seen_at), zone)}
          </span>
        )}
      </td>
    </tr>
  );
}
