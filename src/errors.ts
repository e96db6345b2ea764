/**
 * Every expected failure, in one table. Codes are never reused. The kind says what the catcher does:
 * *invalid* refuse, *denied* ask to sign in, *missing* look elsewhere (also for what is out of scope),
 * *conflict* read again, *unavailable* back off.
 */
export const errorTable = {
  "config-invalid": { kind: "invalid", status: 400, title: "The configuration has problems" },
  usage: { kind: "invalid", status: 400, title: "The command cannot be understood" },
  "query-invalid": { kind: "invalid", status: 400, title: "The query has problems" },
  "cursor-invalid": { kind: "invalid", status: 400, title: "The cursor is not valid for this query" },
  "time-invalid": { kind: "invalid", status: 400, title: "The time cannot be understood" },
  "body-invalid": { kind: "invalid", status: 400, title: "The body cannot be understood" },
  "body-too-large": { kind: "invalid", status: 413, title: "The body is too large" },
  "media-type-unknown": { kind: "invalid", status: 415, title: "The content type is not understood" },
  "header-missing": { kind: "invalid", status: 400, title: "A required header is missing" },
  "method-not-allowed": { kind: "invalid", status: 405, title: "The method is not allowed here" },
  "record-invalid": { kind: "invalid", status: 422, title: "The record cannot be used" },
  "file-unreadable": { kind: "invalid", status: 400, title: "The file cannot be read" },
  "source-unknown": { kind: "invalid", status: 400, title: "There is no such source" },
  "connection-mismatch": { kind: "invalid", status: 400, title: "The connection belongs to another source" },
  "signature-invalid": { kind: "denied", status: 401, title: "The signature does not fit" },
  "not-signed-in": { kind: "denied", status: 401, title: "Sign in first" },
  "identity-unavailable": {
    kind: "unavailable",
    status: 503,
    title: "The identity service cannot be asked",
  },
  "not-found": { kind: "missing", status: 404, title: "Not found" },
  "rate-limited": { kind: "unavailable", status: 429, title: "Too many requests" },
  overloaded: { kind: "unavailable", status: 503, title: "There is no room for more now" },
  "connection-unready": {
    kind: "unavailable",
    status: 503,
    title: "The connection is not configured soundly",
  },
  "ruling-invalid": { kind: "invalid", status: 422, title: "The ruling cannot be made" },
  "tenant-unknown": { kind: "invalid", status: 422, title: "There is no such tenant" },
  "ruling-exposes": {
    kind: "conflict",
    status: 409,
    title: "The ruling would show events to a second tenant, or take them from their owner",
  },
  "ruling-changed": { kind: "conflict", status: 409, title: "Something else was decided meanwhile" },
  "template-invalid": { kind: "invalid", status: 422, title: "The text of the notice cannot be used" },
  "template-changed": { kind: "conflict", status: 409, title: "The text was changed meanwhile" },
  "incident-invalid": { kind: "invalid", status: 422, title: "The incident does not take this" },
  "incident-changed": { kind: "conflict", status: 409, title: "The incident was changed meanwhile" },
  "incident-published": { kind: "conflict", status: 409, title: "The incident is published, and frozen" },
  "notification-invalid": { kind: "invalid", status: 422, title: "The notification rule cannot be used" },
  "notification-changed": { kind: "conflict", status: 409, title: "The rule was changed meanwhile" },
  "erasure-unready": {
    kind: "unavailable",
    status: 503,
    title: "Nothing can be deleted for good without its key",
  },
  "erasure-changed": { kind: "conflict", status: 409, title: "The erasure would take something else by now" },
  fenced: { kind: "conflict", status: 409, title: "Another worker has taken over this connection" },
  "migration-newer": { kind: "conflict", status: 409, title: "The store was made by a newer Isochron" },
  "store-unavailable": { kind: "unavailable", status: 503, title: "The store cannot be reached" },
  "store-in-use": { kind: "unavailable", status: 503, title: "The data directory is in use" },
  "address-unavailable": { kind: "unavailable", status: 503, title: "The address cannot be listened on" },
  "server-unavailable": { kind: "unavailable", status: 503, title: "The server cannot be reached" },
  "source-unavailable": { kind: "unavailable", status: 503, title: "The source cannot be reached" },
  "source-denied": { kind: "unavailable", status: 503, title: "The source refused our credentials" },
  "source-malformed": { kind: "unavailable", status: 503, title: "The source answered with something else" },
  "address-refused": { kind: "unavailable", status: 503, title: "The address is not to be asked" },
} as const satisfies Record<string, { kind: ErrorKind; status: number; title: string }>;

export type ErrorKind = "invalid" | "denied" | "missing" | "conflict" | "unavailable";
export type ErrorCode = keyof typeof errorTable;

/**
 * An expected failure that the caller cannot go on from.
 * `problem` says what was wrong, `remedy` what to do about it; both are shown to people.
 */
export class IsochronError extends Error {
  readonly code: ErrorCode;
  readonly problem: string;
  readonly remedy: string;

  constructor(code: ErrorCode, problem: string, remedy: string, options?: { cause?: unknown }) {
    super(`${problem} ${remedy}`, options);
    this.name = "IsochronError";
    this.code = code;
    this.problem = problem;
    this.remedy = remedy;
  }

  get kind(): ErrorKind {
    return errorTable[this.code].kind;
  }

  get status(): number {
    return errorTable[this.code].status;
  }

  get title(): string {
    return errorTable[this.code].title;
  }
}
