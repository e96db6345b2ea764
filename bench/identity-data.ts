import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseObject, readDataLines } from "./data-file.ts";

/** One record of the stream, with the line that it came as: the product reads the line and nothing else. */
export interface IdentityRecord {
  readonly line: string;
  readonly seq: number;
  readonly region: string;
  readonly at: number;
  readonly source: string;
  readonly requestId: string | undefined;
  readonly userId: string | undefined;
  readonly projectId: string | undefined;
  readonly message: string;
  /** How the product names the record: the hash of its line. */
  readonly key: string;
  /** The class that the truth gives it; `unlabelled` where it gives none. */
  readonly class: string;
  /** The project whose it is, `platform`, or undefined where the truth does not say. */
  readonly owner: string | undefined;
}

/** A row of the inventory. It carries no time, and is taken to be as old as the stream. */
export interface InventoryRow {
  readonly region: string;
  readonly kind: string;
  readonly id: string;
  readonly name: string | undefined;
  readonly projectId: string;
}

export interface IdentityData {
  readonly records: readonly IdentityRecord[];
  readonly inventory: readonly InventoryRow[] | undefined;
  readonly tenants: ReadonlySet<string>;
  readonly regions: readonly string[];
}

export function isIdentityFolder(dir: string): boolean {
  return existsSync(join(dir, "stream.jsonl.gz")) && existsSync(join(dir, "truth.jsonl.gz"));
}

/** Reads a folder of the layout; lines that are no JSON object are left to the product to refuse. */
export async function loadIdentity(dir: string): Promise<IdentityData> {
  const truth = new Map<number, { owner?: string | null; class?: string | null }>();
  for (const { text: line, place } of await readDataLines(join(dir, "truth.jsonl.gz"))) {
    const row = parseObject(line, place) as { seq: number; owner?: string | null; class?: string | null };
    truth.set(row.seq, row);
  }
  const records = (await readDataLines(join(dir, "stream.jsonl.gz"))).map(({ text: line }, index) => {
    const fields = readFields(line);
    const seq = typeof fields["seq"] === "number" ? fields["seq"] : index;
    const told = truth.get(seq);
    return {
      line,
      seq,
      region: text(fields["region"]) ?? "region",
      at: Date.parse(text(fields["ts"]) ?? ""),
      source: text(fields["src"]) ?? "",
      requestId: text(fields["request_id"]),
      userId: text(fields["user_id"]),
      projectId: text(fields["project_id"]),
      message: text(fields["msg"]) ?? text(fields["message"]) ?? "",
      key: createHash("sha256").update(line).digest("hex"),
      class: told?.class ?? "unlabelled",
      owner: told?.owner ?? undefined,
    };
  });
  const owners = records
    .map(({ owner }) => owner)
    .filter((owner) => owner !== undefined && owner !== "platform");
  return {
    records,
    inventory: await loadInventory(dir),
    tenants: new Set([...(await loadTenants(dir)), ...(owners as string[])]),
    regions: [...new Set(records.map(({ region }) => region))].toSorted(),
  };
}

async function loadTenants(dir: string): Promise<readonly string[]> {
  const path = join(dir, "tenants.json");
  if (!existsSync(path)) return [];
  const { tenants = [] } = parseObject(await readFile(path, "utf8"), path) as { tenants?: readonly string[] };
  return tenants;
}

async function loadInventory(dir: string): Promise<readonly InventoryRow[] | undefined> {
  const path = ["inventory.jsonl", "inventory.jsonl.gz"].map((name) => join(dir, name)).find(existsSync);
  if (path === undefined) return undefined;
  return (await readDataLines(path)).flatMap(({ text: line, place }) => {
    const row = parseObject(line, place);
    const [id, projectId, kind] = [text(row["id"]), text(row["project_id"]), text(row["kind"])];
    if (id === undefined || projectId === undefined || kind === undefined) return [];
    return [
      {
        region: text(row["region"]) ?? "region",
        kind: kind.replaceAll(/[ -]/g, "_"),
        id,
        name: text(row["name"]),
        projectId,
      },
    ];
  });
}

/** Nothing of a line that is no JSON object: what becomes of it is the product's answer. */
function readFields(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
