import { createHash } from "node:crypto";
import { instant } from "../../src/model/instant.ts";
import { domainKey, projectKey, type TenantKey } from "../../src/model/tenant.ts";
import type { Store } from "../../src/store/store.ts";
import type { Owner } from "./oracle.ts";

/** An incident that is published, and under which id each tenant was told of it. */
export interface ToldIncident {
  readonly id: string;
  readonly told: readonly { readonly owner: Owner; readonly id: string }[];
}

/** What only the provider reads of it. */
export const incidentTitle = "whole-incident-title";
/** What an owner is told, and nobody else. */
export const editionOf = ({ project }: Owner): string => `edition-for-${project}-`;
const keyOf = ({ plane, project }: Owner): TenantKey => projectKey(plane, project!);
const at = instant(Date.parse("2026-11-20T11:00:00Z"));

/** Written straight into the store, as publication does; the hash is of the text that is frozen. */
export async function tellIncident(store: Store, owners: readonly Owner[]): Promise<ToldIncident> {
  const by = "whole-incident-writer";
  const { incidents } = store;
  const { incident } = await incidents.open({
    origin: "hand",
    by,
    at,
    changes: [
      { kind: "title", title: incidentTitle },
      { kind: "window", from: at },
      { kind: "note", text: "whole-incident-note" },
      { kind: "state", state: "reviewed" },
    ],
  });
  const frozen = '{"title":"whole-incident-title"}';
  await incidents.append(incident.id, {
    by,
    at,
    expectedVersion: incident.version,
    changes: [{ kind: "state", state: "published", hash: createHash("sha256").update(frozen).digest("hex") }],
    frozen,
    editions: owners.map((owner) => ({
      tenant: keyOf(owner),
      domain: domainKey(owner.plane, owner.domain!),
      title: editionOf(owner),
      markdown: editionOf(owner),
    })),
  });
  const told = owners.map((owner) => ({ owner, id: incidents.editionId(incident.id, keyOf(owner)) }));
  return { id: incident.id, told };
}
