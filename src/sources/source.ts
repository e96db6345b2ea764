import type { LookupFunction } from "node:net";
import type { z } from "zod";
import type { Duration, Instant } from "../model/instant.ts";
import type { Observation } from "../model/event.ts";
import type { Json, JsonObject } from "../model/json.ts";
import type { Finding, Hole } from "../model/source-health.ts";

/** What a source promises, shown on its page and checked at run time where it can be. */
export interface SourceContract {
  /** Which fields name an occurrence for ever. */
  readonly identity: string;
  /** How a changed record is told from a repeated one. */
  readonly version: string;
  readonly ordering: "sorted" | "unsorted";
  /** How long after its own time a record may become readable. */
  readonly commitDelayMax: Duration;
  /** How far the source's clock may be off. */
  readonly clockErrorMax: Duration;
  /** How long the source keeps what we have not read; absent where it keeps nothing. */
  readonly retention?: Duration;
  readonly delivery: "pull" | "push";
  /** Whether a record may come again under the same identity and say something else. */
  readonly revisions: "never" | "allowed";
  /**
   * What `completeTo` speaks of, which decides what a new event with an old time proves. *Settled*: all that happened
   * until then, the delays being taken off already, so that an older one proves the claim false. *Read*: all that was
   * readable then, so that one may still be older by `commitDelayMax` and `clockErrorMax`. Absent: whatever the source
   * had told by then; its records bear times from long before, and an old one proves nothing. Neither does, of any source,
   * an event that is a week older than the claim: people and imports date what they enter as they like.
   */
  readonly completeness?: "settled" | "read";
  /** What it cannot tell us, in a sentence for operators. */
  readonly blindSpots: string;
}

/**
 * One record as it arrived. `bytes` is kept whole when the record has to be set aside, and a replay
 * starts from exactly these fields, so `meta` must hold all that `normalise` needs besides the bytes.
 */
export interface RawRecord {
  readonly bytes: Uint8Array;
  /** Where it stood, for people: `line 12`, `delivery 88`, `GET /v2.1/os-services #3`. */
  readonly position: string;
  readonly receivedAt: Instant;
  /** Header fields, routing keys and the like. */
  readonly meta: JsonObject;
}

/** The safe decoders of `normalise/`, handed in so that a source stays pure and keeps no parser of its own. */
export interface Decoders {
  /** Parses JSON under the limits on size, depth and keys; numbers beyond 2^53 stay exact as text. Throws `record-invalid`. */
  readonly json: (text: string) => Json;
  /** Fatal UTF-8 decoding. Throws `record-invalid`. */
  readonly text: (bytes: Uint8Array) => string;
  /**
   * Strict time parsing: RFC 3339, or the OpenStack spellings (space for `T`, `+0000`, naive).
   * A time without a zone is only accepted with `naive: "utc"`. Throws `record-invalid`.
   */
  readonly time: (text: string, options?: { naive: "utc" }) => Instant;
}

/** What a connection is: one configured use of a source, e.g. `nova@region-1`. */
export interface Connection {
  readonly name: string;
  readonly source: string;
  readonly controlPlane: string;
}

interface SourceBase {
  readonly name: string;
  readonly title: string;
  /** One sentence: what it tells, and how it is connected. */
  readonly summary: string;
  readonly contract: SourceContract;
  /** Settings of a connection; secrets are given by reference (`env:NAME`, `file:PATH`). */
  readonly config: z.ZodType<JsonObject>;
  /**
   * Reads one record. Pure: the same record gives the same observation. Throws `record-invalid`
   * with what was wrong when the record cannot be used; the pipeline then sets it aside whole.
   */
  normalise(record: RawRecord, decode: Decoders): Observation;
  /**
   * How a file of this source's records is split for `isochron import`; absent where files make no sense.
   * What cannot be split is yielded whole, so that `normalise` says why and nothing vanishes.
   */
  splitFile?(file: SourceFile, decode: Decoders): AsyncIterable<RawRecord>;
  /** True where its files may state times without a zone, as written documents may, which whoever imports one then names. */
  readonly zonelessFiles?: true;
}

