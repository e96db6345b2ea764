import { IsochronError } from "../../errors.ts";
import type { Json } from "../../model/json.ts";
import { answeredAt } from "../answer-time.ts";
import { authHeaders, joinUrl, nameRequest } from "../http-settings.ts";
import { readJsonAnswer } from "../json-answer.ts";
import type { SourceIo } from "../source.ts";
import type { Listing, RestApi } from "./api-shape.ts";
import { encodePart, fillIn, idAt, textAt, valueAt } from "./item-path.ts";
import type { RestSettings } from "./settings.ts";

/** One answer of a listing. */
export interface ListingPage {
  readonly items: readonly Json[];
  /** What stands for the next page: an id, a token, or an address without its origin; undefined on the last one. */
  readonly next?: string;
  /** The server's clock, from the `Date` header. */
  readonly serverTime?: number;
}

export interface PageRequest {
  readonly settings: RestSettings;
  readonly api: RestApi;
  readonly listing: Listing;
  readonly idPath: string;
  readonly values: Readonly<Record<string, string>>;
  /** What the page before gave as `next`. */
  readonly next: string | undefined;
}

/** Reads one page. Throws `source-denied`, `source-unavailable` or `source-malformed`. */
export async function readPage(request: PageRequest, io: SourceIo): Promise<ListingPage> {
  const { settings, listing, next } = request;
  const url = addressOf(request);
  const answer = await io.http({
    method: "GET",
    url,
    headers: { accept: "application/json", ...authHeaders(settings.auth, io) },
  });
  const from = nameRequest("GET", url);
  const body = readJsonAnswer(answer, from);
  const items = valueAt(body, listing.items);
  if (!Array.isArray(items)) {
    throw new IsochronError(
      "source-malformed",
      `${from} answered without the list \`${listing.items}\`.`,
      "Check that the address is the API's own, and that the preset fits its version.",
    );
  }
  const following = nextOf(request, body, items as readonly Json[], from);
  if (following !== undefined && following === next) {
    throw new IsochronError(
      "source-malformed",
      `${from} names a page as its own successor.`,
      "Report it to the service.",
    );
  }
  const serverTime = answeredAt(answer);
  return {
    items: items as readonly Json[],
    ...(following !== undefined && { next: following }),
    ...(serverTime !== undefined && { serverTime }),
  };
}

function addressOf({ settings, api, listing, values, next }: PageRequest): string {
  const { paging } = listing;
  if (paging.by === "link" && next !== undefined) return new URL(settings.url).origin + next;
  const filled = {
    ...api.variables,
    ...settings.variables,
    ...values,
    page_size: String(settings.page_size),
    filter: settings.filter === undefined ? "" : fillIn(api.filter, { filter: settings.filter }),
    ...(paging.by === "keyset" && { after: next ?? paging.first }),
  };
  const query = new URLSearchParams();
  for (const [name, template] of Object.entries(listing.query)) query.set(name, fillIn(template, filled));
  if (paging.by === "cursor" && next !== undefined) {
    for (const name of paging.instead_of) query.delete(name);
    query.set(paging.parameter, next);
  }
  const encoded = Object.fromEntries(
    Object.entries(filled).map(([name, value]) => [name, encodePart(value)]),
  );
  return `${joinUrl(settings.url, fillIn(listing.path, encoded))}?${query.toString()}`;
}

function nextOf(
  { settings, listing, idPath }: PageRequest,
  body: Json,
  items: readonly Json[],
  from: string,
): string | undefined {
  const { paging } = listing;
  if (paging.by === "keyset") {
    // A short page is no last one: services cut pages to limits of their own, and leave out what is not to be seen.
    if (items.length === 0) return undefined;
    const id = idAt(items.at(-1), idPath);
    if (id !== undefined) return id;
    throw new IsochronError(
      "source-malformed",
      `${from} ends a page with an item without a usable id.`,
      "Check that the preset fits the service's version.",
    );
  }
  const text = textAt(body, paging.at);
  if (text === undefined) return undefined;
  if (paging.by === "link") return sameOrigin(text, settings.url, from);
  if (paging.last !== undefined && valueAt(body, paging.last) === true) return undefined;
  if (paging.more !== undefined && valueAt(body, paging.more) === false) return undefined;
  return text;
}

/** The path and query of a link; another host is never asked, because the request carries a secret. */
function sameOrigin(link: string, base: string, from: string): string {
  const url = URL.canParse(link, base) ? new URL(link, base) : undefined;
  if (url !== undefined && url.host === new URL(base).host) return url.pathname + url.search;
  throw new IsochronError(
    "source-malformed",
    `${from} names a next page that is not on the same host.`,
    "Put the address by which the service names itself into `url`.",
  );
}
