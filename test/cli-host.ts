import { Readable } from "node:stream";
import { IsochronError } from "../src/errors.ts";
import { instant, type Instant } from "../src/model/instant.ts";
import type { EventJson } from "../src/present/api/contract.ts";
import type {
  Api,
  ApiOptions,
  AuditVerdict,
  Host,
  Ingested,
  Opened,
  Reconciliation,
  Settings,
  SetupRequest,
  TokenRecord,
} from "../src/present/cli/application.ts";
import { runCommandLine } from "../src/present/cli/program.ts";

/** What the canned API answers, by path with query; a function sees the whole address. */
export type Answers = Readonly<Record<string, unknown>>;

export interface CannedRun {
  readonly answers?: Answers;
  readonly ingested?: Ingested;
  /** What each comparison finds; none can be made where absent, and never one of `deaf` or `away`. */
  readonly reconciled?: Reconciliation;
  readonly now?: Instant;
  readonly terminalColumns?: number;
  readonly utf8?: boolean;
  readonly colour?: boolean;
  readonly settings?: Partial<Settings>;
  readonly signal?: AbortSignal;
  readonly live?: readonly string[];
  readonly webPages?: boolean;
  /** What verifying the audit trail finds; nothing where absent. */
  readonly verdict?: AuditVerdict;
}

export interface CannedResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Every address that was asked for, in order. */
  readonly asked: readonly string[];
  /** What was sent to be changed, in order. */
  readonly sent: readonly object[];
  readonly viewers: readonly ApiOptions[];
  readonly setups: readonly SetupRequest[];
  readonly closed: number;
  /** What was asked to be imported, in order. */
  readonly imports: readonly object[];
  /** What was asked to be compared with its source, in order. */
  readonly reconciles: readonly object[];
  readonly tokens: readonly { name: string; hash: Uint8Array; scope: unknown; expiresAt?: Instant }[];
}

export const nothing: Ingested = {
  records: 0,
  created: 0,
  folded: 0,
  repeated: 0,
  revised: 0,
  setAside: 0,
  factsOnly: 0,
};

/** Runs a command line against canned answers, with both streams captured. */
export async function runCanned(args: readonly string[], run: CannedRun = {}): Promise<CannedResult> {
  const text = { stdout: "", stderr: "" };
  const asked: string[] = [];
  const sent: object[] = [];
  const viewers: ApiOptions[] = [];
  const setups: SetupRequest[] = [];
  const tokens: CannedResult["tokens"][number][] = [];
  const [imports, reconciles]: [object[], object[]] = [[], []];
  let closed = 0;
  const sink = (name: "stdout" | "stderr") => ({
    terminal: run.terminalColumns !== undefined,
    ...(run.terminalColumns === undefined ? {} : { columns: run.terminalColumns }),
    write: async (words: string) => void (text[name] += words),
  });
  const opened: Opened = {
    store: cannedStoreOf(tokens),
    audit: {
      exportLines: async function* () {
        yield "{}\n";
      },
      verify: async () => run.verdict ?? cannedVerdict,
    },
    connections: ["alertmanager"],
    webPages: run.webPages ?? true,
    importFile: async ({ onProgress, ...request }) => {
      imports.push(request);
      onProgress?.(1, 1);
      return run.ingested ?? nothing;
    },
    harvestOnce: async () => run.ingested ?? nothing,
    reconcile: async (name, options) => {
      const { hours } = options;
      reconciles.push({ name, ...(hours === undefined ? {} : { hours }) });
      return cannedReconciliation(run, name);
    },
    replaySetAside: async (name) => (name === "gone" ? undefined : (run.ingested ?? nothing)),
    forget: async (name) => name !== "gone",
    startHarvest: async () => {},
    probeIdentityProviders: async () => [],
    loadDemo: async (onProgress) => onProgress(1, 1),
    api: async (options) => {
      viewers.push(options);
      return cannedApi(run, asked, sent);
    },
    close: async () => void closed++,
  };
  const host: Host = {
    version: "0.0.0-test",
    stdout: sink("stdout"),
    stderr: sink("stderr"),
    terminal: { colour: run.colour ?? true, utf8: run.utf8 ?? true },
    now: () => run.now ?? instant(Date.UTC(2024, 7, 2, 12, 0)),
    signal: run.signal ?? new AbortController().signal,
    verifyAuditFile: async () => run.verdict ?? cannedVerdict,
    sources: ["openstack-notifications", "post-mortem"],
    configure: (request) => {
      setups.push(request);
      return { settings: cannedSettings(run, request), open: async () => opened };
    },
  };
  const code = await runCommandLine(args, host);
  return { code, ...text, asked, sent, viewers, setups, closed, imports, reconciles, tokens };
}

