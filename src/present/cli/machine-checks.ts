import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname } from "node:path";
import type { RuleJson } from "../api/notification-contract.ts";
import type { SourcesJson } from "../api/contract.ts";

/** One thing that `doctor` looked at. */
export interface Check {
  readonly name: string;
  readonly state: "ok" | "warning" | "failed";
  readonly says: string;
}

const nodeMajorMin = 24;
const postgresMajors = { min: 15, max: 18 };

export function checkNode(version: string): Check {
  const fits = Number.parseInt(version, 10) >= nodeMajorMin;
  const says = fits ? version : `${version} is too old; ${nodeMajorMin} or newer is needed`;
  return { name: "Node", state: fits ? "ok" : "failed", says };
}

export function checkPostgres(version: string, where: string): Check {
  const major = Number.parseInt(version, 10);
  const known = major >= postgresMajors.min && major <= postgresMajors.max;
  const says = `${version}, ${where}`;
  if (known) return { name: "PostgreSQL", state: "ok", says };
  const tested = `tested are ${postgresMajors.min} to ${postgresMajors.max}`;
  return { name: "PostgreSQL", state: "warning", says: `${says}; ${tested}` };
}

/** Writable, or to be made in the nearest folder above that is there. */
export async function checkFolder(path: string): Promise<Check> {
  let folder = path;
  for (;;) {
    try {
      await access(folder, constants.W_OK);
      return { name: "data folder", state: "ok", says: folder === path ? path : `${path} (not made yet)` };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const parent = dirname(folder);
      if (code === "ENOENT" && parent !== folder) {
        folder = parent;
        continue;
      }
      return {
        name: "data folder",
        state: "failed",
        says: `${folder} cannot be written (${code ?? "unknown"})`,
      };
    }
  }
}

/** Whether a server could listen there now. */
export function checkAddress(host: string, port: number): Promise<Check> {
  const name = "address";
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const inUse = error.code === "EADDRINUSE";
      const says = inUse
        ? "in use, by a running server perhaps"
        : `cannot be listened on (${error.code ?? "unknown"})`;
      resolve({ name, state: inUse ? "warning" : "failed", says: `${host}:${port} ${says}` });
    });
    server.listen({ host, port }, () => {
      server.close(() => resolve({ name, state: "ok", says: `${host}:${port} is free` }));
    });
  });
}

/** Nobody new is let in while it cannot be asked; who has a token still is. */
export function checkIdentityProvider(provider: { readonly name: string; readonly problem?: string }): Check {
  const { name, problem } = provider;
  const state = problem === undefined ? "ok" : "failed";
  return { name: `identity ${name}`, state, says: problem ?? "answers" };
}

/** A connection in a line: what of it is not well is told by `isochron sources` in full. */
export function checkConnection(connection: SourcesJson["connections"][number]): Check {
  const { connection: name, state, counts, findings, holes, last_error: error } = connection;
  // Nobody waits for it any more, whatever was not well with it.
  if (state === "retired")
    return { name: `source ${name}`, state: "ok", says: `retired, ${counts.events} events` };
  const troubles = [
    ...(error === null ? [] : [error.message]),
    ...(state === "silent" ? [`last heard ${connection.last_heard_at ?? "never"}`] : []),
    ...(findings.length === 0 ? [] : [findings.map(({ code }) => code).join(", ")]),
    ...(holes.length === 0 ? [] : [`${holes.length} ${holes.length === 1 ? "hole" : "holes"}`]),
  ];
  const isWell = troubles.length === 0 && state !== "degraded" && counts.set_aside === 0;
  const summary = `${state}, ${counts.events} events, ${counts.set_aside} set aside`;
  return {
    name: `source ${name}`,
    state: state === "failing" ? "failed" : isWell ? "ok" : "warning",
    says: [summary, ...troubles].join("; "),
  };
}

/** Notification rules that rest, and whose last messages were given up; nothing where there is no rule. */
export function checkRules(rules: readonly RuleJson[]): readonly Check[] {
  const enabled = rules.filter(({ enabled: isEnabled }) => isEnabled);
  if (enabled.length === 0) return [];
  const resting = enabled.filter(({ paused }) => paused !== null);
  const failing = enabled.filter(({ last_deliveries: last }) => last.some(({ state }) => state === "dead"));
  const named = (these: readonly RuleJson[]): string => these.map(({ name }) => name).join(", ");
  const troubles = [
    ...(resting.length === 0 ? [] : [`resting: ${named(resting)}`]),
    ...(failing.length === 0 ? [] : [`messages given up: ${named(failing)}`]),
  ];
  return [
    {
      name: "notification rules",
      state: troubles.length === 0 ? "ok" : "warning",
      says: [`${enabled.length - resting.length} running`, ...troubles].join("; "),
    },
  ];
}

/** PostgreSQL refuses to run as root, so that root has it run as another, or in a user namespace where it is none. */
export function runsAs(uid: number | undefined, ours = process.getuid?.()): string {
  if (uid === 0) return ", as root in a user namespace of its own";
  return uid === undefined || uid === ours ? "" : `, as user ${uid}`;
}
