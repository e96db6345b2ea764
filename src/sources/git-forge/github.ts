import { z } from "zod";
import { instant } from "../../model/instant.ts";
import { asShape, asText } from "../json-fields.ts";
import type { Decoders } from "../source.ts";
import type { Delivery, ForgeEvent } from "./forge-event.ts";
import { editWord, readDeploymentState, readPush } from "./forge-event.ts";

/**
 * GitHub's deliveries, as "Webhook events and payloads" in GitHub's documentation describes them; Gitea and Forgejo
 * send pushes and releases of the same shape.
 */

const common = {
  repository: z.object({
    id: z.union([z.number(), z.string()]),
    full_name: z.string(),
    html_url: z.string().optional(),
    pushed_at: z.union([z.number(), z.string()]).nullish(),
  }),
  sender: z.object({ login: z.string() }).nullish(),
};

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
  ...common,
  ref: z.string(),
  before: z.string(),
  after: z.string(),
  forced: z.boolean().optional(),
  commits: z.array(commit).default([]),
});

const deployment = z.object({
  id: z.number(),
  sha: z.string(),
  ref: z.string(),
  task: z.string().optional(),
  environment: z.string(),
  description: z.string().nullish(),
  created_at: z.string(),
});

const deploymentShape = z.object({ ...common, action: z.string().default("created"), deployment });

const deploymentStatusShape = z.object({
  ...common,
  deployment,
  deployment_status: z.object({
    id: z.number(),
    state: z.string(),
    description: z.string().nullish(),
    target_url: z.string().nullish(),
    environment: z.string().optional(),
    created_at: z.string(),
  }),
});

const releaseShape = z.object({
  ...common,
  action: z.string(),
  release: z.object({
    id: z.number(),
    tag_name: z.string(),
    target_commitish: z.string().nullish(),
    name: z.string().nullish(),
    draft: z.boolean().default(false),
    prerelease: z.boolean().default(false),
    created_at: z.string().nullish(),
    published_at: z.string().nullish(),
    updated_at: z.string().nullish(),
    html_url: z.string().optional(),
  }),
});

const anyShape = z.object({ ...common, action: z.string().optional() }).partial({ repository: true });

type Common = Pick<z.output<typeof anyShape>, "sender"> & {
  readonly repository: z.output<typeof pushShape>["repository"];
};

function baseOf({ repository, sender }: Common): Pick<ForgeEvent, "repository" | "actor"> {
  return {
    repository: { id: repository.id, fullName: repository.full_name, url: repository.html_url },
    actor: sender?.login,
  };
}

export function readGithub(delivery: Delivery, decode: Decoders): ForgeEvent {
  const { event } = delivery;
  if (event === "push") return readGithubPush(delivery, decode);
  if (event === "deployment") return readDeployment(delivery, decode);
  if (event === "deployment_status") return readDeploymentStatus(delivery, decode);
  if (event === "release") return readRelease(delivery, decode);
  return readOther(delivery);
}

function readGithubPush({ body }: Delivery, decode: Decoders): ForgeEvent {
  const push = asShape(pushShape, body, "push");
  const { pushed_at: pushedAt } = push.repository;
  // In a push it is a number of seconds; Gitea and Forgejo write no such field.
  const at =
    typeof pushedAt === "number"
      ? instant(pushedAt * 1000)
      : asText(pushedAt ?? null) === undefined
        ? undefined
        : decode.time(pushedAt!);
  return {
    ...baseOf(push),
    ...(at !== undefined && { at }),
    ...readPush({ ...push, total: push.commits.length }),
  };
}

function deploymentDetails(item: z.output<typeof deployment>) {
  return {
    deployment_id: item.id,
    sha: item.sha,
    ref: item.ref,
    ...(item.task !== undefined && { task: item.task }),
    ...(item.description != null && item.description !== "" && { description: item.description }),
  };
}

function readDeployment({ body }: Delivery, decode: Decoders): ForgeEvent {
  const read = asShape(deploymentShape, body, "deployment");
  const { deployment: item, action } = read;
  return {
    ...baseOf(read),
    ...readDeploymentState(action, `Deployment of ${item.ref} to ${item.environment}`),
    identity: ["deployment", item.id, action],
    at: decode.time(item.created_at),
    environment: item.environment,
    details: deploymentDetails(item),
  };
}

function readDeploymentStatus({ body }: Delivery, decode: Decoders): ForgeEvent {
  const read = asShape(deploymentStatusShape, body, "deployment status");
  const { deployment: item, deployment_status: status } = read;
  const environment = status.environment ?? item.environment;
  return {
    ...baseOf(read),
    ...readDeploymentState(status.state, `Deployment of ${item.ref} to ${environment}`),
    identity: ["deployment", item.id, "status", status.id],
    at: decode.time(status.created_at),
    environment,
    details: {
      ...deploymentDetails(item),
      status_id: status.id,
      state: status.state,
      ...(status.description != null && status.description !== "" && { description: status.description }),
      ...(status.target_url != null && status.target_url !== "" && { url: status.target_url }),
    },
  };
}

/** One publication is told as `created`, `published` and `released`; only one of them is the change. */
const releaseChanges = new Set(["published", "unpublished", "deleted"]);

function readRelease(delivery: Delivery, decode: Decoders): ForgeEvent {
  const read = asShape(releaseShape, delivery.body, "release");
  const { release, action } = read;
  const publishing = ["published", "released", "prereleased"].includes(action);
  const time =
    asText((publishing ? release.published_at : release.updated_at) ?? null) ??
    (action === "created" ? asText(release.created_at ?? null) : undefined);
  const at = time === undefined ? undefined : decode.time(time);
  const name = asText(release.name ?? null) ?? release.tag_name;
  return {
    ...baseOf(read),
    identity: ["release", release.id, action, ...(action === "edited" ? [editWord(at, delivery)] : [])],
    ...(at !== undefined && { at }),
    type: `git.release.${action}`,
    kind: releaseChanges.has(action) ? "change" : "activity",
    summary: `Release ${name} ${action}`,
    details: {
      release_id: release.id,
      tag: release.tag_name,
      draft: release.draft,
      prerelease: release.prerelease,
      ...(release.target_commitish != null && { target: release.target_commitish }),
      ...(release.html_url !== undefined && { url: release.html_url }),
    },
  };
}

/** What somebody subscribed to besides: known to have happened, and no change of what runs. */
function readOther(delivery: Delivery): ForgeEvent {
  const { repository, ...read } = asShape(anyShape, delivery.body, "delivery");
  const said = read.action === undefined ? delivery.event : `${delivery.event}.${read.action}`;
  const none = { id: 0, full_name: "GitHub" };
  return {
    ...baseOf({ ...read, repository: repository ?? none }),
    identity: ["delivery", delivery.id],
    type: `git.${said}`,
    kind: "activity",
    summary: `GitHub: ${said.replaceAll(/[._]/g, " ")}`,
    details: {},
  };
}
