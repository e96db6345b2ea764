import type { Command } from "commander";
import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { AuditEntryJson } from "../api/audit-contract.ts";
import type { AuditVerdict, Host, Opened } from "./application.ts";
import { exitCodes } from "./exit-code.ts";
import { parseCount } from "./parse-count.ts";
import { read, type Reading } from "./reading.ts";
import type { Run } from "./run.ts";
import {
  addPrintOptions,
  addReadOptions,
  addStoreOptions,
  createView,
  flagsOf,
  type PrintOptions,
  type ReadOptions,
  type StoreOptions,
} from "./shared-options.ts";
import type { Column, View } from "./view.ts";

interface ListOptions extends ReadOptions {
  readonly action?: string;
  readonly actor?: string;
  readonly object?: string;
  readonly from?: string;
  readonly to?: string;
  readonly before?: number;
  readonly limit: number;
}

interface VerifyOptions extends StoreOptions, PrintOptions {
  readonly head?: string;
}

/** The audit trail: who did what, and the proof that nobody changed it since. */
export function addAuditCommand(program: Command, run: Run): void {
  const command = program
    .command("audit")
    .summary("who did what: list, show, head, verify, export")
    .description(
      "Reads the audit trail, takes it out as a file, and verifies it: in the store, or offline in a file.",
    );
  addList(command, run);
  addShow(command, run);
  addHead(command, run);
  addVerify(command, run);
  addExport(command, run);
}

function addList(parent: Command, run: Run): void {
  const command = parent
    .command("list")
    .summary("list entries, the latest first")
    .description("Lists the entries that all the conditions hold for, the latest first.")
    .option("--action <action>", "what was done, such as sign-in or token")
    .option("--actor <id>", "the id or the name of who did it")
    .option("--object <object>", "what it was done to, such as token:tok_1")
    .option("--from <time>", "not before this time")
    .option("--to <time>", "before this time")
    .option("--before <entry>", "those before the entry of this number", parseCount)
    .option("--limit <count>", "so many at most, of 500", parseCount, 100);
  addReadOptions(command)
    .addHelpText(
      "after",
      "\nExamples:\n  $ isochron audit list --action break-glass\n  $ isochron audit list --from -2d -o ndjson",
    )
    .action(
      run.action((_, options: ListOptions) => read(run.host, options, (reading) => list(reading, options))),
    );
}

async function list({ client, view, readTime }: Reading, options: ListOptions): Promise<number> {
  const time = async (text: string | undefined) =>
    text === undefined ? undefined : new Date(await readTime(text)).toISOString();
  const page = await client.audit({
    action: options.action,
    actor: options.actor,
    object: options.object,
    from: await time(options.from),
    to: await time(options.to),
    before: options.before,
    limit: options.limit,
  });
  if (view.format === "json") await view.json(page);
  else if (view.format === "ndjson") await view.ndjson(page.entries);
  else await view.rows(columns(view), page.entries);
  if (page.next_before !== null) await view.note(`There are more: add --before ${page.next_before}.`);
  return exitCodes.ok;
}

function addShow(parent: Command, run: Run): void {
  const command = parent
    .command("show")
    .summary("show one entry with all that it holds")
    .argument("<entry>", "the entry's number");
  addReadOptions(command, ["table", "json"])
    .addHelpText("after", "\nExamples:\n  $ isochron audit show 17")
    .action(
      run.action(([entry], options: ReadOptions) =>
        read(run.host, options, async ({ client, view }) => {
          await view.json(await client.auditEntry(entry ?? ""));
          return exitCodes.ok;
        }),
      ),
    );
}

function addHead(parent: Command, run: Run): void {
  const command = parent
    .command("head")
    .summary("print where the trail stands, signed")
    .description(
      "Prints one line that says where the trail stands, signed. Keep it where nobody who can write to the store can: against it a later `audit verify --head` finds a trail whose end was cut off, or that was written anew.",
    );
  addReadOptions(command, ["json"])
    .addHelpText("after", "\nExamples:\n  $ isochron audit head >> /mnt/elsewhere/audit-heads.ndjson")
    .action(
      run.action((_, options: ReadOptions) =>
        read(run.host, options, async ({ client, view }) => {
          await view.ndjson([await client.auditHead()]);
          return exitCodes.ok;
        }),
      ),
    );
}

