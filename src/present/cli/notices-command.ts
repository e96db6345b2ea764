import { InvalidArgumentError, type Command } from "commander";
import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { NoticeTemplateHistoryJson, NoticeTemplateJson } from "../api/tenancy-contract.ts";
import { exitCodes } from "./exit-code.ts";
import { read, type Reading } from "./reading.ts";
import type { Run } from "./run.ts";
import { addReadOptions, type ReadOptions } from "./shared-options.ts";
import type { Column, View } from "./view.ts";

interface DecisionOptions extends ReadOptions {
  readonly why: string;
  readonly expectedVersion?: number;
}

export function addNoticesCommand(program: Command, run: Run): void {
  const command = program
    .command("notices")
    .summary("what tenants are told of shared causes: list, show, edit, reset, preview")
    .description(
      "The texts of the notices that tenants get when a host, a storage backend or work on them affects their resources. A change holds for notices made from then on.",
    );
  addList(command, run);
  addShow(command, run);
  addEdit(command, run);
  addReset(command, run);
  addPreview(command, run);
}

function addList(parent: Command, run: Run): void {
  const command = parent
    .command("list")
    .summary("list the texts")
    .description("Lists every text as it stands.");
  addReadOptions(command)
    .addHelpText("after", "\nExamples:\n  $ isochron notices list\n  $ isochron notices list -o json")
    .action(
      run.action((_, options: ReadOptions) =>
        read(run.host, options, async ({ client, view }) => {
          const listed = await client.noticeTemplates();
          if (view.format === "json") await view.json(listed);
          else if (view.format === "ndjson") await view.ndjson(listed.templates);
          else await view.rows(templateColumns(), listed.templates);
          return exitCodes.ok;
        }),
      ),
    );
}

function addShow(parent: Command, run: Run): void {
  const command = parent
    .command("show")
    .summary("one text, and who changed it when and why")
    .description("Shows one text with all that was decided about it, latest first.")
    .argument("<name>", "the situation, as `notices list` shows it");
  addReadOptions(command, ["table", "json"])
    .addHelpText("after", "\nExamples:\n  $ isochron notices show host-failure")
    .action(
      run.action(([name], options: ReadOptions) =>
        read(run.host, options, async ({ client, view }) => {
          const template = await client.noticeTemplate(name ?? "");
          if (view.format === "json") await view.json(template);
          else await printTemplate(view, template);
          return exitCodes.ok;
        }),
      ),
    );
}

function addEdit(parent: Command, run: Run): void {
  const command = parent
    .command("edit")
    .summary("change a text")
    .description("Changes one text. Notices that were made before keep theirs.")
    .argument("<name>", "the situation, as `notices list` shows it")
    .requiredOption(
      "--text <text>",
      "the new text; {resources}, {count}, {part}, {when} and {what} are filled in",
    );
  addDecisionOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron notices edit host-failure --text "We are repairing {part}; {resources} may be away" --why "plainer"`,
    )
    .action(
      run.action(([name = ""], options: DecisionOptions & { readonly text: string }) =>
        read(run.host, options, async (reading) => {
          const expected_version = await versionOf(reading, name, options);
          const { text, why } = options;
          const template = await reading.client.changeTemplate(name, { text, expected_version, why });
          return printDecided(reading, template);
        }),
      ),
    );
}

function addReset(parent: Command, run: Run): void {
  const command = parent
    .command("reset")
    .summary("go back to the shipped text")
    .description("Puts the text that comes with the program in force again.")
    .argument("<name>", "the situation, as `notices list` shows it");
  addDecisionOptions(command)
    .addHelpText(
      "after",
      '\nExamples:\n  $ isochron notices reset host-failure --why "the old one was clearer"',
    )
    .action(
      run.action(([name = ""], options: DecisionOptions) =>
        read(run.host, options, async (reading) => {
          const expected_version = await versionOf(reading, name, options);
          const template = await reading.client.resetTemplate(name, { expected_version, why: options.why });
          return printDecided(reading, template, expected_version);
        }),
      ),
    );
}

function addPreview(parent: Command, run: Run): void {
  const command = parent
    .command("preview")
    .summary("see what a text would look like")
    .description("Fills a text in with made-up resources: one, several, many. Nothing is changed.")
    .argument("<text>", "the text");
  addReadOptions(command, ["table", "json"])
    .addHelpText("after", '\nExamples:\n  $ isochron notices preview "Trouble on {part} since {when}"')
    .action(
      run.action(([text], options: ReadOptions) =>
        read(run.host, options, async ({ client, view }) => {
          const preview = await client.previewTemplate(text ?? "");
          if (view.format === "json") await view.json(preview);
          else for (const sample of preview.samples) await view.line(sample);
          if (preview.problems.length === 0) return exitCodes.ok;
          const says = preview.problems.map((problem) => problem.says).join(" ");
          throw new IsochronError("template-invalid", says, "Correct it, and look again.");
        }),
      ),
    );
}

function addDecisionOptions(command: Command): Command {
  command
    .requiredOption("--why <reason>", "why, as the audit shall have it")
    .option(
      "--expected-version <number>",
      "refuse unless it stands at this version (as it stands now)",
      parseVersion,
    );
  return addReadOptions(command, ["table", "json"]);
}

/** 0 is the version of a text that was never changed. */
function parseVersion(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Write a whole number of 0 or more.");
}

async function versionOf(
  reading: Reading,
  name: string,
  { expectedVersion }: DecisionOptions,
): Promise<number> {
  return expectedVersion ?? (await reading.client.noticeTemplate(name)).version;
}

async function printDecided(
  { view }: Reading,
  template: NoticeTemplateJson,
  versionBefore?: number,
): Promise<number> {
  if (view.format === "json") await view.json(template);
  else await view.line(template.text);
  await view.note(
    template.version === versionBefore
      ? `Nothing was changed: the text for ${template.name} is the shipped one already.`
      : `${template.name} is at version ${template.version}; notices made from now on have this text, earlier ones keep theirs.`,
  );
  return exitCodes.ok;
}

function templateColumns(): readonly Column<NoticeTemplateJson>[] {
  return [
    { name: "name", title: "SITUATION", value: ({ name }) => name },
    {
      name: "version",
      title: "VERSION",
      value: ({ version }) => String(version),
      shown: ({ version, edited }) => (edited ? String(version) : "shipped"),
    },
    { name: "text", title: "TEXT", value: ({ text }) => text },
    { name: "situation", title: "WHEN", wide: true, value: ({ situation }) => situation },
    { name: "sample", title: "SAMPLE", wide: true, value: ({ sample }) => sample },
  ];
}

async function printTemplate(view: View, template: NoticeTemplateHistoryJson): Promise<void> {
  const fields: [string, string][] = [
    ["situation", `${template.name}: ${template.situation}`],
    ["text", template.text],
    ["sample", template.sample],
    ...(template.edited ? [["shipped", template.shipped_text] as [string, string]] : []),
  ];
  for (const [name, value] of fields) await view.line(`${name.padEnd(10)} ${value}`);
  for (const { version, at, by, why, text } of template.history) {
    const time = view.zone.rfc3339(instant(Date.parse(at)));
    await view.line(`${`version ${version}`.padEnd(10)} ${time} by ${by}: ${why}`);
    await view.line(`${" ".repeat(10)} ${text ?? "(the shipped text)"}`);
  }
}