/** A file to import: `lines` ends a line at LF, `whole` gives at most `bytesMax`; gzip is already undone. */
export interface SourceFile {
  readonly name: string;
  readonly modifiedAt: Instant;
  /** The zone of times that the file states none for, as whoever imports it says: an IANA name or `±hh:mm`. */
  readonly timeZone?: string;
  /** Yields each non-empty line with its one-based number; a line over the limit is yielded cut, with `tooLarge`. */
  lines(): AsyncIterable<{ readonly number: number; readonly bytes: Uint8Array; readonly tooLarge: boolean }>;
  whole(): Promise<Uint8Array>;
}

/** What the pipeline lends a pulling source. */
export interface SourceIo {
  /** HTTP with the connection's time-outs and limits; a recorded directory stands in for it in tests and demos. */
  readonly http: HttpClient;
  /** A database to read from, by its URL (`postgres://`, `mysql://`, `mariadb://`). Throws `config-invalid` for another. */
  readonly sql: (url: string) => SqlClient;
  /** Absent where answers are recorded, and nothing is asked. */
  readonly addresses?: Addresses;
  /** The source's clock when the answers are recorded, else ours. */
  readonly now: () => Instant;
  /** Told of each reading of the source's clock; absent where `now` is that clock. `http` tells its own readings. */
  readonly noteClock?: (reading: ClockReading) => void;
  readonly signal: AbortSignal;
  readonly warn: (message: string, fields?: JsonObject) => void;
  /** The secret that `env:NAME` or `file:PATH` names. Throws `config-invalid` when there is none. */
  readonly secret: (reference: string) => string;
  /** A UTF-8 file beside the configuration, `~/` meaning the home folder; undefined when there is no such file. */
  readonly readText: (path: string) => Promise<string | undefined>;
}

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Which addresses a connection may be made to. `http` and `sql` ask by themselves. */
export interface Addresses {
  /** Notes that whoever configured the connection wrote this URL, `host:port` or host, in a file or a secret. */
  readonly own: (address: string) => void;
  /** Throws `address-refused` for a URL that can be told to lead astray before its name is resolved. */
  readonly check: (url: string, protocols?: readonly string[]) => void;
  /** Where a host may be reached. Throws `address-refused`; rejects as `dns.lookup` does where the name is unknown. */
  readonly resolve: (host: string) => Promise<readonly ResolvedAddress[]>;
  /** The same for a socket, which then connects to the very address that was checked. */
  readonly lookup: LookupFunction;
}

export interface HttpRequest {
  readonly method: "GET" | "POST" | "HEAD";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Whether it may be sent again without harm when its answer was lost; true where absent, but for a POST. */
  readonly repeatable?: boolean;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** When the request left, where a recording knows it better than the clock of `now`. */
  readonly sentAt?: Instant;
}

/** Throws `source-unavailable` when no answer came; every HTTP status is an answer. */
export type HttpClient = (request: HttpRequest) => Promise<HttpResponse>;

/** How a source's clock was found to stand against ours. */
export interface ClockReading {
  /** How far it is ahead of ours; below 0 where it is behind. */
  readonly aheadMs: number;
  /** By how much that may be wrong: the clock's resolution, and how long the answer took. */
  readonly errorMs: number;
}

/** Columns by name; values as the server writes them, NULL as null. */
export type TableRow = Readonly<Record<string, string | null>>;
export type SqlValue = string | bigint | null;

/** Runs one statement of the transaction; parameters are `$1`, `$2` … in PostgreSQL and `?` in MySQL. */
export type SqlQuery = (text: string, values?: readonly SqlValue[]) => Promise<readonly TableRow[]>;

export interface SqlClient {
  readonly dialect: "postgresql" | "mysql";
  /**
   * Runs statements in one read-only transaction over one snapshot, in the given time zone. Throws
   * `source-unavailable` when the server does not answer in time, `source-denied` when it refuses the login or a
   * grant is missing, `source-malformed` when a statement does not fit its tables, `config-invalid` for a zone that it
   * does not know.
   */
  read<Result>(zone: string, work: (query: SqlQuery) => Promise<Result>): Promise<Result>;
}

