import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { DataLine } from "./data-file.ts";
import { parseJson, parseObject, readDataLines, unusable } from "./data-file.ts";

/** A line of the driver's own record of what it did; fields as `lab/bin/scenario.py` writes them. */
interface TruthLine {
  readonly time: string;
  readonly kind: string;
  readonly outcome?: string;
  readonly op?: string;
  readonly status?: number;
  readonly project_id?: string | null;
  readonly resource_id?: string | null;
  readonly resource_owner?: string | null;
  readonly request_id?: string | null;
  readonly from_project_id?: string;
  readonly to_project_id?: string;
  readonly projects?: Readonly<Record<string, string>>;
}

/** A captured message, taken apart without any of the product's readers. */
export interface BareMessage {
  readonly messageId: string;
  readonly eventType: string;
  readonly at: number;
  readonly requestIds: readonly string[];
  readonly contextProject: string | undefined;
  /** Every id-like string of the payload. */
  readonly ids: ReadonlySet<string>;
  /** True for records about a project itself: identity events and quota calls. */
  readonly tenancy: boolean;
  /** Projects that the payload itself names as an owner, e.g. in `tenant_id`. */
  readonly stated: ReadonlySet<string>;
  /** What the payload calls things, in its order. */
  readonly names: readonly string[];
}

/** How a record tells its owner: in its payload, by an id, by a name only; or it is the operator's. */
export const labClasses = ["direct", "indirect", "name", "platform", "not judged"] as const;
export type LabClass = (typeof labClasses)[number];

/** What the driver's record says of a message's owner. */
export type Expected =
  | { readonly class: "tenant"; readonly projects: ReadonlySet<string> }
  | { readonly class: "platform" }
  | { readonly class: "unknown" };

/** The driver's knowledge: whose each resource was, when, and for whom each request was made. */
export class LabTruth {
  readonly tenants = new Map<string, string>();
  readonly #owners = new Map<string, { since: number; project: string }[]>();
  readonly #requests = new Map<string, Set<string>>();
  readonly #operatorRequests = new Set<string>();

  constructor(lines: readonly TruthLine[]) {
    for (const line of lines) {
      for (const [name, id] of Object.entries(line.projects ?? {})) this.tenants.set(id, name);
    }
    for (const line of lines) this.#learnResource(line);
    for (const line of lines) this.#learnRequest(line);
  }

