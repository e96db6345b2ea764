import { z } from "zod";
import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { Instant } from "../../model/instant.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import type { Finding, Hole } from "../../model/source-health.ts";
import type { LostPlace } from "../cursor/opaque.ts";
import { outliveRetention } from "../cursor/opaque.ts";
import { authHeaders, httpAuth, nameRequest, parseSettings } from "../http-settings.ts";
import { checkStatus, readJsonAnswer } from "../json-answer.ts";
import { asObject, asText } from "../json-fields.ts";
import type { HttpResponse, Page, RawRecord, SourceIo } from "../source.ts";
import { parseFeed } from "./feed.ts";

export const statuspageSettings = z.strictObject({
  urls: z
    .array(z.url({ protocol: /^https?$/ }))
    .min(1)
    .max(20)
    .describe(
      "Addresses of one page or several: Statuspage's `…/api/v2/incidents.json` and " +
        "`…/api/v2/scheduled-maintenances.json`, or any Atom or RSS feed.",
    ),
  auth: httpAuth.optional().describe("Credentials of a private page."),
});

/** What the last answer of each address said of itself, so that an unchanged page costs nothing. */
export const statuspageCursor = z.object({
  pages: z.record(
    z.string(),
    z.object({
      etag: z.string().nullable(),
      lastModified: z.string().nullable(),
      /** When the latest post was made that was read. */
      reachesTo: z.number().nullable(),
    }),
  ),
});
export type StatuspageCursor = z.output<typeof statuspageCursor>;
type PagePlace = StatuspageCursor["pages"][string];

const updatesMax = 5_000;

const nothingLost: LostPlace = { findings: [], holes: [] };

/** Reads whatever the pages still show, whenever that was posted. */
export function readPagesAnew(): StatuspageCursor {
  return { pages: {} };
}

/** Reads every address once. One that fails does not hold up the others; throws when all of them failed. */
export async function fetchPages(
  config: JsonObject,
  from: StatuspageCursor | undefined,
  io: SourceIo,
): Promise<Page<StatuspageCursor>> {
  const settings = parseSettings(statuspageSettings, config);
  const askedAt = io.now();
  const records: RawRecord[] = [];
  const pages: Record<string, PagePlace> = {};
  const [findings, holes]: [Finding[], Hole[]] = [[], []];
  let failed: IsochronError | undefined;
  let isWhole = true;
  for (const url of settings.urls) {
    const place = from?.pages[url];
    if (place !== undefined) pages[url] = place;
    try {
      const read = await readPage(url, place, authHeaders(settings.auth, io), io);
      records.push(...read.records);
      pages[url] = read.place;
      isWhole &&= read.lost.holes.length === 0;
      findings.push(...read.lost.findings);
      holes.push(...read.lost.holes);
    } catch (error) {
      if (!(error instanceof IsochronError) || error.kind !== "unavailable") throw error;
      if (settings.urls.length > 1)
        io.warn("a status page waits for the next pass", { problem: error.problem });
      failed = error;
      isWhole = false;
    }
  }
  if (failed !== undefined && Object.values(pages).length === 0) throw failed;
  if (failed !== undefined && settings.urls.length === 1) throw failed;
  return {
    records,
    cursor: { pages },
    done: true,
    ...(isWhole && { completeTo: askedAt }),
    ...(holes.length > 0 && { findings, holes }),
  };
}

interface ReadPage {
  readonly records: readonly RawRecord[];
  readonly place: PagePlace;
  /** What the page no longer shows, though it was not read before. */
  readonly lost: LostPlace;
}

async function readPage(
  url: string,
  place: PagePlace | undefined,
  headers: Readonly<Record<string, string>>,
  io: SourceIo,
): Promise<ReadPage> {
  const name = nameRequest("GET", url);
  const answer = await io.http({
    method: "GET",
    url,
    headers: {
      accept: "application/json, application/atom+xml, application/rss+xml, application/xml;q=0.9",
      ...headers,
      ...(place?.etag != null && { "if-none-match": place.etag }),
      ...(place?.lastModified != null && { "if-modified-since": place.lastModified }),
    },
  });
  if (answer.status === 304 && place !== undefined) return { records: [], place, lost: nothingLost };
  checkStatus(answer, name);
  const receivedAt = answer.sentAt ?? io.now();
  const items = /^\s*(\ufeff)?[[{]/.test(new TextDecoder().decode(answer.body.subarray(0, 100)))
    ? readUpdates(answer, name)
    : readEntries(answer, name);
  const times = items.flatMap(({ at }) => (at === undefined ? [] : [at]));
  const [oldest, latest] = [Math.min(...times), Math.max(...times)];
  const reachedTo = place?.reachesTo ?? null;
  const lost =
    reachedTo === null || times.length === 0
      ? nothingLost
      : outliveRetention(name, instant(reachedTo), instant(oldest));
  if (lost.holes.length > 0)
    io.warn("a status page no longer shows all that was new since the last pass", { url: name });
  const { etag, "last-modified": lastModified } = answer.headers;
  return {
    records: items.map(({ content, form }) => ({
      bytes: new TextEncoder().encode(JSON.stringify(content)),
      position: name,
      receivedAt,
      meta: { form, url: new URL(url).origin },
    })),
    place: {
      etag: etag ?? null,
      lastModified: lastModified ?? null,
      reachesTo: times.length > 0 ? latest : reachedTo,
    },
    lost,
  };
}

interface PageItem {
  readonly form: "update" | "entry";
  readonly content: JsonObject;
  /** When it was posted, as far as the page's gaps can be seen by it. */
  readonly at: Instant | undefined;
}

/** Statuspage's JSON: one item for each update of each incident. */
function readUpdates(answer: HttpResponse, name: string): readonly PageItem[] {
  const body = asObject(readJsonAnswer(answer, name));
  const incidents = [body?.["incidents"], body?.["scheduled_maintenances"]]
    .filter(Array.isArray)
    .flat() as Json[];
  if (body === undefined || (body["incidents"] ?? body["scheduled_maintenances"]) === undefined) {
    throw new IsochronError(
      "source-malformed",
      `The answer of ${name} lists neither incidents nor scheduled maintenances.`,
      "Use the address of Statuspage's incidents.json or of a feed.",
    );
  }
  return incidents
    .flatMap((incident) => {
      const { incident_updates: updates, components: _components, ...rest } = asObject(incident) ?? {};
      if (!Array.isArray(updates)) return [];
      return (updates as readonly Json[]).map((update): PageItem => ({
        form: "update",
        content: { page: body["page"] ?? null, incident: rest, update },
        at: momentOf(asText(asObject(update)?.["created_at"])),
      }));
    })
    .slice(0, updatesMax);
}

function readEntries(answer: HttpResponse, name: string): readonly PageItem[] {
  const feed = parseFeed(new TextDecoder().decode(answer.body), name);
  return feed.entries.map((entry) => ({
    form: "entry",
    content: { feed: feed.title, entry: { ...entry } },
    at: momentOf(entry.updated),
  }));
}

/** Good enough to compare posts of one page; what an event's time is, is read strictly. */
function momentOf(text: string | undefined): Instant | undefined {
  const ms = Date.parse(text ?? "");
  return Number.isNaN(ms) ? undefined : instant(ms);
}