function cannedStoreOf(tokens: CannedResult["tokens"][number][]): Opened["store"] {
  return {
    tokens: {
      create: async (token) => {
        tokens.push(token);
        return recordOf(token);
      },
      list: async () => tokens.map(recordOf),
      revoke: async (id) => id === "t1",
    },
    digest: async () => "d1963e57",
    describe: async () => cannedStore,
  };
}

const cannedVerdict = { ok: true, entries: 3, erased: 0, head: "" } as const;
const cannedStore = { serverVersion: "18.4", schemaVersion: 3, embedded: true, location: "/data" };

function cannedSettings(run: CannedRun, { flags }: SetupRequest): Settings {
  return {
    data: "/data",
    host: "127.0.0.1",
    port: 4400,
    connections: [],
    customers: [],
    warnings: [],
    timeZone: flags["time_zone"] ?? "UTC",
    ...run.settings,
  };
}

function cannedReconciliation({ reconciled }: CannedRun, name: string): Reconciliation {
  if (name === "away") throw new IsochronError("source-unavailable", "It is away.", "Wait.");
  if (reconciled !== undefined && name !== "deaf") return reconciled;
  throw new IsochronError("usage", `${name} cannot be reconciled.`, "Nobody can be asked.");
}

function recordOf(token: CannedResult["tokens"][number]): TokenRecord {
  return { id: "t1", ...token, createdAt: instant(0) } as TokenRecord;
}

function cannedApi(run: CannedRun, asked: string[], sent: object[]): Api {
  return {
    listen: async ({ host, port }) => `http://${host}:${port}`,
    close: async () => {},
    inject: async ({ method, url, payload, payloadAsStream }) => {
      const path = url.replace("/api/v1", "");
      asked.push(path);
      if (method !== "GET") sent.push({ method, path, ...(payload === undefined ? {} : { payload }) });
      const answer = run.answers?.[path] ?? run.answers?.[path.replace(/\?.*/, "")];
      const value = typeof answer === "function" ? answer(new URL(path, "http://canned")) : answer;
      const problem = {
        type: "about:blank",
        title: "Not found",
        status: 404,
        code: "not-found",
        detail: "There is no such thing.",
        remedy: "Check the id.",
      };
      const found = value ?? problem;
      const statusCode = typeof found.status === "number" ? found.status : 200;
      return {
        statusCode: payloadAsStream === true ? 200 : statusCode,
        headers: {},
        body: JSON.stringify(found),
        stream: () => Readable.from(run.live ?? []),
      };
    },
  };
}

/** An event as the API gives it to a provider. */
export function eventJson(change: Partial<EventJson> = {}): EventJson {
  return {
    id: "e1",
    connection: "notifications@lab",
    source: "openstack-notifications",
    key: "k1",
    source_ids: ["m1", "m2"],
    occurred_at: "2024-08-02T10:06:00.000Z",
    recorded_at: "2024-08-02T10:06:02.500Z",
    precision_ms: 60_000,
    type: "compute.instance.create.end",
    kind: "change",
    category: "lifecycle",
    phase: "end",
    severity: "info",
    visibility: "operational",
    subject: { kind: "server", id: "6f3c", name: "web-3" },
    related: [{ kind: "host", id: "cmp-17", role: "host" }],
    actor: { user_id: "u1" },
    operation: { request_id: "req-1" },
    attribution: {
      status: "owned",
      control_plane: "default",
      domain_id: "d1",
      project_id: "p1",
      affected: [],
      evidence: [],
    },
    summary: "Server web-3 was created",
    details: { state: "active" },
    ...change,
  };
}

/** A page of events whose sources are complete to 12:00. */
export function pageJson(
  events: readonly EventJson[],
  next: string | null = null,
  completeTo = "2024-08-02T12:00:00.000Z",
) {
  return {
    events,
    next_cursor: next,
    coverage: {
      complete_to: completeTo,
      holes: [],
      connections: [{ connection: "notifications@lab", state: "running", complete_to: completeTo }],
    },
  };
}
