import type { Related } from "../../src/model/entity.ts";
import type { Cloud, Thing } from "./cloud.ts";
import { ref, staffProject, staffUser } from "./estate.ts";
import type { Recorder } from "./record.ts";

export interface Request {
  readonly user: string;
  /** For which project the account acts. */
  readonly project: string;
  readonly things: readonly Thing[];
  /** Whether the record says for which project the request was made. */
  readonly isScoped: boolean;
  /** Whether the account asked by name too. */
  readonly byName: boolean;
  /** Whether another record of the request states the owner, unless that is lost. */
  readonly sibling: "none" | "lost" | "told";
}

/** A request is made: what its record looks like, and what it tells of who uses what. */
export function makeRequest(cloud: Cloud, recorder: Recorder, request: Request): void {
  const { user, project, things, isScoped, byName, sibling } = request;
  const id = `req-${recorder.records.length}`;
  const isSecret = cloud.hiddenRoles.get(user) === project;
  for (const thing of things) {
    cloud.tell(thing.ref, "used_by", ref("user", user));
    if (byName && !isSecret) cloud.tell(ref("name", thing.name), "used_by", ref("user", user));
  }
  if (sibling !== "none") {
    cloud.tell(ref("request", id), "concerns", ref("project", project), { lost: sibling === "lost" });
  }
  const related: Related[] = [{ role: "caller", ref: ref("user", user) }];
  for (const thing of things) related.push({ role: "mentioned", ref: thing.ref });
  const places = cloud.roles.get(user) ?? [];
  const isPlain = places.length === 1 && places[0]?.kind === "project" && !cloud.hiddenRoles.has(user);
  // What tenants share with each other tells of none of them, whoever of the staff works on it.
  const isShared =
    user === staffUser && things.some(({ ref: { kind } }) => kind === "network" || kind === "image");
  const determined =
    isPlain && !isShared && things.every(({ owner }) => owner === project || owner === staffProject);
  recorder.add(
    ref("request", id),
    { owner: project, determined },
    {
      related,
      actor: { userId: user, ...(isScoped ? { projectId: project } : {}) },
      operation: { requestId: id },
    },
  );
}
