import { useEffect } from "preact/hooks";
import type { AuditPageJson } from "../../api/audit-contract.ts";
import type { ErasureJson } from "../../api/retention-contract.ts";
import { preferredZone } from "../state/preferences.ts";
import { countsWords, retentionInForce } from "../state/retention-words.ts";
import { formatMoment } from "../time/zone.ts";
import { ErasureDryRun } from "../ui/erasure-dry-run.tsx";
import { ErrorNotice } from "../ui/error-notice.tsx";
import { LegalHolds } from "../ui/legal-holds.tsx";
import { usePageData } from "../ui/page-data.ts";

/** How long what is kept, what may not be deleted, and what was. */
export function RetentionPage() {
  useEffect(() => void (document.title = "Retention · Isochron"), []);
  return (
    <main class="page">
      <h1>Retention, holds and erasures</h1>
      <InForce />
      <LegalHolds />
      <Erasures />
    </main>
  );
}

function InForce() {
  const { data, failure, retry } = usePageData<AuditPageJson>("audit?action=configuration&limit=1");
  const entry = data?.entries[0];
  return (
    <section aria-labelledby="in-force">
      <h2 id="in-force">How long what is kept</h2>
      {failure !== undefined && <ErrorNotice failure={failure} retry={retry} />}
      {data !== undefined && entry === undefined && (
        <p>The audit has not been told the settings yet; a server tells them when it starts.</p>
      )}
      {entry !== undefined && (
        <dl class="figures">
          {retentionInForce(entry.details).map(([name, says]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{says}</dd>
            </div>
          ))}
        </dl>
      )}
      <p class="hint">
        Set under <code>retention</code> in the configuration file, where some tenants may have days of their
        own.
        {entry !== undefined &&
          ` As the audit told the settings last, ${formatMoment(Date.parse(entry.at), preferredZone.value)}.`}
      </p>
    </section>
  );
}

function Erasures() {
  const { data, failure, retry } = usePageData<{ erasures: ErasureJson[] }>("erasures", 10_000);
  return (
    <section aria-labelledby="erasures">
      <h2 id="erasures">Erasures</h2>
      {failure !== undefined && <ErrorNotice failure={failure} retry={retry} />}
      {data !== undefined &&
        (data.erasures.length === 0 ? (
          <p>Nobody was erased.</p>
        ) : (
          <ul class="cards">
            {data.erasures.map((erasure) => (
              <Erasure key={erasure.id} erasure={erasure} />
            ))}
          </ul>
        ))}
      <ErasureDryRun />
    </section>
  );
}

const stateWords = { "under-way": "under way", held: "kept back by a hold", done: "done" };

function Erasure({ erasure }: { erasure: ErasureJson }) {
  const moment = (at: string) => formatMoment(Date.parse(at), preferredZone.value);
  return (
    <li class="card" aria-label={`Erasure ${erasure.id}`}>
      <header>
        <h3>{erasure.why}</h3>
        <span class="tag">{stateWords[erasure.state]}</span>
      </header>
      <p>{countsWords(erasure.counts)}</p>
      <p class="dim">
        Asked by {erasure.asked_by}, {moment(erasure.asked_at)}
        {erasure.done_at !== null && `; done ${moment(erasure.done_at)}`}
      </p>
    </li>
  );
}
