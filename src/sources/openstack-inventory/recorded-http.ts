import { readdir, readFile } from "node:fs/promises";
import { basename, join, resolve, sep } from "node:path";
import { z } from "zod";
import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { Instant } from "../../model/instant.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import type { HttpClient, HttpRequest, HttpResponse } from "../source.ts";
import type { CloudAccess } from "./credentials.ts";
import { asObject } from "./item.ts";
import type { ServiceName } from "./settings.ts";

const headerMap = z.record(z.string(), z.string());

const recordedRow = z.object({
  name: z.string(),
  file: z.string(),
  method: z.string(),
  url: z.url(),
  request_headers: headerMap.default({}),
  status: z.number().int(),
  response_headers: headerMap.default({}),
  sent_at: z.iso.datetime({ offset: true }),
});

/** One line of `index.jsonl`: a request that was sent, and the file with the answer's body. */
export type RecordedRow = z.infer<typeof recordedRow>;

/** An HTTP client that answers from a recording. It needs no credentials, and says so by what it carries. */
export interface RecordedHttp extends HttpClient {
  readonly recordedAccess: CloudAccess;
}

/** What the APIs answered at one time. */
export interface RecordedMoment {
  readonly name: string;
  readonly at: Instant;
  readonly http: RecordedHttp;
  readonly now: () => Instant;
}

/** The access that a recording brings along; undefined for a live client. */
export function recordedAccess(http: HttpClient): CloudAccess | undefined {
  return "recordedAccess" in http ? (http as RecordedHttp).recordedAccess : undefined;
}

/**
 * Opens a recorded directory: a folder with `index.jsonl` is one moment, a folder of such folders is several, given
 * in the order of time. A pass is made over each with its `http` and `now` in place of the live ones; a moment that
 * the cursor has already passed gives an empty page, so that playing a recording again changes nothing.
 * Throws `file-unreadable`.
 */
export async function recordedMoments(dir: string): Promise<readonly RecordedMoment[]> {
  const folders = [dir, ...(await subfolders(dir))];
  const found = await Promise.all(
    folders.map(async (folder) => {
      const index = await readIndex(folder);
      if (index === undefined || index.length === 0) return [];
      return [makeMoment(basename(folder), index, (file) => readFile(recordedFile(dir, folder, file)))];
    }),
  );
  const moments = found.flat();
  if (moments.length > 0) return moments.toSorted((a, b) => a.at - b.at);
  throw new IsochronError(
    "file-unreadable",
    `${dir} holds no recording.`,
    "Name a folder with an index.jsonl, or a folder of such folders.",
  );
}

/** A moment made of rows; `readBody` gives the bytes of a row's `file`. */
export function makeMoment(
  name: string,
  rows: readonly RecordedRow[],
  readBody: (file: string) => Promise<Uint8Array>,
): RecordedMoment {
  const at = instant(Math.min(...rows.map(({ sent_at }) => Date.parse(sent_at))));
  const answer = async (request: HttpRequest): Promise<HttpResponse> => {
    const url = new URL(request.url);
    if (request.method === "POST" && url.pathname.endsWith("/v3/auth/tokens")) return issueToken(rows);
    const found = findRows(rows, request, url);
    const [row] = found;
    if (row === undefined) return { status: 404, headers: {}, body: new Uint8Array() };
    const bodies = await Promise.all(found.map(({ file }) => readBody(file)));
    return {
      status: row.status,
      headers: lowerCased(row.response_headers),
      body: found.length === 1 ? bodies[0]! : joinListings(bodies),
      sentAt: instant(Date.parse(row.sent_at)),
    };
  };
  const access: CloudAccess = { authUrl: "http://recorded.invalid/v3", identity: {}, interface: "public" };
  return { name, at, now: () => at, http: Object.assign(answer, { recordedAccess: access }) };
}

/** A row may point at an equal answer of an earlier moment (`../20261121T025410Z/x.json`), but never out of the recording. */
function recordedFile(dir: string, folder: string, file: string): string {
  const path = resolve(folder, file);
  return path.startsWith(resolve(dir) + sep) ? path : join(folder, basename(file));
}

async function subfolders(dir: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(dir, entry.name));
  } catch (cause) {
    throw new IsochronError("file-unreadable", `The folder ${dir} cannot be read.`, "Check the path.", {
      cause,
    });
  }
}

async function readIndex(folder: string): Promise<readonly RecordedRow[] | undefined> {
  const path = join(folder, "index.jsonl");
  let lines: string;
  try {
    lines = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new IsochronError("file-unreadable", `${path} cannot be read.`, "Check its rights.", {
      cause: error,
    });
  }
  return lines
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line, index) => readRow(line, `${path} line ${index + 1}`));
}

