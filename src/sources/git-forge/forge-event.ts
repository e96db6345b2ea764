import { IsochronError } from "../../errors.ts";
import type { Related } from "../../model/entity.ts";
import type { EventDraft, EventKind, Phase, Severity } from "../../model/event.ts";
import { regularizeEventType } from "../../model/event-type.ts";
import { duration, formatInstant } from "../../model/instant.ts";
import type { Instant } from "../../model/instant.ts";
import type { Json, JsonObject } from "../../model/json.ts";

/** A repository by the id that a rename leaves alone, on the forge that gave it. */
export interface Repository {
  readonly id: number | string;
  readonly fullName: string;
  readonly url?: string | undefined;
}

/** What a reader of one forge makes of a delivery; the rest is the same for both. */
export interface ForgeEvent {
  /** Names the occurrence within its repository, whichever delivery tells of it. */
  readonly identity: readonly (string | number)[];
  /** When it happened; absent where the delivery does not say, so that its arrival stands in. */
  readonly at?: Instant;
  readonly type: string;
  readonly kind: EventKind;
  readonly phase?: Phase | undefined;
  readonly severity?: Severity;
  readonly repository: Repository;
  readonly environment?: string | undefined;
  readonly actor?: string | undefined;
  readonly summary: string;
  readonly details: JsonObject;
}

/** One delivery: who sent it, of which kind, under which id, and what it said. */
export interface Delivery {
  readonly forge: "github" | "gitlab";
  readonly event: string;
  readonly id: string;
  readonly body: JsonObject;
  readonly receivedAt: Instant;
}

/** A delivery that does not say when it happened is sent within seconds, and tried again within minutes. */
const arrivalPrecision = duration(60_000);

const commitsMax = 20;
const filesMax = 200;

export function draftForgeEvent(delivery: Delivery, event: ForgeEvent): EventDraft {
  const { repository, environment } = event;
  const subjectId = `${hostOf(repository.url) ?? delivery.forge}/${repository.id}`;
  const related: Related[] =
    environment === undefined ? [] : [{ role: "environment", ref: { kind: "environment", id: environment } }];
  return {
    key: [delivery.forge, subjectId, ...event.identity].join(" "),
    sourceIds: [delivery.id],
    occurredAt: event.at ?? delivery.receivedAt,
    precision: event.at === undefined ? arrivalPrecision : duration(1000),
    type: regularizeEventType(event.type),
    kind: event.kind,
    category: "deployment",
    ...(event.phase !== undefined && { phase: event.phase }),
    severity: event.severity ?? "info",
    // File names, commit messages and the names of staff are no tenant's business.
    visibility: "provider",
    platform: true,
    subject: { kind: "repository", id: subjectId },
    subjectName: repository.fullName,
    related,
    ...(event.actor !== undefined && { actor: { userName: event.actor } }),
    summary: event.summary,
    details: {
      forge: delivery.forge,
      event: delivery.event,
      repository: repository.fullName,
      ...(environment !== undefined && { environment }),
      ...event.details,
      ...(event.at === undefined && { time_from: "received" }),
    },
  };
}

function hostOf(url: string | undefined): string | undefined {
  return /^https?:\/\/(?:[^/@\s]*@)?([^/\s]+)/i.exec(url ?? "")?.[1]?.toLowerCase();
}

/** A commit as GitHub and GitLab both write it into a push. */
export interface PushedCommit {
  readonly id: string;
  readonly message: string;
  readonly timestamp?: string | null | undefined;
  readonly author?: { readonly name?: string | null | undefined } | null | undefined;
  readonly added?: readonly string[] | null | undefined;
  readonly modified?: readonly string[] | null | undefined;
  readonly removed?: readonly string[] | null | undefined;
}

/** The commits by their first lines, newest last, and the files that they touched; what was cut is counted. */
export function commitDetails(commits: readonly PushedCommit[], total: number): JsonObject {
  const files = new Map<string, string>();
  for (const commit of commits) {
    for (const name of commit.added ?? []) files.set(name, "added");
    for (const name of commit.modified ?? []) if (files.get(name) !== "added") files.set(name, "modified");
    for (const name of commit.removed ?? []) files.set(name, "removed");
  }
  const named = [...files].slice(0, filesMax);
  const inState = (state: string): readonly Json[] =>
    named.filter(([, found]) => found === state).map(([name]) => name);
  return {
    commits: commits.slice(-commitsMax).map((commit) => ({
      id: commit.id,
      message: firstLine(commit.message),
      ...(commit.author?.name != null && { author: commit.author.name }),
      ...(commit.timestamp != null && { at: commit.timestamp }),
    })),
    commits_total: total,
    files: { added: inState("added"), modified: inState("modified"), removed: inState("removed") },
    files_total: files.size,
  };
}

