import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { Instant } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import type { SourceIo } from "../source.ts";
import { decodeBody } from "./answer.ts";
import { asObject, objects, text } from "./item.ts";
import type { CatalogService, CloudSession } from "./keystone.ts";
import type { Listing } from "./listings.ts";

/** One answer of a listing. */
export interface ListingPage {
  readonly items: readonly JsonObject[];
  /** The query of the following request; undefined on the last page. */
  readonly next?: string;
  /** When the request left: a state read afterwards may be newer than this, never older. */
  readonly sentAt: Instant;
}

/** Why a listing is not read, in words: the API is not there, or not for us. */
export interface Skipped {
  readonly skipped: string;
}

/** The query of a listing's first request. */
export function firstQuery(listing: Listing, pageSize: number, since: number | undefined): string {
  const query = new URLSearchParams(listing.query);
  if (listing.paging !== "none") query.set("limit", String(pageSize));
  if (since !== undefined) query.set("changes-since", `${new Date(since).toISOString().slice(0, 19)}Z`);
  const spelled = query.toString();
  return spelled === "" ? "" : `?${spelled}`;
}

/** What has to be known of a listing to read its pages, whoever does it. */
export type ReadableListing = Pick<Listing, "path" | "key" | "paging"> & { readonly service: CatalogService };

/**
 * Reads one page. 404 and 403 are told apart from failures, because another pass would meet them again.
 * Throws `source-unavailable` or `source-malformed`.
 */
export async function readListingPage(
  session: CloudSession,
  listing: ReadableListing,
  query: string,
  headers: Readonly<Record<string, string>>,
  io: Pick<SourceIo, "now">,
): Promise<ListingPage | Skipped> {
  if (session.endpoint(listing.service) === undefined) {
    return { skipped: `the catalog has no ${listing.service} service` };
  }
  const before = io.now();
  const answer = await session.get(listing.service, listing.path + query, { headers });
  const from = `${listing.service} ${listing.path}`;
  if (answer.status === 404) return { skipped: "this API is absent" };
  if (answer.status === 403) return { skipped: "the credentials' roles do not allow it" };
  if (answer.status !== 200) {
    throw new IsochronError(
      answer.status >= 500 || answer.status === 429 ? "source-unavailable" : "source-malformed",
      `${from} answered ${answer.status}.`,
      "Check the service's log; the next pass tries again.",
    );
  }
  const body = decodeBody(answer, from);
  if (!Array.isArray(body[listing.key])) {
    throw new IsochronError(
      "source-malformed",
      `${from} answered without \`${listing.key}\`.`,
      "Check that the endpoint in the catalog is the service itself.",
    );
  }
  const items = objects(body[listing.key]);
  const next = listing.paging === "offset" ? nextOffset(query, items.length) : nextLink(body, listing.key);
  if (next === query) {
    throw new IsochronError(
      "source-malformed",
      `${from} names a page as its own successor.`,
      "Report it to the service.",
    );
  }
  return { items, sentAt: answer.sentAt ?? instant(before), ...(next === undefined ? {} : { next }) };
}

/**
 * The successor that an answer names: Nova, Cinder and Neutron give `<key>_links`, Keystone `links.next`, Glance
 * `next`. Only its query is taken, since services behind a proxy often name themselves by an address of their own.
 */
function nextLink(body: JsonObject, key: string): string | undefined {
  const href =
    text(
      objects(body[`${key}_links`]).find((link) => link["rel"] === "next"),
      "href",
    ) ??
    text(asObject(body["links"]), "next") ??
    text(body, "next");
  if (href === undefined) return undefined;
  const mark = href.indexOf("?");
  return mark < 0 ? undefined : href.slice(mark).replace(/#.*$/, "");
}

function nextOffset(query: string, count: number): string | undefined {
  const parameters = new URLSearchParams(query);
  if (count === 0 || count < Number(parameters.get("limit"))) return undefined;
  parameters.set("offset", String(Number(parameters.get("offset") ?? 0) + count));
  return `?${parameters.toString()}`;
}