export interface Page<Cursor extends Json> {
  readonly records: readonly RawRecord[];
  readonly cursor: Cursor;
  /** Everything that happened up to here is in this page or an earlier one. */
  readonly completeTo?: Instant;
  /** True when the pass is over: nothing more to read now. */
  readonly done: boolean;
  /** What the source noticed of its own contract, such as a listing that lost half of its rows at once. */
  readonly findings?: readonly Finding[];
  /** Spans that the source knows it could not read, such as those behind a place that had expired. */
  readonly holes?: readonly Hole[];
}

/** A span of a source's time; `to` is not part of it. */
export interface Span {
  readonly from: Instant;
  readonly to: Instant;
}

export interface PullSource<Cursor extends Json = Json> extends SourceBase {
  readonly delivery: "pull";
  readonly cursor: z.ZodType<Cursor>;
  fetch(config: JsonObject, from: Cursor | undefined, io: SourceIo): Promise<Page<Cursor>>;
  /**
   * A cursor that reads again whatever happened or changed from `at` on, for reconciling and for the live lane beside a
   * long backlog. `saved` is the main cursor as it stands. Absent where the source cannot be asked for its past.
   */
  startAt?(config: JsonObject, at: Instant, saved: Cursor | undefined): Cursor;
}

/** A request that a webhook delivered. */
export interface PushRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly receivedAt: Instant;
}

/** What the pipeline tells a webhook source about the connection that a request was posted to. */
export interface PushSettings {
  readonly config: JsonObject;
  /** The secret that `env:NAME` or `file:PATH` names. Throws `config-invalid` when there is none. */
  readonly secret: (reference: string) => string;
}

/** Records that arrive over HTTP at `POST /api/v1/ingest/{connection}`. */
export interface WebhookSource extends SourceBase {
  readonly delivery: "webhook";
  /**
   * Splits a request into records. `settings` is absent only where no connection is configured, as in tests and
   * replays of a capture. Throws `body-invalid`, `body-too-large`, `header-missing` or `media-type-unknown` when it
   * is none of ours, and `signature-invalid` when it was not signed with the connection's secret.
   */
  split(request: PushRequest, decode: Decoders, settings?: PushSettings): readonly RawRecord[];
  /**
   * Asks the sender's API for what it still knows of the span, page by page, as records of the same identities as
   * those that it posts: what the posts lacked is thereby found late. Undefined where `config` names no API to ask.
   */
  recall?(config: JsonObject, span: Span, io: SourceIo): AsyncIterable<readonly RawRecord[]> | undefined;
}

/** What the pipeline lends a streaming source. */
export interface StreamIo extends Pick<SourceIo, "signal" | "warn" | "now" | "secret" | "addresses"> {
  /** When the far end was heard last before this process began; undefined where it never was. */
  readonly heardBefore: Instant | undefined;
  /** Says that the source is heard again, or (with the reason) that it is not. */
  readonly report: (problem: string | undefined) => void;
  /**
   * Says that the far end was heard just now, and (with a moment) that all it had until then was handed over:
   * a heartbeat tells a quiet source from a dead one. The moment counts only when every delivery has settled.
   */
  readonly alive: (completeTo?: Instant) => void;
  /** Says that something was lost on the way, such as a queue that was purged while we were away. */
  readonly lost: (hole: Hole, finding?: Finding) => void;
}

/** Records that a broker hands over until the signal ends it. `deliver` settles after the commit. */
export interface StreamSource extends SourceBase {
  readonly delivery: "stream";
  /** At most so long passes between two calls of `alive` while the far end is there; absent where it has no heartbeat. */
  readonly heartbeatMs?: number;
  consume(config: JsonObject, deliver: (record: RawRecord) => Promise<void>, io: StreamIo): Promise<void>;
}

/** Records that are only ever imported from files. */
export interface FileSource extends SourceBase {
  readonly delivery: "file";
}

export type Source = PullSource | WebhookSource | StreamSource | FileSource;
