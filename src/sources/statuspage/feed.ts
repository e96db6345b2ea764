import { XMLParser } from "fast-xml-parser";
import { IsochronError } from "../../errors.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import { asObject } from "../json-fields.ts";

/** One entry of an Atom (RFC 4287) or RSS 2.0 feed, as text throughout. */
export interface FeedEntry {
  readonly id: string;
  readonly title: string;
  readonly updated?: string;
  readonly link?: string;
  readonly content?: string;
}

export interface Feed {
  readonly title: string;
  readonly entries: readonly FeedEntry[];
}

/** Texts are taken as they stand; a document cannot define entities, and none is expanded by the parser. */
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "@",
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
  htmlEntities: false,
  removeNSPrefix: true,
  maxNestedTags: 50,
  isArray: (name) => name === "entry" || name === "item" || name === "link",
});

const entriesMax = 1_000;
const contentCharsMax = 64 * 1024;

/** Reads a feed. Throws `source-malformed` for what is none, and for a document with a type declaration. */
export function parseFeed(text: string, from: string): Feed {
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) {
    throw malformed(
      from,
      /<html|<!DOCTYPE html/i.test(text) ? "is an HTML page" : "declares a document type",
    );
  }
  const root = parseXml(text, from);
  const atom = asObject(root["feed"]);
  const channel = asObject(asObject(root["rss"])?.["channel"] ?? root["channel"]);
  if (atom === undefined && channel === undefined) throw malformed(from, "is neither Atom nor RSS");
  const items = listOf(atom === undefined ? channel!["item"] : atom["entry"]).slice(0, entriesMax);
  return {
    title: textOf((atom ?? channel)!["title"]) ?? "",
    entries: items.flatMap((item) => readEntry(asObject(item) ?? {}) ?? []),
  };
}

function parseXml(text: string, from: string): JsonObject {
  try {
    return asObject(parser.parse(text) as Json) ?? {};
  } catch (error) {
    // The parser throws plain errors for what is not XML.
    if (!(error instanceof Error)) throw error;
    throw malformed(from, "is no XML", error);
  }
}

function malformed(from: string, problem: string, cause?: unknown): IsochronError {
  return new IsochronError(
    "source-malformed",
    `The answer of ${from} ${problem}.`,
    "Use the address of an Atom or RSS feed, or of Statuspage's incidents.json.",
    { cause },
  );
}

function readEntry(item: JsonObject): FeedEntry | undefined {
  const link = linkOf(item["link"]);
  const id = textOf(item["id"]) ?? textOf(item["guid"]) ?? link;
  if (id === undefined) return undefined;
  const updated = textOf(item["updated"]) ?? textOf(item["pubDate"]) ?? textOf(item["published"]);
  const content =
    textOf(item["content"]) ??
    textOf(item["encoded"]) ??
    textOf(item["description"]) ??
    textOf(item["summary"]);
  return {
    id,
    title: textOf(item["title"]) ?? "",
    ...(updated !== undefined && { updated }),
    ...(link !== undefined && { link }),
    ...(content !== undefined && { content: content.slice(0, contentCharsMax) }),
  };
}

/** Atom's link is an attribute, with the page of the entry as `alternate`; RSS's is text. */
function linkOf(value: Json | undefined): string | undefined {
  const links = listOf(value);
  const alternate = links.find((link) => (asObject(link)?.["@rel"] ?? "alternate") === "alternate");
  const href = asObject(alternate)?.["@href"];
  return typeof href === "string" ? decodeEntities(href) : textOf(links[0]);
}

function listOf(value: Json | undefined): readonly Json[] {
  if (Array.isArray(value)) return value as readonly Json[];
  return value === undefined ? [] : [value];
}

/** The text of an element, with or without attributes. */
function textOf(value: Json | undefined): string | undefined {
  const raw = asObject(value)?.["#text"] ?? value;
  if (typeof raw !== "string" || raw.trim() === "") return undefined;
  // Markup that stands there openly came in a CDATA section, where nothing was escaped.
  return (raw.includes("<") ? raw : decodeEntities(raw)).trim();
}

const named: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
};

/** XML's own entities and characters by number; every other one stays as it is written. */
export function decodeEntities(text: string): string {
  return text.replaceAll(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z]{2,4});/gi, (whole, name: string) => {
    if (!name.startsWith("#")) return Object.hasOwn(named, name) ? named[name]! : whole;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code > 0 && code <= 0x10_ff_ff ? String.fromCodePoint(code) : whole;
  });
}

/** The words of an HTML text: tags fall away, blocks end lines. */
export function stripMarkup(html: string): string {
  const lines = html.replaceAll(/<(br|\/p|\/div|\/li|\/h\d)\b[^<>]*>/gi, "\n").replaceAll(/<[^<>]*>/g, "");
  return decodeEntities(lines)
    .replaceAll(/[ \t]+/g, " ")
    .replaceAll(/\s*\n\s*/g, "\n")
    .trim();
}
