import { z } from "zod";

const token = z.tuple([z.string(), z.string().nullable(), z.string(), z.union([z.literal(0), z.literal(1)])]);

const knownRow = z.object({
  /** What holds of it. */
  tokens: z.array(token),
  /** 1 where it may still change and is therefore kept. */
  open: z.union([z.literal(0), z.literal(1)]),
  /** The number of the pass that read it last. */
  pass: z.number().int(),
  /** How many passes in a row have not found it. */
  misses: z.number().int(),
  /** While it is missing: between which moments it went, in milliseconds since the epoch. */
  missing: z.tuple([z.number(), z.number()]).exactOptional(),
  /** Of a series: the id of its latest row. */
  latest: z.string().nullable(),
});

const gap = z.tuple([z.string(), z.string(), z.number()]);

const openPass = z.object({
  /** The source's time when the pass began, as it writes it: nothing later belongs to this pass. */
  until: z.string(),
  startedMs: z.number(),
  /** Where the pass after this one begins. */
  floor: z.string(),
  /** The last row that was read: time and key, id, or key. */
  after: z.array(z.string()).nullable(),
});

/** How far one table is read. */
const tablePlace = z.object({
  /** Order by serial: the highest id that was read. */
  through: z.string().nullable(),
  /** Ids below it that may still commit. */
  gaps: z.array(gap),
  /** Order by time: where the next pass begins, inclusive. */
  floor: z.string().nullable(),
  /** Where the table is read again beside its main place: from which moment on, in milliseconds since the epoch. */
  again: z.number().int().nullable().default(null),
  /** Rows that are remembered, by their key (of a series: by its columns) as a JSON list. */
  known: z.record(z.string(), knownRow),
  /** Of a listing: since when so many rows are missing that none is taken for gone. */
  drop: z.object({ sinceMs: z.number(), listings: z.number().int() }).nullable().default(null),
  /** Complete passes so far. */
  passes: z.number().int(),
  /** When the pass before began, by the source's clock. */
  passedMs: z.number().nullable(),
  pass: openPass.nullable(),
});

/** All tables of a connection; `todo` and what follows belong to the pass under way. */
export const sqlCursor = z.object({
  tables: z.record(z.string(), tablePlace),
  todo: z.array(z.string()).nullable(),
  read: z.array(z.string()),
  failed: z.array(z.string()),
  /** The earliest moment up to which a table of this pass is complete. */
  completeMs: z.number().nullable(),
});

export type SqlCursor = z.infer<typeof sqlCursor>;
export type TablePlace = z.infer<typeof tablePlace>;
export type KnownRow = z.infer<typeof knownRow>;

export const freshPlace: TablePlace = {
  through: null,
  gaps: [],
  floor: null,
  again: null,
  known: {},
  drop: null,
  passes: 0,
  passedMs: null,
  pass: null,
};

export const freshCursor: SqlCursor = { tables: {}, todo: null, read: [], failed: [], completeMs: null };
