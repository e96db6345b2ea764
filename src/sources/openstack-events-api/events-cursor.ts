import { z } from "zod";

const milliseconds = z.number().int();

/** An event by its id and time, in milliseconds since the epoch. */
const eventMark = z.tuple([z.string(), milliseconds]);

/** How far the events of one stack were read. */
const stackPlace = z.object({
  name: z.string(),
  /** Status and times as the listing gave them when the events were read last; empty where that failed. */
  stamp: z.string(),
  /** The signpost: an event older than the overlap and never the newest, after which the next reading begins. */
  after: z.string().nullable(),
  /** The newest event that was read: every reading finds it again, or Heat has pruned it. */
  last: eventMark.nullable(),
  /** When the pass began that read it last; null where none has yet. */
  readAt: milliseconds.nullable(),
  /** 1 where the last complete listing lacked the stack. */
  missed: z.union([z.literal(0), z.literal(1)]),
});
export type StackPlace = z.infer<typeof stackPlace>;

/** The reading of one stack's events that is not over. */
const openReading = z.object({
  stack: z.string(),
  next: z.string().nullable(),
  pages: z.number().int(),
  first: eventMark.nullable(),
  /** Whether the stack's first event is the one that began it. */
  whole: z.boolean(),
  foundLast: z.boolean(),
  signpost: z.string().nullable(),
  newest: eventMark.nullable(),
});
export type OpenReading = z.infer<typeof openReading>;

/** What is remembered of one object of Octavia's. */
export const objectState = z.object({
  provisioning: z.string(),
  operating: z.string(),
  updated: z.string(),
  /** True after a symptom was told, until it is over. */
  ill: z.boolean(),
  name: z.string().nullable(),
  project_id: z.string().nullable(),
  balancer: z.string().nullable(),
});
export type ObjectState = z.infer<typeof objectState>;

const objectPlace = z.object({
  /** When the last complete reading began. */
  seenAt: milliseconds,
  known: z.record(z.string(), objectState),
  /** Of what the last reading lacked: when it was listed last, and when it was missing first. */
  missing: z.record(z.string(), z.tuple([milliseconds, milliseconds])),
});
export type ObjectPlace = z.infer<typeof objectPlace>;

const openPass = z.object({
  startedAt: milliseconds,
  /** Whether the events of every stack are asked for, and facts told again. */
  full: z.boolean(),
  todo: z.array(z.string()),
  read: z.array(z.string()),
  failed: z.array(z.string()),
  /** The place in the listing under way; null at its beginning. */
  next: z.string().nullable(),
  pages: z.number().int(),
  /** When the first request of that listing left; null at its beginning. */
  seenAt: milliseconds.nullable(),
  /** Whether Heat lists the stacks of all projects to us; null until it was asked. */
  global: z.boolean().nullable(),
  /** Stacks of the page under way that are done. */
  handled: z.array(z.string()),
  /** Stacks that the pass listed, as far as they are remembered. */
  listed: z.array(z.string()),
  /** Stacks whose events could not be read in this pass, and how many of the last ones in a row. */
  unread: z.number().int(),
  inARow: z.number().int(),
  open: openReading.nullable(),
  /** What the listing of objects under way has given so far. */
  known: z.record(z.string(), objectState),
  /** Pools of this pass with their load balancers, under which members are listed. */
  pools: z.array(z.tuple([z.string(), z.string()])),
});
export type OpenPass = z.infer<typeof openPass>;

export const eventsApiCursor = z.object({
  /** Events of stacks from before this are not told; null before the first pass. */
  since: milliseconds.nullable(),
  /** True where the past is read again: then only of stacks, because only they keep theirs. */
  again: z.boolean(),
  /** When the last pass that read all stacks had begun, and the last in which every stack's events were asked for. */
  stacksReadAt: milliseconds.nullable(),
  fullAt: milliseconds.nullable(),
  stacks: z.record(z.string(), stackPlace),
  objects: z.record(z.string(), objectPlace),
  pass: openPass.nullable(),
});
export type EventsApiCursor = z.infer<typeof eventsApiCursor>;
