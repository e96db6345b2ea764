import type { z } from "zod";
import {
  incidentAnswerSchema,
  incidentHistorySchema,
  incidentImportedSchema,
  incidentKpisSchema,
  incidentRedactionSchema,
  incidentSchema,
  incidentsSchema,
  openedIncidentSchema,
  type appendEntriesSchema,
  type importIncidentSchema,
  type IncidentAnswerJson,
  type IncidentImportedJson,
  type IncidentJson,
  type IncidentKpisJson,
  type IncidentRedactionJson,
  type IncidentsJson,
  type OpenedIncidentJson,
  type openIncidentSchema,
} from "../api/incident-contract.ts";

/** Query parameters; undefined ones are left out. */
type Query = Readonly<Record<string, string | number | undefined>>;

/** How requests are made below the API's prefix; answers are checked against their schemas. */
export interface Requests {
  get<Schema extends z.ZodType>(path: string, query: Query, schema: Schema): Promise<z.infer<Schema>>;
  post<Schema extends z.ZodType>(path: string, schema: Schema, body: object): Promise<z.infer<Schema>>;
  stream(path: string, query: Query, signal: AbortSignal): Promise<AsyncIterable<string>>;
}

/** The contract's part about incidents, as functions. */
export class IncidentClient {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  list(query: Query): Promise<IncidentsJson> {
    return this.#requests.get("/incidents", query, incidentsSchema);
  }

  find(id: string): Promise<IncidentAnswerJson> {
    return this.#requests.get(pathOf(id), {}, incidentAnswerSchema);
  }

  open(order: z.input<typeof openIncidentSchema>): Promise<OpenedIncidentJson> {
    return this.#requests.post("/incidents", openedIncidentSchema, order);
  }

  append(id: string, order: z.input<typeof appendEntriesSchema>): Promise<IncidentJson> {
    return this.#requests.post(`${pathOf(id)}/entries`, incidentSchema, order);
  }

  history(id: string): Promise<z.infer<typeof incidentHistorySchema>> {
    return this.#requests.get(`${pathOf(id)}/history`, {}, incidentHistorySchema);
  }

  redaction(id: string, query: Query): Promise<IncidentRedactionJson> {
    return this.#requests.get(`${pathOf(id)}/redaction`, query, incidentRedactionSchema);
  }

  /** A document, as text in pieces of any size. */
  export(id: string, query: Query, signal: AbortSignal): Promise<AsyncIterable<string>> {
    return this.#requests.stream(`${pathOf(id)}/export`, query, signal);
  }

  import(document: z.input<typeof importIncidentSchema>): Promise<IncidentImportedJson> {
    return this.#requests.post("/incidents/import", incidentImportedSchema, document);
  }

  kpis(query: Query): Promise<IncidentKpisJson> {
    return this.#requests.get("/incidents/kpis", query, incidentKpisSchema);
  }
}

function pathOf(id: string): string {
  return `/incidents/${encodeURIComponent(id)}`;
}
