import type { AlertSplitStore } from "./alert-split-store.ts";
import type { AuditStore } from "./audit-store.ts";
import type { CorrelationReader } from "./correlation-reader.ts";
import type { DecisionStore } from "./decision-store.ts";
import type { EventReader } from "./event-reader.ts";
import type { EventStore } from "./event-store.ts";
import type { MaintenanceStore } from "./maintenance-store.ts";
import type { FeedbackStore } from "./feedback-store.ts";
import type { IncidentStore } from "./incident-store.ts";
import type { NotificationStore } from "./notification-store.ts";
import type { NoticeTemplateStore } from "./notice-template-store.ts";
import type { OperationStore } from "./operation-store.ts";
import type { RetentionStore } from "./retention-store.ts";
import type { RulingStore } from "./ruling-store.ts";
import type { SessionStore } from "./session-store.ts";
import type { TokenStore } from "./token-store.ts";
import type { TopologyReader } from "./topology-reader.ts";
import type { TypePairStore } from "./type-pair-store.ts";

/** The whole store, opened. */
export interface Store {
  readonly events: EventStore;
  readonly reader: EventReader;
  readonly topology: TopologyReader;
  readonly correlation: CorrelationReader;
  readonly tokens: TokenStore;
  readonly sessions: SessionStore;
  readonly noticeTemplates: NoticeTemplateStore;
  /** 32 bytes that aliases of places are made with; the same for the store's whole life, and never shown. */
  readonly aliasKey: Uint8Array;
  readonly audit: AuditStore;
  readonly decisions: DecisionStore;
  readonly rulings: RulingStore;
  readonly retention: RetentionStore;
  readonly notifications: NotificationStore;
  readonly incidents: IncidentStore;
  readonly maintenance: MaintenanceStore;
  readonly feedback: FeedbackStore;
  readonly typePairs: TypePairStore;
  readonly alertSplits: AlertSplitStore;
  readonly operations: OperationStore;
  /** A hash over all that the store holds but the times of recording: equal digests, equal stores. */
  digest(): Promise<string>;
  /** For `doctor`: server version, schema version, where it runs. */
  describe(): Promise<StoreDescription>;
  /** Ends every connection, and the embedded server if this process started it. */
  close(): Promise<void>;
}

export interface StoreDescription {
  readonly serverVersion: string;
  readonly schemaVersion: number;
  readonly embedded: boolean;
  readonly location: string;
  /** Of the embedded server, as the kernel has it: 0 where it is root in a user namespace of its own. */
  readonly serverUid?: number;
}
