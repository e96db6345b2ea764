import { z } from "zod";

/** Where a value stands in an item: names joined by dots (`fields.status.name`), list places as numbers. */
const path = z.string().min(1);
const paths = z.union([path.transform((one) => [one]), z.array(path).min(1)]);

/**
 * How the next page is asked for. *keyset*: `{after}` in the query stands for the id of the last item. *link*: the
 * answer holds the next address. *cursor*: the answer holds a token to send back. There is no offset: rows that
 * change while they are paged through would be skipped.
 */
const paging = z.discriminatedUnion("by", [
  z.strictObject({ by: z.literal("keyset"), first: z.string() }),
  z.strictObject({ by: z.literal("link"), at: path }),
  z.strictObject({
    by: z.literal("cursor"),
    at: path,
    parameter: z.string(),
    /** A flag in the answer that is true on the last page. */
    last: path.optional(),
    /** A flag in the answer that is false on the last page. */
    more: path.optional(),
    /** Parameters that are not sent together with the token. */
    instead_of: z.array(z.string()).default([]),
  }),
]);

/** A request template: `{since}`, `{after}`, `{page_size}`, `{id}`, `{filter}` and the API's own variables are filled in. */
const listing = z.strictObject({
  path: z.string().min(1),
  query: z.record(z.string(), z.string()),
  /** Where the items stand in the answer. */
  items: path,
  paging,
});
export type Listing = z.output<typeof listing>;

const change = z.strictObject({
  /** Fields of the change with the values that they must have. */
  when: z.record(z.string(), z.union([z.string(), z.boolean()])),
  means: z.enum(["status", "comment", "internal_comment"]),
});

/** A ticket API as data: how it is asked, and what its items mean. */
export const restApi = z.strictObject({
  tickets: listing,
  /** How `{since}` is spelled; *ago* is what Request Tracker's date parser understands in every time zone. */
  since: z.enum(["rfc3339", "utc", "epoch", "ago", "minutes"]),
  /** How a time without zone is to be read; without it such a time is refused. */
  naive_times: z.literal("utc").optional(),
  /** How exact the API's times are. */
  precision_ms: z.number().int().min(0).default(1_000),
  /** How the operator's own filter is joined to the query. */
  filter: z.string().default("{filter}"),
  variables: z.record(z.string(), z.string()).default({}),
  fields: z.strictObject({
    id: path,
    /** What people call it, where that is not the id. */
    number: paths.optional(),
    title: paths,
    created: path,
    status: path.optional(),
    resolved: paths.optional(),
    requester: paths.optional(),
    organisation: paths.optional(),
    queue: paths.optional(),
  }),
  /** Address of the ticket for people; `{base}`, `{id}` and `{number}` are filled in. */
  url: z.string().optional(),
  /** What was done with a ticket, one item per transaction; without it only creation and resolution are told. */
  history: listing
    .extend({
      id: path,
      at: path,
      actor: paths,
      /** The list of changes within an item; without it the item is the change. */
      changes: path.optional(),
      match: z.array(change).min(1),
      from: path,
      to: path,
    })
    .optional(),
  /** Statuses in which a ticket is done with. */
  done: z.array(z.string()),
  /** Words for statuses that the API gives as numbers. */
  status_words: z.record(z.string(), z.string()).default({}),
});
export type RestApi = z.output<typeof restApi>;
export type RestApiText = z.input<typeof restApi>;
