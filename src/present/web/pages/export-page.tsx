import { useEffect } from "preact/hooks";
import { session } from "../state/session.ts";

/** All that a tenant is shown, as a file; it says what is in it before it is fetched. */
export function ExportPage() {
  useEffect(() => void (document.title = "Take the events along · Isochron"), []);
  const current = session.value;
  const extent = current?.extent ?? undefined;
  return (
    <main class="page narrow-page">
      <h1>Take the events along</h1>
      <p class="lead">
        All events of <strong>{current?.label}</strong> that are shown here, as one file, the oldest first
        {extent === undefined
          ? ""
          : `, from ${extent.first.slice(0, 10)} through ${extent.last.slice(0, 10)}`}
        .
      </p>
      <h2>What is in it</h2>
      <ul class="told">
        <li>Each event as the timeline shows it, and behind a storm each event that it stands for.</li>
        <li>Shared causes as you are told them: without hosts, staff, or anybody else’s names.</li>
        {current?.as_tenant === true && (
          <li>What a reader of this tenant sees: no security events, because you look through its eyes.</li>
        )}
        <li>
          In the lines of JSON, at the end a manifest: the counts, the span, a SHA-256 of all lines before it,
          and how complete the sources are known to be. Without a manifest the file was cut off.
        </li>
      </ul>
      <p class="card-foot">
        <a class="control primary" href="/api/v1/export" download="isochron-export.ndjson">
          Download lines of JSON
        </a>
        <a class="control" href="/api/v1/export?format=csv" download="isochron-export.csv">
          Download CSV
        </a>
      </p>
      <p class="hint">It is written down in the audit that you took it, and when.</p>
    </main>
  );
}
