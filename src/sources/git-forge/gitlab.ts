import { z } from "zod";
import type { Instant } from "../../model/instant.ts";
import { asShape, asText } from "../json-fields.ts";
import type { Decoders } from "../source.ts";
import type { Delivery, ForgeEvent } from "./forge-event.ts";
import { editWord, readDeploymentState, readPush, unreadable } from "./forge-event.ts";

/** GitLab's deliveries, as "Webhook events" in GitLab's documentation describes them; system hooks push alike. */

const project = z.object({
  id: z.union([z.number(), z.string()]).optional(),
  path_with_namespace: z.string().optional(),
  name: z.string().optional(),
  web_url: z.string().optional(),
});

const person = z.object({ username: z.string().nullish(), name: z.string().nullish() }).nullish();

const commit = z.object({
  id: z.string(),
  message: z.string(),
  timestamp: z.string().nullish(),
  author: z.object({ name: z.string().nullish() }).nullish(),
  added: z.array(z.string()).nullish(),
  modified: z.array(z.string()).nullish(),
  removed: z.array(z.string()).nullish(),
});

const pushShape = z.object({
  project,
  project_id: z.number().optional(),
  user_username: z.string().nullish(),
  user_name: z.string().nullish(),
  ref: z.string(),
  before: z.string(),
  after: z.string(),
  commits: z.array(commit).nullish(),
  total_commits_count: z.number().int().min(0).optional(),
});

const deploymentShape = z.object({
  project,
  user: person,
  status: z.string(),
  status_changed_at: z.string(),
  deployment_id: z.number(),
  deployable_url: z.string().nullish(),
  environment: z.string(),
  environment_tier: z.string().nullish(),
  short_sha: z.string().nullish(),
  commit_url: z.string().nullish(),
  commit_title: z.string().nullish(),
  ref: z.string().nullish(),
});

const releaseShape = z.object({
  project,
  id: z.number(),
  action: z.string(),
  tag: z.string(),
  name: z.string().nullish(),
  url: z.string().nullish(),
  created_at: z.string().nullish(),
  released_at: z.string().nullish(),
  commit: z.object({ id: z.string() }).nullish(),
});

const anyShape = z.object({
  project: project.optional(),
  user: person,
  user_username: z.string().nullish(),
  object_attributes: z.object({ action: z.string().optional() }).nullish(),
});

export function readGitlab(delivery: Delivery, decode: Decoders): ForgeEvent {
  const { body } = delivery;
  const kind = asText(body["object_kind"]) ?? asText(body["event_name"]) ?? delivery.event;
  if (kind === "push" || kind === "tag_push") return readGitlabPush(delivery);
  if (kind === "deployment") return readDeployment(delivery, decode);
  if (kind === "release") return readRelease(delivery, decode);
  return readOther(delivery, kind);
}

function repositoryOf(read: z.output<typeof project>, id = read.id): ForgeEvent["repository"] {
  const fullName = read.path_with_namespace ?? read.name;
  // Deployments of old GitLab versions name a project by its path alone.
  const known = id ?? read.path_with_namespace;
  if (known === undefined || fullName === undefined) {
    throw unreadable("The delivery does not say of which project it is.");
  }
  return { id: known, fullName, url: read.web_url };
}

function readGitlabPush({ body }: Delivery): ForgeEvent {
  const push = asShape(pushShape, body, "push");
  const commits = push.commits ?? [];
  return {
    repository: repositoryOf(push.project, push.project.id ?? push.project_id),
    actor: push.user_username ?? push.user_name ?? undefined,
    // It names no moment of its own: commits bear the time when they were written, not when they were pushed.
    ...readPush({ ...push, commits, total: push.total_commits_count ?? commits.length }),
  };
}

function readDeployment({ body }: Delivery, decode: Decoders): ForgeEvent {
  const read = asShape(deploymentShape, body, "deployment");
  const what = asText(read.ref ?? null) ?? asText(read.short_sha ?? null) ?? `#${read.deployment_id}`;
  const optional = {
    tier: read.environment_tier,
    sha: read.short_sha,
    ref: read.ref,
    commit: read.commit_title,
    commit_url: read.commit_url,
    url: read.deployable_url,
  };
  return {
    ...readDeploymentState(read.status, `Deployment of ${what} to ${read.environment}`),
    repository: repositoryOf(read.project),
    actor: read.user?.username ?? read.user?.name ?? undefined,
    identity: ["deployment", read.deployment_id, read.status],
    at: readTime(read.status_changed_at, decode),
    environment: read.environment,
    details: { deployment_id: read.deployment_id, state: read.status, ...present(optional) },
  };
}

const releaseWords: Readonly<Record<string, string>> = {
  create: "created",
  update: "updated",
  delete: "deleted",
};

function readRelease(delivery: Delivery, decode: Decoders): ForgeEvent {
  const read = asShape(releaseShape, delivery.body, "release");
  const word = Object.hasOwn(releaseWords, read.action) ? releaseWords[read.action]! : read.action;
  const time = asText(read.released_at ?? null) ?? asText(read.created_at ?? null);
  // Only the creation has a time of its own.
  const at = read.action === "create" && time !== undefined ? readTime(time, decode) : undefined;
  return {
    repository: repositoryOf(read.project),
    identity: [
      "release",
      read.id,
      read.action,
      ...(read.action === "update" ? [editWord(at, delivery)] : []),
    ],
    ...(at !== undefined && { at }),
    type: `git.release.${word}`,
    kind: read.action === "update" ? "activity" : "change",
    summary: `Release ${asText(read.name ?? null) ?? read.tag} ${word}`,
    details: { release_id: read.id, tag: read.tag, ...present({ url: read.url, sha: read.commit?.id }) },
  };
}

function readOther(delivery: Delivery, kind: string): ForgeEvent {
  const read = asShape(anyShape, delivery.body, "delivery");
  const action = read.object_attributes?.action;
  const said = action === undefined ? kind : `${kind}.${action}`;
  return {
    repository: read.project === undefined ? { id: 0, fullName: "GitLab" } : repositoryOf(read.project),
    actor: read.user?.username ?? read.user_username ?? undefined,
    identity: ["delivery", delivery.id],
    type: `git.${said}`,
    kind: "activity",
    summary: `GitLab: ${said.replaceAll(/[._]/g, " ")}`,
    details: {},
  };
}

/** GitLab writes `2026-11-20 09:40:11 UTC` as well as offsets. */
function readTime(text: string, decode: Decoders): Instant {
  return decode.time(text.replace(/ UTC$/, "Z"));
}

function present(fields: Readonly<Record<string, string | null | undefined>>): Record<string, string> {
  const kept = Object.entries(fields).filter((field): field is [string, string] => Boolean(field[1]));
  return Object.fromEntries(kept);
}
