import type { z } from "zod";
import { errorTable, IsochronError, type ErrorCode } from "../../errors.ts";
import {
  apiPrefix,
  eventSchema,
  eventsPageSchema,
  membersPageSchema,
  ownershipSchema,
  problemSchema,
  resourceSchema,
  sourcesSchema,
  type EventJson,
  type EventsPageJson,
  type MembersPageJson,
  type OwnershipJson,
  type ResourceJson,
  type SourcesJson,
} from "../api/contract.ts";
import { whatElseSchema, type WhatElseJson } from "../api/what-else-contract.ts";
import { blastSchema, type BlastJson } from "../api/blast-contract.ts";
import {
  operationAnswerSchema,
  operationsSchema,
  type OperationAnswerJson,
  type OperationsJson,
} from "../api/operation-contract.ts";
import { compareSchema, type CompareJson } from "../api/compare-contract.ts";
import { editionsSchema, type EditionsJson } from "../api/editions-contract.ts";
import {
  noticeTemplateHistorySchema,
  noticeTemplateSchema,
  noticeTemplatesSchema,
  templatePreviewSchema,
  tenantsSchema,
  tenantTreeSchema,
  type TenantsJson,
  type NoticeTemplateHistoryJson,
  type NoticeTemplateJson,
  type NoticeTemplatesJson,
  type TemplatePreviewJson,
  type TenantTreeJson,
} from "../api/tenancy-contract.ts";
import {
  dryRunSchema,
  quarantineSchema,
  rulingSchema,
  rulingsSchema,
  type dryRunRequestSchema,
  type DryRunJson,
  type makeRulingSchema,
  type QuarantineJson,
  type reviseRulingSchema,
  type RulingJson,
  type RulingsJson,
  type withdrawRulingSchema,
} from "../api/quarantine-contract.ts";
import {
  auditEntrySchema,
  auditHeadSchema,
  auditPageSchema,
  type AuditEntryJson,
  type AuditHeadJson,
  type AuditPageJson,
} from "../api/audit-contract.ts";
import { retractionSchema } from "../api/ownership-contract.ts";
import {
  erasureDryRunSchema,
  erasureSchema,
  erasuresSchema,
  holdSchema,
  holdsSchema,
  type eraseRequestSchema,
  type ErasureDryRunJson,
  type ErasureJson,
  type erasureTargetSchema,
  type HoldJson,
  type liftHoldSchema,
  type placeHoldSchema,
} from "../api/retention-contract.ts";
import {
  tuningSchema,
  verdictSchema,
  verdictsSchema,
  type giveVerdictSchema,
  type TuningJson,
  type VerdictJson,
  type VerdictsJson,
} from "../api/verdict-contract.ts";
import { alertCalls, type AlertCalls } from "./alert-calls.ts";
import type { Transport } from "./api-transport.ts";
import { IncidentClient } from "./incident-client.ts";
import { NotificationClient } from "./notification-client.ts";
import { readServerEvents } from "./server-events.ts";

/** Query parameters; undefined ones are left out. */
/** A parameter with several values is given several times. */
export type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** What a live stream tells: an event, new or told anew, or the id of one that is to be dropped. */
export type LiveMessage =
  | { readonly event: EventJson; readonly retracted?: never }
  | { readonly retracted: string; readonly event?: never };

/** The HTTP contract as functions. Answers are checked, and handed on exactly as they came. */
export class ApiClient {
  readonly #transport: Transport;
  readonly incidents: IncidentClient;
  readonly notifications: NotificationClient;

  readonly alerts: AlertCalls;

  constructor(transport: Transport) {
    this.#transport = transport;
    this.alerts = alertCalls({
      get: (path, query, schema) => this.#get(path + search(query), schema),
      send: (method, path, schema, body) => this.#send(method, path, schema, body),
    });
    this.notifications = new NotificationClient({
      get: (path, schema) => this.#get(path, schema),
      send: (method, path, schema, body) => this.#send(method, path, schema, body),
    });
    this.incidents = new IncidentClient({
      get: (path, query, schema) => this.#get(`${path}${search(query)}`, schema),
      post: (path, schema, body) => this.#send("POST", path, schema, body),
      stream: (path, query, signal) => this.#stream(`${path}${search(query)}`, "*/*", signal),
    });
  }

  events(query: Query): Promise<EventsPageJson> {
    return this.#get(`/events${search(query)}`, eventsPageSchema);
  }

  event(id: string): Promise<EventJson> {
    return this.#get(`/events/${encodeURIComponent(id)}`, eventSchema);
  }

