import { useState } from "preact/hooks";
import type { DossierJson, IncidentRedactionJson } from "../../api/incident-contract.ts";
import { hasRight } from "../state/rights.ts";
import { session } from "../state/session.ts";
import { tenantKeyWords } from "../state/tenant-key.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { usePageData } from "./page-data.ts";

const formats = [
  ["md", "Markdown"],
  ["html", "HTML"],
  ["json", "JSON"],
] as const;

/** The incident as documents, and what each audience's leaves out. */
export function IncidentDocuments({ dossier: { incident } }: { dossier: DossierJson }) {
  const audiences = ["provider", "public", ...incident.tell.map((key) => `tenant:${key}`)];
  const [audience, setAudience] = useState("public");
  const exports = hasRight(session.value, "export");
  return (
    <section aria-labelledby="incident-documents">
      <h2 id="incident-documents">Documents</h2>
      <label class="field">
        <span class="field-name">For</span>
        <select value={audience} onChange={(event) => setAudience(event.currentTarget.value)}>
          {audiences.map((one) => (
            <option key={one} value={one}>
              {audienceName(one)}
            </option>
          ))}
        </select>
      </label>
      {exports && (
        <p class="event-actions">
          {formats.map(([format, words]) => (
            <a
              key={format}
              class="control"
              download
              href={`/api/v1/incidents/${incident.id}/export?${new URLSearchParams({ format, audience })}`}
            >
              {words}
            </a>
          ))}
        </p>
      )}
      <Redaction key={incident.version} id={incident.id} audience={audience} />
    </section>
  );
}

const tenantAudience = "tenant:";

function audienceName(audience: string): string {
  if (!audience.startsWith(tenantAudience)) return audience;
  return tenantKeyWords(audience.slice(tenantAudience.length), session.value?.tenants ?? []);
}

function Redaction({ id, audience }: { id: string; audience: string }) {
  const query = new URLSearchParams({ audience });
  const { data, failure, retry } = usePageData<IncidentRedactionJson>(`incidents/${id}/redaction?${query}`);
  if (failure !== undefined) return <ErrorNotice failure={failure} retry={retry} />;
  if (data === undefined) return <p aria-busy="true">…</p>;
  const changed = data.fields.filter(({ outcome }) => outcome !== "shown");
  if (changed.length === 0) return <p>Nothing is left out or said otherwise for these readers.</p>;
  return (
    <details class="admin-details">
      <summary>{changed.length} parts are left out or said otherwise for these readers</summary>
      <div class="table-wrap" tabIndex={0} role="group" aria-label="What is left out, scrollable">
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Part</th>
              <th scope="col">The provider reads</th>
              <th scope="col">They read</th>
              <th scope="col">Why</th>
            </tr>
          </thead>
          <tbody>
            {changed.map(({ field, value, shown, why }, index) => (
              <tr key={`${field} ${index}`}>
                <th scope="row">{field}</th>
                <td>
                  <del>{value}</del>
                </td>
                <td>{shown === undefined ? "nothing" : <ins>{shown}</ins>}</td>
                <td>{why}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