function readRow(line: string, place: string): RecordedRow {
  let cause: unknown;
  try {
    const parsed = recordedRow.safeParse(JSON.parse(line));
    if (parsed.success) return parsed.data;
    cause = parsed.error;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    cause = error;
  }
  throw new IsochronError("file-unreadable", `${place} is no recorded request.`, "Record the folder again.", {
    cause,
  });
}

/**
 * Parameters that choose a part of a listing, or that only add to its items; what was recorded stands in for any part of
 * it, and may tell more.
 */
const partParameters: ReadonlySet<string> = new Set([
  "limit",
  "offset",
  "changes-since",
  "changes-before",
  "include_names",
]);

/**
 * The rows that answer a request: the one recorded for exactly this query, else the one that differs only in which
 * part was asked for. Hosts are not compared. A request for a following page is only answered where it was recorded.
 */
function findRows(rows: readonly RecordedRow[], request: HttpRequest, url: URL): readonly RecordedRow[] {
  const samePath = rows.filter(
    (row) => row.method === request.method && new URL(row.url).pathname === url.pathname,
  );
  const wanted = (request.headers ?? {})["openstack-api-version"];
  const ranked = samePath.toSorted(
    (a, b) => Number(versionOf(b) === wanted) - Number(versionOf(a) === wanted),
  );
  const exact = ranked.find((row) => spell(new URL(row.url).searchParams) === spell(url.searchParams));
  if (exact !== undefined) return [exact];
  if (url.searchParams.has("marker") || Number(url.searchParams.get("offset") ?? 0) > 0) return [];
  const whole = ranked.find((row) => essence(new URL(row.url)) === essence(url));
  if (whole === undefined) return [];
  // Asked for changes, Nova lists deleted servers among the others; recordings of whole listings keep them apart.
  const deleted =
    url.searchParams.has("changes-since") &&
    url.pathname.endsWith("/servers/detail") &&
    !url.searchParams.has("deleted")
      ? ranked.find((row) => new URL(row.url).searchParams.get("deleted") === "true")
      : undefined;
  return deleted === undefined ? [whole] : [whole, deleted];
}

function versionOf(row: RecordedRow): string | undefined {
  return lowerCased(row.request_headers)["openstack-api-version"];
}

function spell(parameters: URLSearchParams): string {
  return [...parameters]
    .map(([name, value]) => `${name}=${value}`)
    .toSorted()
    .join("&");
}

function essence(url: URL): string {
  return spell(new URLSearchParams([...url.searchParams].filter(([name]) => !partParameters.has(name))));
}

/** One answer out of two of the same shape. */
function joinListings(bodies: readonly Uint8Array[]): Uint8Array {
  const joined: Record<string, Json> = {};
  for (const body of bodies) {
    const value = asObject(JSON.parse(new TextDecoder().decode(body)) as Json) ?? {};
    for (const [key, part] of Object.entries(value)) {
      const before = joined[key];
      joined[key] = Array.isArray(before) && Array.isArray(part) ? ([...before, ...part] as Json) : part;
    }
  }
  return new TextEncoder().encode(JSON.stringify(joined));
}

/** How a recorded path shows which service it belongs to, and where that service's address ends. */
const addressPatterns: Readonly<Record<ServiceName, RegExp>> = {
  identity: /^(.*\/v3)\/(?:domains|projects|users|groups|role_assignments)$/,
  compute: /^(.*\/v2\.1)\//,
  "block-storage":
    /^(.*\/v3(?:\/[0-9a-f-]{32,36})?)\/(?:volumes|snapshots|backups|volume-transfers|os-services)(?:\/|$)/,
  network: /^(.*\/v2\.0)\//,
  image: /^(.*\/v2)\/images/,
};

/** A sign-in is answered with a catalog of the hosts that were recorded. */
function issueToken(rows: readonly RecordedRow[]): HttpResponse {
  const catalog: JsonObject[] = [];
  for (const [type, pattern] of Object.entries(addressPatterns)) {
    const urls = rows.flatMap((row) => {
      const { origin, pathname } = new URL(row.url);
      const path = pattern.exec(pathname)?.[1];
      return path === undefined ? [] : [origin + path];
    });
    if (urls[0] !== undefined) catalog.push({ type, endpoints: [{ interface: "public", url: urls[0] }] });
  }
  const body = new TextEncoder().encode(JSON.stringify({ token: { catalog } }));
  return { status: 201, headers: { "x-subject-token": "recorded" }, body };
}

function lowerCased(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