  members(id: string, query: Query): Promise<MembersPageJson> {
    return this.#get(`/events/${encodeURIComponent(id)}/members${search(query)}`, membersPageSchema);
  }

  editions(id: string, query: Query): Promise<EditionsJson> {
    return this.#get(`/events/${encodeURIComponent(id)}/editions${search(query)}`, editionsSchema);
  }

  ownership(id: string): Promise<OwnershipJson> {
    return this.#get(`/events/${encodeURIComponent(id)}/ownership`, ownershipSchema);
  }

  whatElse(query: Query): Promise<WhatElseJson> {
    return this.#get(`/what-else${search(query)}`, whatElseSchema);
  }

  operations(query: Query): Promise<OperationsJson> {
    return this.#get(`/operations${search(query)}`, operationsSchema);
  }

  operation(id: string): Promise<OperationAnswerJson> {
    return this.#get(`/operations/${encodeURIComponent(id)}`, operationAnswerSchema);
  }

  blast(query: Query): Promise<BlastJson> {
    return this.#get(`/blast${search(query)}`, blastSchema);
  }

  compare(query: Query): Promise<CompareJson> {
    return this.#get(`/compare${search(query)}`, compareSchema);
  }

  resource(kind: string, id: string, query: Query): Promise<ResourceJson> {
    return this.#get(
      `/resources/${encodeURIComponent(kind)}/${encodeURIComponent(id)}${search(query)}`,
      resourceSchema,
    );
  }

  sources(): Promise<SourcesJson> {
    return this.#get("/sources", sourcesSchema);
  }

  quarantine(query: Query): Promise<QuarantineJson> {
    return this.#get(`/quarantine${search(query)}`, quarantineSchema);
  }

  dryRun(request: z.input<typeof dryRunRequestSchema>): Promise<DryRunJson> {
    return this.#send("POST", "/quarantine/dry-run", dryRunSchema, request);
  }

  audit(query: Query): Promise<AuditPageJson> {
    return this.#get(`/audit${search(query)}`, auditPageSchema);
  }

  auditEntry(sequence: string): Promise<AuditEntryJson> {
    return this.#get(`/audit/${encodeURIComponent(sequence)}`, auditEntrySchema);
  }

  auditHead(): Promise<AuditHeadJson> {
    return this.#get("/audit/head", auditHeadSchema);
  }

  rulings(): Promise<RulingsJson> {
    return this.#get("/rulings", rulingsSchema);
  }

  ruling(id: string): Promise<RulingJson> {
    return this.#get(`/rulings/${encodeURIComponent(id)}`, rulingSchema);
  }

  makeRuling(order: z.input<typeof makeRulingSchema>): Promise<RulingJson> {
    return this.#send("POST", "/rulings", rulingSchema, order);
  }

  reviseRuling(id: string, order: z.input<typeof reviseRulingSchema>): Promise<RulingJson> {
    return this.#send("POST", `/rulings/${encodeURIComponent(id)}/versions`, rulingSchema, order);
  }

  withdrawRuling(id: string, order: z.input<typeof withdrawRulingSchema>): Promise<RulingJson> {
    return this.#send("POST", `/rulings/${encodeURIComponent(id)}/withdrawal`, rulingSchema, order);
  }

  verdicts(query: Query): Promise<VerdictsJson> {
    return this.#get(`/verdicts${search(query)}`, verdictsSchema);
  }

  giveVerdict(order: z.input<typeof giveVerdictSchema>): Promise<VerdictJson> {
    return this.#send("POST", "/verdicts", verdictSchema, order);
  }

  tuning(): Promise<TuningJson> {
    return this.#get("/tuning", tuningSchema);
  }

  tenants(): Promise<TenantsJson> {
    return this.#get("/tenants", tenantsSchema);
  }

  tenantTree(): Promise<TenantTreeJson> {
    return this.#get("/tenants/tree", tenantTreeSchema);
  }

  /**
   * Events that are stored from now on, and ids of those that are no longer to be seen, until the signal ends it or the
   * server goes away. Settles once it listens.
   */
  async live(query: Query, signal: AbortSignal): Promise<AsyncIterable<LiveMessage>> {
    return readEvents(await this.#stream(`/live${search(query)}`, "text/event-stream", signal));
  }

  /** All that a tenant is shown, as text in pieces of any size. */
  export(query: Query, signal: AbortSignal): Promise<AsyncIterable<string>> {
    return this.#stream(`/export${search(query)}`, "*/*", signal);
  }

  holds(): Promise<z.infer<typeof holdsSchema>> {
    return this.#get("/holds", holdsSchema);
  }

  placeHold(hold: z.input<typeof placeHoldSchema>): Promise<HoldJson> {
    return this.#send("POST", "/holds", holdSchema, hold);
  }

  liftHold(id: string, order: z.input<typeof liftHoldSchema>): Promise<HoldJson> {
    return this.#send("POST", `/holds/${encodeURIComponent(id)}/lifting`, holdSchema, order);
  }

  erasures(): Promise<z.infer<typeof erasuresSchema>> {
    return this.#get("/erasures", erasuresSchema);
  }

  erasureDryRun(target: z.input<typeof erasureTargetSchema>): Promise<ErasureDryRunJson> {
    return this.#send("POST", "/erasures/dry-run", erasureDryRunSchema, { target });
  }

  erase(order: z.input<typeof eraseRequestSchema>): Promise<ErasureJson> {
    return this.#send("POST", "/erasures", erasureSchema, order);
  }

  noticeTemplates(): Promise<NoticeTemplatesJson> {
    return this.#get("/notice-templates", noticeTemplatesSchema);
  }

  noticeTemplate(name: string): Promise<NoticeTemplateHistoryJson> {
    return this.#get(`/notice-templates/${encodeURIComponent(name)}`, noticeTemplateHistorySchema);
  }

  changeTemplate(
    name: string,
    change: { readonly text: string; readonly expected_version: number; readonly why: string },
  ): Promise<NoticeTemplateJson> {
    return this.#send("PUT", `/notice-templates/${encodeURIComponent(name)}`, noticeTemplateSchema, change);
  }

  resetTemplate(
    name: string,
    query: { readonly expected_version: number; readonly why: string },
  ): Promise<NoticeTemplateJson> {
    const path = `/notice-templates/${encodeURIComponent(name)}${search(query)}`;
    return this.#send("DELETE", path, noticeTemplateSchema);
  }

  previewTemplate(text: string): Promise<TemplatePreviewJson> {
    return this.#send("POST", "/notice-templates/preview", templatePreviewSchema, { text });
  }

  async #stream(path: string, accept: string, signal: AbortSignal): Promise<AsyncIterable<string>> {
    const answer = await this.#transport.stream(apiPrefix + path, { accept }, signal);
    if (answer.status === 200) return answer.text;
    let body = "";
    for await (const text of answer.text) body += text;
    throw failureOf(answer.status, body);
  }

  async #send<Schema extends z.ZodType>(
    method: "POST" | "PUT" | "DELETE",
    path: string,
    schema: Schema,
    body?: object,
  ): Promise<z.infer<Schema>> {
    const answer = await this.#transport.send(method, apiPrefix + path, body);
    if (answer.status < 200 || answer.status > 299) throw failureOf(answer.status, answer.body);
    return parse(answer.body, schema);
  }

  async #get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.infer<Schema>> {
    const answer = await this.#transport.get(apiPrefix + path);
    if (answer.status !== 200) throw failureOf(answer.status, answer.body);
    return parse(answer.body, schema);
  }
}

