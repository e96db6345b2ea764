import type { FastifyBaseLogger } from "fastify";
import type { Disclosure, DisclosureClass } from "../../model/disclosure.ts";
import type { EntityRef } from "../../model/entity.ts";
import type { StoredEvent } from "../../model/event.ts";
import type { IdentityProvider } from "../../model/identity.ts";
import type { Duration, Instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import type { AuditStore, AuditTrail } from "../../store/audit-store.ts";
import type { TenantEvent, VisibleEvent } from "../../store/event-reader.ts";
import type { NoticeTemplateRecord } from "../../store/notice-template-store.ts";
import type { Store } from "../../store/store.ts";
import type { TokenScope } from "../../store/token-store.ts";
import type { FindAlerts } from "./alert-parts.ts";
import type { CompareEvents, FindBlast } from "./blast-parts.ts";
import type { ContractJson } from "./contract.ts";
import type { Notifications } from "./notification-parts.ts";
import type { Erasures } from "./retention-parts.ts";
import type { FindOperations } from "./operation-parts.ts";
import type { Rulings } from "./ruling-parts.ts";
import type { TemplatePreviewJson } from "./tenancy-contract.ts";
import type { TenantSettings } from "./tenant-directory.ts";

/** All that the HTTP API stands on; `main.ts` fills it in. */
export interface ApiParts {
  readonly store: Pick<
    Store,
    | "reader"
    | "topology"
    | "tokens"
    | "sessions"
    | "incidents"
    | "maintenance"
    | "alertSplits"
    | "feedback"
    | "typePairs"
  > & {
    readonly audit: AuditTrail & Pick<AuditStore, "find" | "head" | "list">;
  };
  /** Who else vouches for people beside our own tokens; nobody where absent. */
  readonly identityProviders?: readonly IdentityProvider[];
  readonly whatElse: WhatElse;
  /** What a failure reaches; absent where nobody can tell. */
  readonly blast?: FindBlast;
  /** Rebuilds operations; absent where nobody can. */
  readonly operations?: FindOperations;
  /** What stands out of a selection; absent where nobody can tell. */
  readonly compare?: CompareEvents;
  /** Judges alerts; absent where nobody can. */
  readonly alerts?: FindAlerts;
  readonly ingest: PostRecords;
  /** Counts a request of an allowed sender that was refused for its size; its body was not read. */
  readonly noteTooLarge: (connection: string, request: TooLargeRequest) => Promise<void>;
  /** Room in memory for posted bodies; absent where nothing is bounded. */
  readonly pushRoom?: PushRoom;
  /** What protects the sources and this process, in figures; absent where nothing is protected. */
  readonly protection?: () => ProtectionState;
  /** What a source promises; absent where no source is known. */
  readonly contractOf?: (source: string) => ContractJson | undefined;
  /** The texts of notices; absent where they cannot be edited. */
  readonly notices?: NoticeTemplates;
  /** Lays editions beside their events; absent where nobody can. */
  readonly redaction?: Redaction;
  /** What operators rule about waiting events; absent where nobody can. */
  readonly rulings?: Rulings;
  /** Rules that tell others of events; absent where nothing is sent. */
  readonly notifications?: Notifications;
  /** Legal holds and erasures; absent where nobody can. */
  readonly erasures?: Erasures;
  /** What the configuration says of customers and regions; nothing where absent. */
  readonly tenantSettings?: TenantSettings;
  readonly clock: () => Instant;
  /** Signs cursors and seals what sessions hold: 32 bytes or more, the same in every process that serves one store. */
  readonly secret: Uint8Array;
  readonly version: string;
  /** Folder of the built web pages, served at `/`. */
  readonly webRoot?: string;
  readonly demo?: { readonly scenes: readonly Scene[] };
  readonly log: FastifyBaseLogger | false;
  /** Addresses and ranges whose `X-Forwarded-For` is believed; nobody's where absent. */
  readonly trustedProxies?: readonly string[];
  /** Lets a browser on this machine sign itself in as the provider. */
  readonly openDemo: boolean;
  /**
   * Whose every request is that carries no credentials of its own: for a command that asks its own store in
   * its own process. Never give it to a server that listens.
   */
  readonly viewer?: Exclude<TokenScope, { kind: "ingest" }>;
  readonly limits?: Partial<ApiLimits>;
}

/** Tells what became of each field of an event in a tenant's edition of it, and what the classes of fields mean. */
export interface Redaction {
  compare(event: StoredEvent, edition: TenantEvent): readonly Disclosure[];
  readonly classes: readonly DisclosureClass[];
}

/** One text that tenants are told of a shared cause with. */
export interface NoticeTemplate {
  readonly name: string;
  readonly situation: string;
  readonly text: string;
  readonly shippedText: string;
  readonly version: number;
  readonly latest?: NoticeTemplateRecord;
  readonly sample: string;
}

/** Reads and edits them. What no situation is called is undefined. */
export interface NoticeTemplates {
  readonly placeholders: readonly { readonly name: string; readonly meaning: string }[];
  readonly charsMax: number;
  list(): Promise<readonly NoticeTemplate[]>;
  find(
    name: string,
  ): Promise<
    { readonly template: NoticeTemplate; readonly history: readonly NoticeTemplateRecord[] } | undefined
  >;
  /** A null text is the shipped one. Throws `template-invalid` and `template-changed`. */
  edit(
    name: string,
    edit: {
      readonly text: string | null;
      readonly expectedVersion: number;
      readonly by: string;
      readonly why: string;
    },
  ): Promise<NoticeTemplate | undefined>;
  preview(text: string): {
    readonly problems: readonly TemplatePreviewJson["problems"][number][];
    readonly samples: readonly string[];
  };
}

/** A stretch of time worth looking at first. */
export interface Scene {
  readonly title: string;
  readonly from: Instant;
  readonly to: Instant;
  readonly event?: string;
}

export interface ApiLimits {
  /** Requests of one principal; more are answered 429. */
  readonly requestsPerMinute: number;
  /** Refused sign-ins from one address; more are answered 429. */
  readonly refusalsPerMinute: number;
  /** Sign-ins of one user name at one identity provider, whatever becomes of them; more are answered 429. */
  readonly signInsPerName: number;
  /** Refused sign-ins are answered at multiples of this, so that the time tells little of why. */
  readonly refusalStepMs: number;
  readonly ingestBodyBytesMax: number;
  readonly ingestInFlightPerConnection: number;
  readonly liveStreamsMax: number;
  readonly liveStreamsPerPrincipal: number;
  readonly liveHeartbeatMs: number;
  /** How often an open stream's right to be open is looked at again. */
  readonly liveRecheckMs: number;
  /** A client that takes nothing for so long is cut off. */
  readonly liveStallMs: number;
}

export const apiLimits: ApiLimits = {
  requestsPerMinute: 3_000,
  refusalsPerMinute: 300,
  signInsPerName: 10,
  refusalStepMs: 500,
  ingestBodyBytesMax: 1024 * 1024,
  ingestInFlightPerConnection: 8,
  liveStreamsMax: 500,
  liveStreamsPerPrincipal: 20,
  liveHeartbeatMs: 15_000,
  liveRecheckMs: 20_000,
  liveStallMs: 30_000,
};

/** Ranks what else changed; undefined when the event or resource is unknown in the scope. */
export type WhatElse = (scope: Scope, query: WhatElseQuery) => Promise<WhatElseAnswer | undefined>;

export interface WhatElseQuery {
  /** Absent where a resource or a moment is asked from. */
  readonly events?: readonly string[];
  readonly resource?: EntityRef;
  readonly at?: Instant;
  readonly windowMs: Duration;
  readonly limit: number;
}

export interface WhatElseAnswer {
  readonly target: {
    readonly event?: VisibleEvent;
    /** Where there are several, the earliest first. */
    readonly selection?: readonly VisibleEvent[];
    readonly resource?: EntityRef;
    readonly at: Instant;
  };
  readonly window: { readonly from: Instant; readonly to: Instant };
  /** Best first. */
  readonly candidates: readonly WhatElseCandidate[];
  /** What began after the moment; absent where nobody looked. */
  readonly followed?: readonly {
    readonly event: VisibleEvent;
    readonly afterMs: number;
    readonly path: readonly Hop[];
  }[];
  /** Few candidates that explain many symptoms, and what none explains; by event id. */
  readonly cover?: {
    readonly causes: readonly { readonly id: string; readonly explains: readonly string[] }[];
    readonly unexplained: readonly string[];
  };
  readonly checked: {
    readonly events: number;
    readonly nothingOn: readonly EntityRef[];
    readonly truncated: boolean;
    /** How far back the things themselves were looked at, beyond the window. */
    readonly since?: Instant;
    /** What there was more of than was taken, and how many were. */
    readonly cut?: readonly { readonly of: string; readonly most: number }[];
  };
}

interface Hop {
  readonly from: EntityRef;
  readonly relation: string;
  readonly to: EntityRef;
}

export interface WhatElseCandidate {
  readonly event: VisibleEvent;
  readonly beforeMs: number;
  readonly score: number;
  readonly direction: "before" | "unordered" | "in-progress";
  readonly path: readonly Hop[];
  readonly addends: readonly { readonly name: string; readonly value: number; readonly says: string }[];
  readonly reason: string;
  readonly also: number;
  /** Ids of the symptoms that it explains, where there are several. */
  readonly explains?: readonly string[];
  readonly verdict?: "suspected" | "confirmed" | "ruled-out";
}

/** Throws `rate-limited` when the connection's share is full, `overloaded` when all is. */
export interface PushRoom {
  admit(connection: string, bytes: number): PushCredit;
}

/** The room of one request. */
export interface PushCredit {
  take(bytes: number): void;
  giveBack(): void;
}

/** Figures of this process; counts are since its start. */
export interface ProtectionState {
  readonly inFlightBytes: number;
  readonly inFlightBytesMax: number;
  readonly guards: readonly {
    readonly connection: string;
    readonly breaker: "closed" | "open" | "half-open";
    readonly requests: number;
    readonly retries: number;
    readonly throttledMs: number;
    readonly requestsAtOnce: number;
    readonly heldBytes: number;
  }[];
  /** Posted requests refused for want of room; the name is empty for connections that are not configured. */
  readonly refused: readonly {
    readonly connection: string;
    readonly share: number;
    readonly whole: number;
  }[];
}

/** A request that a push source's sender made, with the bytes as they came. */
export interface PostedRecords {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly receivedAt: Instant;
  /** Takes room for what the body grows to when it is decompressed. Throws as {@link PushRoom} does. */
  readonly takeBytes: (bytes: number) => void;
}

export interface TooLargeRequest {
  /** As its `Content-Length` says; absent where it came in chunks. */
  readonly declaredBytes?: number;
  readonly contentType: string;
  readonly receivedAt: Instant;
}

/** Settles after the commit; undefined when no connection of that name takes requests. */
export type PostRecords = (connection: string, request: PostedRecords) => Promise<PostedOutcome | undefined>;

export interface PostedOutcome {
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