function addVerify(parent: Command, run: Run): void {
  const command = parent
    .command("verify")
    .summary("find out whether anybody changed the trail")
    .description(
      "Verifies the trail in the store, or offline in a file that `audit export` wrote. Names the first place where something is wrong, and then exits 6. With a head that was kept elsewhere, the last line of its file counts, and its key alone is trusted.",
    )
    .argument("[file]", "an export; the store where none is named")
    .option("--head <file>", "a head that was kept elsewhere");
  addPrintOptions(command, ["table", "json"]);
  addStoreOptions(command)
    .addHelpText(
      "after",
      "\nExamples:\n  $ isochron audit verify\n  $ isochron audit verify audit.ndjson --head audit-heads.ndjson",
    )
    .action(
      run.action(async ([file], options: VerifyOptions) => {
        const { host } = run;
        if (file !== undefined) {
          const view = createView(host, options, undefined);
          return tell(view, await host.verifyAuditFile(file, options.head), options.head !== undefined);
        }
        return withStore(host, options, async (view, opened) =>
          tell(view, await opened.audit.verify(options.head), true),
        );
      }),
    );
}

async function tell(view: View, verdict: AuditVerdict, isPinned: boolean): Promise<number> {
  if (view.format === "json") await view.json(verdict);
  if (!verdict.ok) {
    const place = verdict.sequence === 0 ? "at its beginning" : `at entry ${verdict.sequence}`;
    if (view.format !== "json")
      await view.line(`The audit trail is not as it was written, ${place}: ${verdict.what}. ${verdict.says}`);
    return exitCodes.tampered;
  }
  const erased =
    verdict.erased === 0 ? "" : `, ${verdict.erased} of them with people erased, as entries tell`;
  if (view.format !== "json")
    await view.line(`The audit trail is as it was written: ${verdict.entries} entries${erased}.`);
  if (!isPinned) {
    await view.note(
      "The file itself says which key it is signed with: add --head FILE to hold it against a head that was kept elsewhere.",
    );
  }
  return exitCodes.ok;
}

function addExport(parent: Command, run: Run): void {
  const command = parent
    .command("export")
    .summary("write the trail to standard output, to be verified offline")
    .description(
      "Writes the whole trail as NDJSON: a first line with the keys, the entries, and the signed head. That it was exported is an entry too.",
    );
  addPrintOptions(command, ["ndjson"]);
  addStoreOptions(command)
    .addHelpText("after", "\nExamples:\n  $ isochron audit export > audit.ndjson")
    .action(
      run.action((_, options: StoreOptions & PrintOptions) =>
        withStore(run.host, options, async (_view, { audit }) => {
          for await (const line of audit.exportLines()) await run.host.stdout.write(line);
          return exitCodes.ok;
        }),
      ),
    );
}

async function withStore(
  host: Host,
  options: StoreOptions & PrintOptions,
  act: (view: View, opened: Opened) => Promise<number>,
): Promise<number> {
  const setup = host.configure({ flags: flagsOf(options), service: false });
  const view = createView(host, options, setup.settings.timeZone);
  if (
    setup.settings.server !== undefined &&
    options.data === undefined &&
    options.databaseUrl === undefined
  ) {
    throw new IsochronError(
      "usage",
      "A server does not hand out the whole trail.",
      "Run it beside the store, with --data or --database-url.",
    );
  }
  const opened = await setup.open();
  try {
    return await act(view, opened);
  } finally {
    await opened.close();
  }
}

function columns(view: View): readonly Column<AuditEntryJson>[] {
  return [
    { name: "sequence", title: "ENTRY", value: ({ sequence }) => String(sequence) },
    {
      name: "at",
      title: "TIME",
      value: ({ at }) => at,
      shown: ({ at }) => view.zone.rfc3339(instant(Date.parse(at))),
    },
    { name: "action", title: "ACTION", value: ({ action }) => action },
    {
      name: "outcome",
      title: "OUTCOME",
      value: ({ outcome }) => outcome,
      style: ({ outcome }) => (outcome === "refused" ? "yellow" : undefined),
    },
    {
      name: "actor",
      title: "WHO",
      value: ({ actor, erased }) => actor.name ?? actor.id ?? (erased ? "(erased)" : ""),
    },
    { name: "actor_id", value: ({ actor }) => actor.id ?? "" },
    { name: "address", title: "FROM", wide: true, value: ({ actor }) => actor.address ?? "" },
    { name: "object", title: "OBJECT", value: ({ object }) => object },
    { name: "count", title: "TIMES", value: ({ count }) => String(count) },
    { name: "why", title: "WHY", value: ({ why }) => why ?? "" },
  ];
}
