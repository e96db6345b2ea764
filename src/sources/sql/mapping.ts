import { z } from "zod";
import { categories, eventKinds, phases, severities, visibilities } from "../../model/event.ts";
import { columnName, columnsOfConditions, conditionSchema } from "./condition.ts";
import { columnsOfTemplate } from "./template.ts";

const kindName = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, { error: "a kind such as server" });
const conditions = z.array(conditionSchema).default([]);
const identifier = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, { error: "letters, digits and _, without quotes" });

/** What a word in a column means; words that are not listed mean `else`. */
const severityChoice = z.union([
  z.enum(severities),
  z.strictObject({
    column: columnName,
    words: z.record(z.string(), z.enum(severities)),
    else: z.enum(severities),
  }),
]);

/**
 * Something that can become true of a row, and is then an event. With `stamp` a column of its own dates it, and another
 * stamp is another occurrence; `at` lists columns that date it where the stamp is empty. With `of` each value of that
 * column is an occurrence of its own.
 */
const transitionSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]{0,40}$/),
  when: conditions,
  of: columnName.optional(),
  stamp: columnName.optional(),
  at: z.array(columnName).default([]),
  /** What holds when the row is first seen is its beginning, not a change. */
  only_changes: z.boolean().default(false),
  /** A row that had come to its end and is open again has this happen to it. */
  returns: z.boolean().default(false),
  /** The value names the occurrence for ever, as a counter's does. */
  once: z.boolean().default(false),
  type: z.string().min(1),
  kind: z.enum(eventKinds),
  category: z.enum(categories),
  phase: z.enum(phases).optional(),
  severity: severityChoice.default("info"),
  visibility: z.enum(visibilities).optional(),
  summary: z.string().min(1),
  /** Columns that tell who did this; never the owner. */
  actor: z
    .strictObject({ id: columnName.optional(), name: columnName.optional(), address: columnName.optional() })
    .optional(),
});

const entitySchema = z.strictObject({
  when: conditions,
  kind: kindName,
  column: columnName,
  name: columnName.optional(),
});

/** How rows are found: by a serial id, by a time that each change moves, or by listing all of them. */
const orderSchema = z.discriminatedUnion("by", [
  z.strictObject({ by: z.literal("serial"), column: columnName }),
  z.strictObject({ by: z.literal("time"), columns: z.array(columnName).min(1) }),
  z.strictObject({ by: z.literal("listing") }),
]);

/** One table and what its rows mean. */
export const tableMappingSchema = z
  .strictObject({
    table: identifier,
    schema: identifier.optional(),
    key: z.array(columnName).min(1).max(8),
    order: orderSchema,
    /** Rows that may still change: remembered, and with `revisit` read again by key in each pass. */
    open: z
      .strictObject({ when: z.array(conditionSchema).min(1), revisit: z.boolean().default(true) })
      .optional(),
    /** When the row came to be, where the order is by a time that moves. */
    created: columnName.optional(),
    /** Rows that continue each other, e.g. measurements of one project: what held before is no news. */
    series: z.array(columnName).optional(),
    transitions: z.array(transitionSchema).min(1).max(40),
    /** What the row is about: the first that has an id. Without any, the row itself. */
    subject: z.array(entitySchema).default([]),
    /** What the row itself is called where it is about nothing else. */
    row_kind: kindName,
    /** True for the provider's own estate. */
    platform: z.boolean().default(false),
    related: z.array(entitySchema.extend({ role: kindName })).default([]),
    /** Columns that hold the id of the owner; the first that is not empty states it. */
    owner: z
      .array(z.strictObject({ kind: z.enum(["project", "domain"]), column: columnName, when: conditions }))
      .default([]),
    /** Columns that name an owner; names prove nothing, and are only handed on. */
    owner_names: z.strictObject({ project: columnName.optional(), domain: columnName }).optional(),
    visibility: z.enum(visibilities).default("operational"),
    /** Columns that are shown with each event. */
    details: z.array(columnName).default([]),
    /** Those of them that hold JSON. */
    json: z.array(columnName).default([]),
  })
  .refine((mapping) => mapping.json.every((name) => mapping.details.includes(name)), {
    error: "`json` may only name columns of `details`",
  })
  .refine(({ transitions }) => new Set(transitions.map(({ name }) => name)).size === transitions.length, {
    error: "two transitions have the same name",
  });

export type TableMapping = z.output<typeof tableMappingSchema>;
export type TableMappingInput = z.input<typeof tableMappingSchema>;
export type Transition = TableMapping["transitions"][number];

/** Every column that the mapping speaks of: exactly these are read, so that a grant on columns is enough. */
export function columnsOf(mapping: TableMapping): readonly string[] {
  const { order, owner_names: names } = mapping;
  const present = (name: string | undefined): readonly string[] => (name === undefined ? [] : [name]);
  return [
    ...new Set([
      ...mapping.key,
      ...(order.by === "serial" ? [order.column] : order.by === "time" ? order.columns : []),
      ...columnsOfConditions(mapping.open?.when ?? []),
      ...present(mapping.created),
      ...(mapping.series ?? []),
      ...mapping.transitions.flatMap((one) => [
        ...columnsOfConditions(one.when),
        ...present(one.of),
        ...present(one.stamp),
        ...one.at,
        ...(typeof one.severity === "object" ? [one.severity.column] : []),
        ...columnsOfTemplate(one.type),
        ...columnsOfTemplate(one.summary),
        ...present(one.actor?.id),
        ...present(one.actor?.name),
        ...present(one.actor?.address),
      ]),
      ...[...mapping.subject, ...mapping.related].flatMap((one) => [
        ...columnsOfConditions(one.when),
        one.column,
        ...present(one.name),
      ]),
      ...mapping.owner.flatMap((one) => [...columnsOfConditions(one.when), one.column]),
      ...present(names?.project),
      ...present(names?.domain),
      ...mapping.details,
    ]),
  ].toSorted();
}

/** The columns that date what its rows tell. */
export function timeColumnsOf({ created, transitions }: TableMapping): readonly string[] {
  const dating = transitions.flatMap(({ stamp, at }) => [...(stamp === undefined ? [] : [stamp]), ...at]);
  return [...new Set([...(created === undefined ? [] : [created]), ...dating])].toSorted();
}
