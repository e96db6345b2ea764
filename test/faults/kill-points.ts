/** A change of the program's text as it is loaded; `find` stands in `file` exactly once. */
export interface TextPatch {
  /** Path from the checkout's root. */
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

/** A named step of the program's work at which a fault can strike. */
export interface KillPoint {
  readonly name: string;
  readonly file: string;
  /** How the line begins beside which the step lies; one line of the file does. */
  readonly at: string;
  readonly where: "before" | "after";
  /** What has to go on for the step to be reached: a pass, one of more than five seconds, a request that posts records, or a
   * start over an empty database. */
  readonly during: "pass" | "renewal" | "post" | "open";
}

const lease = "src/pipeline/lease-keeper.ts";
const lanes = "src/pipeline/lanes.ts";
const ingest = "src/pipeline/ingest.ts";
const append = "src/store/postgres/append.ts";
const pools = "src/store/postgres/pools.ts";
const migrate = "src/store/postgres/migrate.ts";
const receive = "src/pipeline/receive.ts";

/**
 * The steps, in the order in which a pass takes them. They are text of the program, so that it needs no switch for
 * tests; whoever moves a statement moves its entry here, and `kill-points.test.ts` says so.
 */
export const killPoints: readonly KillPoint[] = [
  {
    name: "lease-taken",
    file: lease,
    at: "  const kept = keepLease(",
    where: "before",
    during: "pass",
  },
  {
    name: "before-renewal",
    file: lease,
    at: "      if (await store.renew(",
    where: "before",
    during: "renewal",
  },
  {
    name: "page-fetched",
    file: lanes,
    at: "  const page = await orAborted(source.fetch(",
    where: "after",
    during: "pass",
  },
  {
    name: "records-normalised",
    file: ingest,
    at: "  const read = readRecords(stages, batch);",
    where: "after",
    during: "pass",
  },
  {
    name: "before-append",
    file: ingest,
    at: "    appended = await store.append(page);",
    where: "before",
    during: "pass",
  },
  {
    name: "connection-held",
    file: append,
    at: "  const { source } = held;",
    where: "after",
    during: "pass",
  },
  {
    name: "events-written",
    file: append,
    at: "  await writeEvents(client, tools.noticeSecret, plan.events.values());",
    where: "after",
    during: "pass",
  },
  {
    name: "deliveries-written",
    file: append,
    at: "  await writeDeliveries(client, page.connection, plan.deliveries);",
    where: "after",
    during: "pass",
  },
  {
    name: "cursor-moved",
    file: append,
    at: "  await advance(client, ",
    where: "after",
    during: "pass",
  },
  {
    name: "transaction-begun",
    file: pools,
    at: "    const result = await action(client);",
    where: "before",
    during: "pass",
  },
  {
    name: "before-commit",
    file: pools,
    at: '    await end("COMMIT");',
    where: "before",
    during: "pass",
  },
  {
    name: "after-commit",
    file: pools,
    at: '    await end("COMMIT");',
    where: "after",
    during: "pass",
  },
  {
    name: "page-stored",
    file: ingest,
    at: "    appended = await store.append(page);",
    where: "after",
    during: "pass",
  },
  {
    name: "before-release",
    file: lease,
    at: "    kept.stop();",
    where: "after",
    during: "pass",
  },
  {
    name: "post-split",
    file: receive,
    at: "    const records = source.split({ ...request, body }, stages.decoders, settings);",
    where: "after",
    during: "post",
  },
  {
    name: "post-stored",
    file: receive,
    at: "  const stored = await storeRequest(",
    where: "after",
    during: "post",
  },
  {
    name: "roles-made",
    file: "src/store/postgres/open.ts",
    at: "    await ensureRoles(admin, target.adminPassword);",
    where: "after",
    during: "open",
  },
  {
    name: "migration-run",
    file: migrate,
    at: "    await admin.query(migration.sql);",
    where: "after",
    during: "open",
  },
  {
    name: "migration-committed",
    file: migrate,
    at: '    await admin.query("COMMIT");',
    where: "after",
    during: "open",
  },
];

/** A way to be wrong; each must turn the run red, else the run proves nothing. */
export interface Mutant {
  readonly says: string;
  /** The kinds of fault that have to notice. */
  readonly kinds: readonly string[];
  readonly patches: readonly TextPatch[];
}

export const mutants: Readonly<Record<string, Mutant>> = {
  "ack-first": {
    says: "a post is answered before what it brought is stored",
    kinds: ["kill-at-step"],
    patches: [
      {
        file: receive,
        find: "  const stored = await storeRequest(stages, source, connection, request, { settings, takeBytes });",
        put: `  const storing = storeRequest(stages, source, connection, request, { settings, takeBytes });
  storing.catch(() => undefined);
  const stored = { records: 1, created: 1, folded: 0, repeated: 0, revised: 0, setAside: 0, factsOnly: 0 };
  await Promise.resolve(storing === undefined);`,
      },
    ],
  },
  "cursor-first": {
    says: "the cursor is committed before the events",
    kinds: ["kill-at-frame"],
    patches: [
      {
        file: append,
        find: "      const checked = page;",
        put: `      const checked = page;
      if (page.cursor !== undefined) {
        await tools.pools.transact("ingest", "write", (client) =>
          client.query(
            \`INSERT INTO isochron.connection_cursor (connection, stream, value) VALUES ($1, $2, $3)
             ON CONFLICT (connection, stream) DO UPDATE SET value = excluded.value\`,
            [page.connection, page.lane ?? page.stream, JSON.stringify(page.cursor)],
          ),
        );
      }`,
      },
    ],
  },
  "random-id": {
    says: "an event's id is new each time that its record is read",
    kinds: ["kill-at-step"],
    patches: [
      {
        file: "src/store/postgres/append-plan.ts",
        find: "    const id = eventId(this.#identity.connection, this.#identity.stream, key);",
        put: `    const id = eventId(this.#identity.connection, this.#identity.stream, key + String(Math.random()));
    this.#byRecord.clear();`,
      },
    ],
  },
  "no-fence": {
    says: "whoever lost the lease may still write",
    kinds: ["two-workers-one-lease"],
    patches: [
      {
        file: "src/store/postgres/connections.ts",
        find: "  if (page.epoch !== undefined && row.epoch !== page.epoch) {",
        put: "  if (page.epoch !== undefined && row.epoch < 0) {",
      },
    ],
  },
};

/** The statement that tells the preloaded hook where the program is. */
export function markOf(point: Pick<KillPoint, "name">): string {
  return `globalThis.faultPoint(${JSON.stringify(point.name)});`;
}

/**
 * The text with marks at all steps of the file, and with the mutant's changes. Throws where a change has no place, or
 * more than one; a step without its place is left out, which a run shows as a step that was never reached.
 */
export function patchText(file: string, text: string, mutant?: Mutant): string {
  let patched = text;
  for (const patch of mutant?.patches ?? []) {
    if (patch.file === file) patched = replaceOnce(patched, patch.find, patch.put, file);
  }
  for (const point of killPoints) {
    if (point.file === file) patched = markStep(patched, point);
  }
  return patched;
}

function markStep(text: string, point: KillPoint): string {
  const lines = text.split("\n");
  const found = lines.flatMap((line, index) => (line.startsWith(point.at) ? [index] : []));
  const [only] = found;
  if (only === undefined || found.length > 1) return text;
  return lines.toSpliced(point.where === "before" ? only : only + 1, 0, markOf(point)).join("\n");
}

export function patchedFiles(mutant?: Mutant): ReadonlySet<string> {
  return new Set([...killPoints.map(({ file }) => file), ...(mutant?.patches ?? []).map(({ file }) => file)]);
}

function replaceOnce(text: string, find: string, put: string, file: string): string {
  const parts = text.split(find);
  if (parts.length !== 2) {
    throw new Error(`${file} holds ${parts.length - 1} times, instead of once:\n${find}`);
  }
  return parts.join(put);
}
