import type { Instant } from "../../model/instant.ts";
import type { ProviderRole, TenantRole } from "../../model/role.ts";

/**
 * What the command line needs of the rest of the program. `src/cli.ts` hands in the real thing, tests a
 * small one; nothing here builds anything.
 */
export interface Host {
  readonly version: string;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Where a progress bar may be drawn: standard error itself. */
  readonly progress?: NodeJS.WritableStream;
  readonly terminal: { readonly colour: boolean; readonly utf8: boolean };
  readonly now: () => Instant;
  /** Aborts at the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /**
   * Verifies an export of the audit trail without any store; `headPath` names a file whose last line is a head that was
   * kept elsewhere. Throws `file-unreadable`.
   */
  verifyAuditFile(path: string, headPath?: string): Promise<AuditVerdict>;
  /** Names of the sources that are built in. */
  readonly sources: readonly string[];
  /** Reads and checks the configuration. Throws `config-invalid`. */
  configure(request: SetupRequest): Setup;
}

/** What was found out about an audit trail: the first place where something is wrong, if there is any. */
export type AuditVerdict =
  | { readonly ok: true; readonly entries: number; readonly erased: number; readonly head: string }
  | { readonly ok: false; readonly sequence: number; readonly what: string; readonly says: string };

/** Where text goes. `write` settles once the text was taken, so that a slow reader slows us down. */
export interface Sink {
  readonly terminal: boolean;
  /** Width in columns; absent where there is none. */
  readonly columns?: number;
  write(text: string): Promise<void>;
}

export interface SetupRequest {
  /** Settings given as flags, by the setting's name. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  /** True for commands that keep running: they log more. */
  readonly service: boolean;
  readonly demo?: boolean;
  /** Only these connections; all of them when absent. */
  readonly only?: readonly string[];
  /** A connection that no file names. */
  readonly extra?: ConnectionRequest;
}

export interface ConnectionRequest {
  readonly name: string;
  readonly source: string;
  readonly controlPlane: string;
  readonly config: Readonly<Record<string, string>>;
}

/** A configuration, and the way to open what it describes. */
export interface Setup {
  readonly settings: Settings;
  /** Opens the store; the host closes it when the process is interrupted. */
  open(): Promise<Opened>;
}

export interface Settings {
  readonly data: string;
  readonly databaseUrl?: string;
  readonly host: string;
  readonly port: number;
  readonly server?: string;
  readonly token?: string;
  readonly timeZone?: string;
  readonly connections: readonly {
    readonly name: string;
    readonly source: string;
    readonly controlPlane: string;
    readonly enabled: boolean;
  }[];
  /** The configured customers. */
  readonly customers: readonly { readonly id: string; readonly name: string }[];
  readonly warnings: readonly string[];
}

/** The counts of an import or a harvest; they add up to `records`. */
export interface Ingested {
  readonly records: number;
  readonly created: number;
  readonly folded: number;
  readonly repeated: number;
  readonly revised: number;
  readonly setAside: number;
  readonly factsOnly: number;
  /** Of events that were deleted for good before; absent for none. */
  readonly expired?: number;
}

/** What a comparison with a source found. */
export interface Reconciliation {
  /** The span that was read again; `to` is not part of it. */
  readonly from: Instant;
  readonly to: Instant;
  readonly records: number;
  /** Events that had been missing. */
  readonly foundLate: number;
  readonly holesClosed: number;
  readonly holesLeft: number;
}

export type Progress = (done: number, total: number) => void;