async function* readEvents(text: AsyncIterable<string>): AsyncGenerator<LiveMessage> {
  for await (const { event, data } of readServerEvents(text)) {
    if (event === "event") yield { event: parse(data, eventSchema) };
    else if (event === "retracted") yield { retracted: parse(data, retractionSchema).id };
  }
}

function search(query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one: unknown) => [name, one] as const),
  );
  const pairs = given.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs)}`;
}

/** The value as it was sent, once it is known to keep the contract; a newer server may say more. */
function parse<Schema extends z.ZodType>(body: string, schema: Schema): z.infer<Schema> {
  const value = parseJson(body);
  if (!schema.safeParse(value).success) throw notIsochron();
  return value as z.infer<Schema>;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The server's own problem, told again here under its own code. */
function failureOf(status: number, body: string): IsochronError {
  const problem = problemSchema.safeParse(parseJson(body));
  if (problem.success) {
    const { code, detail, remedy } = problem.data;
    return new IsochronError(code in errorTable ? (code as ErrorCode) : codeOf(status), detail, remedy);
  }
  if (status === 401 || status === 404) {
    const remedy = "Check --server (ISOCHRON_SERVER) and --token (ISOCHRON_TOKEN).";
    return new IsochronError(codeOf(status), `The server answered ${status}.`, remedy);
  }
  return notIsochron();
}

function codeOf(status: number): ErrorCode {
  if (status === 401) return "not-signed-in";
  if (status === 403 || status === 404) return "not-found";
  return "server-unavailable";
}

function notIsochron(): IsochronError {
  return new IsochronError(
    "server-unavailable",
    "The server answered with something that is not Isochron's.",
    "Check --server (ISOCHRON_SERVER), and that its version is not older than this one.",
  );
}