export function firstLine(text: string): string {
  return (text.trimStart().split("\n", 1)[0] ?? "").slice(0, 200);
}

/** `refs/heads/main` is the branch main, `refs/tags/1.0` the tag 1.0. */
export function readRef(ref: string): { readonly what: "branch" | "tag" | "ref"; readonly name: string } {
  const [, folder, name] = /^refs\/(heads|tags)\/(.+)$/.exec(ref) ?? [];
  if (name === undefined) return { what: "ref", name: ref };
  return { what: folder === "tags" ? "tag" : "branch", name };
}

/** The commit that stands for none: a ref that did not exist before, or does not any more. */
export function isNoCommit(sha: string): boolean {
  return /^0+$/.test(sha);
}

/** A push in either forge's words. */
export interface Push {
  readonly ref: string;
  readonly before: string;
  readonly after: string;
  readonly forced?: boolean | undefined;
  readonly commits: readonly PushedCommit[];
  readonly total: number;
}

export function readPush(push: Push): Pick<ForgeEvent, "identity" | "type" | "kind" | "summary" | "details"> {
  const { what, name } = readRef(push.ref);
  const verb = isNoCommit(push.after) ? "deleted" : isNoCommit(push.before) ? "created" : "pushed";
  const head = push.commits.at(-1);
  const count = push.total === 1 ? "1 commit" : `${push.total} commits`;
  const said = {
    created: `${what} ${name} created${head === undefined ? "" : ` with ${count}`}`,
    deleted: `${what} ${name} deleted`,
    pushed: `${count} pushed to ${what} ${name}${push.forced === true ? " by force" : ""}`,
  }[verb];
  return {
    identity: ["push", push.ref, `${push.before}..${push.after}`],
    type: `git.${what}.${verb}`,
    kind: "change",
    summary: head === undefined ? said : `${said}: ${firstLine(head.message)}`,
    details: {
      ref: push.ref,
      before: push.before,
      after: push.after,
      ...(push.forced !== undefined && { forced: push.forced }),
      ...commitDetails(push.commits, push.total),
    },
  };
}

/** How a deployment stands, in the words of both forges. */
const deploymentStates: Readonly<
  Record<string, Pick<ForgeEvent, "kind" | "phase" | "severity"> & { readonly says: string }>
> = {
  created: { kind: "activity", phase: "start", says: "was asked for" },
  pending: { kind: "activity", phase: "start", says: "is pending" },
  queued: { kind: "activity", phase: "start", says: "is queued" },
  waiting: { kind: "activity", phase: "start", says: "is waiting for approval" },
  blocked: { kind: "activity", phase: "start", says: "is waiting for approval" },
  in_progress: { kind: "change", phase: "start", says: "began" },
  running: { kind: "change", phase: "start", says: "began" },
  success: { kind: "change", phase: "end", says: "finished" },
  // What failed half-way may have changed something all the same.
  failure: { kind: "change", phase: "error", severity: "error", says: "failed" },
  failed: { kind: "change", phase: "error", severity: "error", says: "failed" },
  error: { kind: "change", phase: "error", severity: "error", says: "failed" },
  canceled: { kind: "change", phase: "error", severity: "warning", says: "was cancelled" },
  inactive: { kind: "activity", phase: "end", says: "was replaced" },
  skipped: { kind: "activity", phase: "end", says: "was skipped" },
};

/** What became of a deployment. A state that is not known is told as it stands, as activity. */
export function readDeploymentState(
  state: string,
  what: string,
): Pick<ForgeEvent, "kind" | "phase" | "severity" | "type" | "summary"> {
  const known = Object.hasOwn(deploymentStates, state) ? deploymentStates[state] : undefined;
  return {
    type: `git.deployment.${state}`,
    kind: known?.kind ?? "activity",
    phase: known?.phase,
    severity: known?.severity ?? "info",
    summary: `${what} ${known?.says ?? `is now ${state}`}`,
  };
}

/** What tells one edit from the next: its time where the forge gives one, else the delivery that told of it. */
export function editWord(at: Instant | undefined, delivery: Delivery): string {
  return at === undefined ? delivery.id : formatInstant(at);
}

export function unreadable(problem: string): IsochronError {
  return new IsochronError("record-invalid", problem, "Check what sends it.");
}
