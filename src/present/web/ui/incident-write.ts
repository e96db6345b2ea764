import type { z } from "zod";
import type { changeRequestSchema, DossierJson, IncidentJson } from "../../api/incident-contract.ts";
import { announce } from "../state/announcer.ts";
import { sendApi } from "../state/client.ts";
import { useSending, type Sending } from "./sending.ts";

export type IncidentChangeJson = z.input<typeof changeRequestSchema>;

/** What each part of an incident's page is given. */
export interface IncidentPart {
  readonly dossier: DossierJson;
  readonly reread: () => void;
}

export interface IncidentWrite extends Pick<Sending, "busy" | "failure"> {
  /** Whether it was written; what was read is read again. */
  readonly write: (changes: readonly IncidentChangeJson[], said: string) => Promise<boolean>;
}

/** Writes on top of what the page shows: whoever wrote in between is not overwritten. */
export function useIncidentWrite({ dossier: { incident }, reread }: IncidentPart): IncidentWrite {
  const { busy, failure, send } = useSending();
  const write: IncidentWrite["write"] = async (changes, said) => {
    const path = `incidents/${encodeURIComponent(incident.id)}/entries`;
    const body = { expected_version: incident.version, changes };
    const done = await send(() => sendApi<IncidentJson>("POST", path, body));
    // Also after a refusal: where another wrote first, what is typed can be sent again on top of that.
    reread();
    if (done === undefined) return false;
    announce(said);
    return true;
  };
  return { busy, failure, write };
}