  #learnResource(line: TruthLine): void {
    const at = Date.parse(line.time);
    const id = line.resource_id;
    if (id === undefined || id === null) return;
    if (line.kind === "ownership-change" && line.outcome === "ok") {
      this.#own(id, Number.NEGATIVE_INFINITY, line.from_project_id!);
      this.#own(id, at - 60_000, line.from_project_id!);
      this.#own(id, at, line.to_project_id!);
      return;
    }
    const project = line.resource_owner ?? line.project_id;
    const made = /\.create/.test(line.op ?? "") && line.status !== undefined && line.status < 300;
    if (made && project != null && this.tenants.has(project))
      this.#own(id, Number.NEGATIVE_INFINITY, project);
  }

  #own(id: string, since: number, project: string): void {
    const list = this.#owners.get(id) ?? [];
    if (list.some((item) => item.since === since && item.since === Number.NEGATIVE_INFINITY)) return;
    this.#owners.set(
      id,
      [...list, { since, project }].toSorted((a, b) => a.since - b.since),
    );
  }

  #learnRequest(line: TruthLine): void {
    if (line.kind !== "call" || line.request_id == null) return;
    const owners =
      line.resource_id == null ? new Set<string>() : this.ownersOf(line.resource_id, Date.parse(line.time));
    const project = line.resource_owner ?? line.project_id;
    if (owners.size === 0 && project != null && this.tenants.has(project)) owners.add(project);
    if (owners.size === 0) this.#operatorRequests.add(line.request_id);
    else this.#requests.set(line.request_id, owners);
  }

  /** The owner at a moment; both parties within a second of a change of hands. */
  ownersOf(id: string, at: number): Set<string> {
    const list = this.#owners.get(id) ?? [];
    const current = list.findLast((item) => item.since <= at);
    const near = list.filter((item) => Math.abs(item.since - at) < 15_000);
    return new Set([...(current === undefined ? [] : [current]), ...near].map((item) => item.project));
  }

  classOf(message: BareMessage): LabClass {
    const expected = this.expect(message);
    if (expected.class === "unknown") return "not judged";
    if (expected.class === "platform") return "platform";
    if ([...message.stated].some((project) => expected.projects.has(project))) return "direct";
    return message.ids.size > 0 || message.names.length === 0 ? "indirect" : "name";
  }

  expect(message: BareMessage): Expected {
    // Tenancy itself is about the project that the record names: made, granted, limited.
    const named = [...message.ids].filter((id) => this.tenants.has(id));
    if (message.tenancy && named.length === 1) return { class: "tenant", projects: new Set(named) };
    const owners = new Set<string>();
    for (const id of message.ids) {
      if (this.tenants.has(id)) continue;
      for (const owner of this.ownersOf(id, message.at)) owners.add(owner);
    }
    if (owners.size === 0) {
      for (const id of message.requestIds)
        for (const owner of this.#requests.get(id) ?? []) owners.add(owner);
    }
    if (owners.size > 0) return { class: "tenant", projects: owners };
    if (message.requestIds.some((id) => this.#operatorRequests.has(id))) return { class: "platform" };
    return { class: "unknown" };
  }
}

/** Reads the driver's truth of a recording. Throws when the folder holds none. */
export async function loadLabTruth(dir: string): Promise<LabTruth> {
  const path = join(dir, "truth.jsonl.gz");
  if (!existsSync(path)) throw new Error(`${dir} holds no truth.jsonl.gz`);
  const lines = await readDataLines(path);
  return new LabTruth(lines.map(({ text, place }) => parseObject(text, place) as unknown as TruthLine));
}

const idLike = /^(?:[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/;
const idInText =
  /(?<=\/)(?:[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?=\/|$)/g;

/** What is read of a message, as oslo.messaging and the services spell it. */
interface OsloFields {
  readonly message_id: string;
  readonly event_type: string;
  readonly timestamp: unknown;
  readonly _context_request_id?: unknown;
  readonly _context_global_request_id?: unknown;
  readonly _context_project_id?: string | null;
  readonly payload?: {
    readonly request_id?: unknown;
    readonly requestPath?: string;
    readonly initiator?: {
      readonly request_id?: unknown;
      readonly global_request_id?: unknown;
      readonly project_id?: string | null;
    };
  };
}

/** Takes a captured line apart: the ids it mentions, its request, and the context's project for the baseline. */
export function readBareMessage({ text, place }: DataLine): BareMessage {
  const { body } = parseObject(text, place);
  if (typeof body !== "string") throw unusable(place, "holds no message: `body` is no text");
  const outer = parseObject(body, `the body of ${place}`);
  const told = outer["oslo.message"];
  const inner = (typeof told === "string"
    ? parseObject(told, `the message of ${place}`)
    : outer) as unknown as OsloFields;
  const ids = new Set<string>();
  const stated = new Set<string>();
  const names: string[] = [];
  collectNamed(inner.payload, stated, names);
  const initiator = inner.payload?.initiator ?? {};
  collectIds(inner.payload, ids);
  const requestIds = [
    inner._context_request_id,
    inner._context_global_request_id,
    initiator.request_id,
    initiator.global_request_id,
    inner.payload?.request_id,
  ];
  return {
    messageId: inner.message_id,
    eventType: inner.event_type,
    at: Date.parse(`${String(inner.timestamp).replace(" ", "T")}Z`),
    requestIds: requestIds.filter((id) => typeof id === "string"),
    contextProject: inner._context_project_id ?? initiator.project_id ?? undefined,
    ids,
    stated,
    names,
    tenancy:
      String(inner.event_type).startsWith("identity.") ||
      /os-quota-sets/.test(inner.payload?.requestPath ?? ""),
  };
}

/** The request's own context inside a payload, and what it was made from, tell nothing about its subject. */
const foreign = new Set([
  "_context",
  "image_meta",
  "image",
  "initiator",
  "observer",
  "glance_metadata",
  "image_ref_url",
  "image_uuid",
  "flavor",
]);

function collectIds(value: unknown, ids: Set<string>): void {
  if (typeof value === "string") {
    if (idLike.test(value)) ids.add(value);
    else if (value.startsWith("/")) for (const id of value.match(idInText) ?? []) ids.add(id);
    return;
  }
  if (typeof value !== "object" || value === null) return;
  for (const [field, item] of Object.entries(value)) if (!foreign.has(field)) collectIds(item, ids);
}

const ownerFields = new Set(["tenant_id", "project_id", "owner"]);
const nameFields = new Set([
  "display_name",
  "name",
  "hostname",
  "stack_name",
  "resource_name",
  "instance_name",
]);

/** The owners and names that a payload states, outside of what is somebody else's. */
function collectNamed(value: unknown, stated: Set<string>, names: string[]): void {
  if (typeof value !== "object" || value === null) return;
  for (const [field, item] of Object.entries(value)) {
    if (foreign.has(field)) continue;
    if (typeof item !== "string") collectNamed(item, stated, names);
    else if (ownerFields.has(field)) stated.add(item);
    else if (nameFields.has(field) && item !== "") names.push(item);
  }
}

/**
 * The baseline that joins by name: the first name of a message that something in the recorded listings bears, and the
 * first thing of that name. Undefined where nothing was listed.
 */
export async function labNameJoin(
  dir: string,
): Promise<((message: BareMessage) => string | undefined) | undefined> {
  const root = join(dir, "rest");
  if (!existsSync(root)) return undefined;
  const owners = new Map<string, string>();
  const files = (await readdir(root, { recursive: true }))
    .filter((name) => name.endsWith(".json"))
    .toSorted();
  for (const name of files) {
    const path = join(root, name);
    collectOwners(parseJson(await readFile(path, "utf8"), path), owners);
  }
  return ({ names }) => names.map((name) => owners.get(name)).find((owner) => owner !== undefined);
}

function collectOwners(value: unknown, owners: Map<string, string>): void {
  if (typeof value !== "object" || value === null) return;
  const fields = value as Readonly<Record<string, unknown>>;
  const owner = ["tenant_id", "project_id", "os-vol-tenant-attr:tenant_id", "owner"]
    .map((field) => fields[field])
    .find((item) => typeof item === "string" && item !== "");
  const { name } = fields;
  if (typeof owner === "string" && typeof name === "string" && name !== "" && !owners.has(name))
    owners.set(name, owner);
  for (const item of Object.values(fields)) collectOwners(item, owners);
}