/** The opened program. */
export interface Opened {
  readonly store: {
    readonly tokens: Tokens;
    digest(): Promise<string>;
    describe(): Promise<{
      readonly serverVersion: string;
      readonly schemaVersion: number;
      readonly serverUid?: number;
      readonly embedded: boolean;
      readonly location: string;
    }>;
  };
  /** The audit trail as a whole; its entries are read through the API. */
  readonly audit: {
    exportLines(): AsyncIterable<string>;
    verify(headPath?: string): Promise<AuditVerdict>;
  };
  /** Names of the connections that records can be posted to. */
  readonly connections: readonly string[];
  /** Whether the built web pages are there to be served. */
  readonly webPages: boolean;
  importFile(options: {
    readonly source: string;
    readonly connection: string;
    readonly controlPlane: string;
    readonly path: string;
    /** The zone of times that the file states none for. */
    readonly timeZone?: string;
    readonly onProgress?: Progress;
  }): Promise<Ingested>;
  /**
   * One pass of a connection; `recorded` is a directory that stands in for the live API, `anew` leaves the saved place
   * behind. The signal ends it in the middle, with the connection handed back.
   */
  harvestOnce(
    connection: string,
    options: { readonly recorded?: string; readonly anew?: boolean; readonly signal?: AbortSignal },
  ): Promise<Ingested>;
  /** Compares what is stored with what the source still knows. Throws `usage` where nobody can be asked. */
  reconcile(
    connection: string,
    options: { readonly hours?: number; readonly signal?: AbortSignal },
  ): Promise<Reconciliation>;
  /** Undefined when the store knows no such connection. */
  replaySetAside(connection: string): Promise<Ingested | undefined>;
  /** Expects nothing of a connection any more, until it is read again; false when the store knows no such connection. */
  forget(connection: string): Promise<boolean>;
  /** Runs every connection until the signal ends it. */
  startHarvest(signal: AbortSignal): Promise<void>;
  /** Asks each identity provider once. */
  probeIdentityProviders(): Promise<readonly { readonly name: string; readonly problem?: string }[]>;
  api(options: ApiOptions): Promise<Api>;
  loadDemo(onProgress: Progress): Promise<void>;
  close(): Promise<void>;
}

/** Through whose eyes a local command looks. */
export type Viewer =
  | { readonly kind: "provider" }
  | {
      readonly kind: "domain";
      readonly controlPlane: string;
      readonly domainId: string;
      readonly role?: "admin";
    }
  | {
      readonly kind: "project";
      readonly controlPlane: string;
      readonly projectId: string;
      readonly role?: "admin";
    }
  | { readonly kind: "customer"; readonly customerId: string; readonly role?: "admin" };

export interface ApiOptions {
  /** Every request counts as this viewer's, for commands that look into their own store; absent on a server. */
  readonly viewer?: Viewer;
  readonly demo?: boolean;
}

/** The HTTP server, as far as commands use it. */
export interface Api {
  listen(options: { readonly host: string; readonly port: number }): Promise<string>;
  inject(request: {
    readonly method: "GET" | "POST" | "PUT" | "DELETE";
    readonly url: string;
    readonly payload?: object;
    readonly headers?: Record<string, string>;
    readonly payloadAsStream?: boolean;
  }): Promise<{
    readonly statusCode: number;
    readonly headers: Readonly<Record<string, unknown>>;
    readonly body: string;
    stream(): AsyncIterable<Uint8Array | string> & { destroy(): void };
  }>;
  close(): PromiseLike<unknown>;
}

export interface Tokens {
  create(token: {
    name: string;
    hash: Uint8Array;
    scope: TokenScope;
    expiresAt?: Instant;
  }): Promise<TokenRecord>;
  list(): Promise<readonly TokenRecord[]>;
  revoke(id: string): Promise<boolean>;
}

export type TokenScope =
  | { readonly kind: "provider"; readonly role?: ProviderRole }
  | {
      readonly kind: "domain";
      readonly controlPlane: string;
      readonly domainId: string;
      readonly role?: TenantRole;
    }
  | {
      readonly kind: "project";
      readonly controlPlane: string;
      readonly projectId: string;
      readonly role?: TenantRole;
    }
  | { readonly kind: "customer"; readonly customerId: string; readonly role?: TenantRole }
  | { readonly kind: "ingest"; readonly connection: string };

export interface TokenRecord {
  readonly id: string;
  readonly name: string;
  readonly scope: TokenScope;
  readonly createdAt: Instant;
  readonly expiresAt?: Instant;
  readonly revokedAt?: Instant;
  /** The day of its last use, in UTC. */
  readonly usedOn?: string;
  readonly madeBy?: string;
}
