import { Argument, Option, type Command } from "commander";
import type { z } from "zod";
import { IsochronError } from "../../errors.ts";
import {
  incidentStates,
  measuredTimes,
  sectionAudiences,
  sectionNames,
  type IncidentState,
  type MeasuredTime,
  type SectionAudience,
  type SectionName,
} from "../../model/incident.ts";
import { formatInstant } from "../../model/instant.ts";
import { domainKey, projectKey } from "../../model/tenant.ts";
import type { changeRequestSchema } from "../api/incident-contract.ts";
import { exitCodes } from "./exit-code.ts";
import { printIncident, timeOf } from "./incident-text.ts";
import { read, type Reading } from "./reading.ts";
import type { Run } from "./run.ts";
import { addReadOptions, parseResource, type ReadOptions } from "./shared-options.ts";
import { parseDuration } from "./time-text.ts";

type Change = z.input<typeof changeRequestSchema>;
const id = "<incident>";
const ofIncident = "the incident's id";
const example = "inc_4f1c0b7e9a3d4b7f8a5e6c2d1b";

interface EntryOptions extends ReadOptions {
  readonly note?: string;
  readonly unpin?: true;
  readonly why?: string;
  readonly about?: string;
  readonly amendment?: SectionAudience;
  readonly at?: string;
  readonly thing?: string;
  readonly name?: string;
  readonly resource?: string;
  readonly drop?: true;
  readonly precision?: string;
  readonly clear?: true;
  readonly project?: readonly string[];
  readonly domain?: readonly string[];
}

/** What is written into an incident, one subcommand for each kind of entry. */
export function addIncidentEntries(parent: Command, run: Run): void {
  addPin(parent, run);
  addNote(parent, run);
  addDecide(parent, run);
  addThing(parent, run);
  addTime(parent, run);
  addSection(parent, run);
  addTell(parent, run);
  addState(parent, run);
}

/** Ends the command with its examples, and writes what `changesOf` makes of it. */
function finish(
  command: Command,
  run: Run,
  examples: readonly string[],
  changesOf: (
    reading: Reading,
    args: readonly string[],
    options: EntryOptions,
  ) => Promise<readonly Change[]> | readonly Change[],
): void {
  addReadOptions(command)
    .addHelpText(
      "after",
      `\nExamples:\n${examples.map((text) => `  $ isochron incident ${text}`).join("\n")}`,
    )
    .action(
      run.action(([incident = "", ...args], options: EntryOptions) =>
        read(run.host, options, async (reading) => {
          const changes = await changesOf(reading, args.flat(), options);
          return write(reading, incident, changes);
        }),
      ),
    );
}

/** Appended to what stands now: somebody else's entry in between is told as such. */
async function write(reading: Reading, incident: string, changes: readonly Change[]): Promise<number> {
  const { client, view } = reading;
  const answer = await client.incidents.find(incident);
  if (answer.kind === "edition")
    throw new IsochronError(
      "not-found",
      `There is no incident ${incident}.`,
      "See `isochron incident list`.",
    );
  const { version } = answer.incident;
  const after = await client.incidents.append(incident, { expected_version: version, changes: [...changes] });
  await printIncident(reading, after);
  await view.note(`Written, and at version ${after.version} now.`);
  return exitCodes.ok;
}

function addPin(parent: Command, run: Run): void {
  const command = parent
    .command("pin")
    .summary("pin events to an incident, or take pins off")
    .description("Pins events to an incident by their ids. With --unpin they are pinned no more.")
    .argument(id, ofIncident)
    .argument("<event...>", "ids of events")
    .option("--note <text>", "what they show")
    .option("--unpin", "take them off; say --why")
    .option("--why <text>", "with --unpin: why");
  const examples = [
    `pin ${example} evt_4f1c0b7e9a3d4b7f8a5e6c2d --note "the first failure"`,
    `pin ${example} evt_4f1c0b7e9a3d4b7f8a5e6c2d --unpin --why "another host"`,
  ];
  finish(command, run, examples, (_, events, { note, unpin, why }) =>
    events.map((event): Change => {
      if (unpin === true) return { kind: "unpin", event, why: needed("--why", why) };
      return { kind: "pin", event, ...(note === undefined ? {} : { note }) };
    }),
  );
}

function addNote(parent: Command, run: Run): void {
  const command = parent
    .command("note")
    .summary("write a note into an incident, or an amendment")
    .description(
      "Writes a note for the provider's own people. With --amendment it is an amendment of a published incident, for those named.",
    )
    .argument(id, ofIncident)
    .argument("<text>", "the text")
    .option("--about <time>", "the moment that it is about")
    .addOption(
      new Option("--amendment <audience>", "an amendment, for these readers").choices(sectionAudiences),
    );
  const examples = [
    `note ${example} "The third rack was not affected"`,
    `note ${example} "The disk was replaced" --amendment tenant`,
  ];
  finish(command, run, examples, async (reading, [text = ""], { about, amendment }) => {
    if (amendment !== undefined) return [{ kind: "amendment", text, audience: amendment }];
    const moment = await timeOf(reading, about);
    return [{ kind: "note", text, ...(moment === undefined ? {} : { about: moment }) }];
  });
}

function addDecide(parent: Command, run: Run): void {
  const command = parent
    .command("decide")
    .summary("write down what was decided")
    .description("Writes down a decision, with the moment at which it was taken.")
    .argument(id, ofIncident)
    .argument("<text>", "what was decided")
    .option("--at <time>", "when it was decided (now)")
    .option("--thing <thing>", "the measured thing that it was about");
  const examples = [
    `decide ${example} "Evacuate compute-7" --at "10:21"`,
    `decide ${example} "Roll the deployment back" --thing api`,
  ];
  finish(command, run, examples, async (reading, [text = ""], { at, thing }) => {
    const moment = (await timeOf(reading, at)) ?? formatInstant(reading.now);
    return [{ kind: "decision", text, decided_at: moment, ...(thing === undefined ? {} : { thing }) }];
  });
}

function addThing(parent: Command, run: Run): void {
  const command = parent
    .command("thing")
    .summary("name a thing whose times are measured")
    .description("Adds a measured thing: a service, a component, or a resource whose events tell its times.")
    .argument(id, ofIncident)
    .argument("<thing>", "its id in this incident, such as messaging")
    .option("--name <name>", "what it is called (its id)")
    .option("--resource <type/id>", "the resource that it is")
    .option("--drop", "measure it no more; say --why")
    .option("--why <text>", "with --drop: why");
  const examples = [
    `thing ${example} api --name "Compute API"`,
    `thing ${example} compute-7 --resource host/compute-7`,
  ];
  finish(command, run, examples, (_, [thing = ""], { name, resource, drop, why }) => {
    if (drop === true) return [{ kind: "drop-thing", thing, why: needed("--why", why) }];
    const named = resource === undefined ? undefined : parseResource(resource);
    const ref = named === undefined ? {} : { ref: { kind: named.kind, id: named.id } };
    return [{ kind: "thing", thing: { id: thing, name: name ?? thing, ...ref } }];
  });
}

function addTime(parent: Command, run: Run): void {
  const command = parent
    .command("time")
    .summary("set one of the four times of a thing, or take it back")
    .description(
      "Sets when a thing's trouble began, was noticed, was decided on or was over. What is set stands before what was inferred or imported; with --clear what was inferred shows again.",
    )
    .argument(id, ofIncident)
    .argument("<thing>", "the measured thing")
    .addArgument(new Argument("<time>", "which time").choices(measuredTimes))
    .argument("[at]", "the moment; with --clear none")
    .option(
      "--precision <length>",
      "how well it is known, such as 1m (as it is written: 10:14 to the minute)",
    )
    .option("--clear", "take back what was set or imported")
    .option("--why <text>", "how it is known, or why it is taken back");
  const examples = [
    `time ${example} api detection "10:14" --precision 1m --why "the first ticket"`,
    `time ${example} api detection --clear --why "that ticket was about another region"`,
  ];
  finish(command, run, examples, async (reading, [thing = "", time, at], { precision, clear, why }) => {
    const of = { thing, time: time as MeasuredTime, why: needed("--why", why) };
    if (clear === true) return [{ kind: "clear-time", ...of }];
    const moment = needed("a moment", await timeOf(reading, at));
    const precisionMs =
      precision === undefined ? precisionOf(at ?? "") : precision === "0s" ? 0 : parseDuration(precision);
    return [{ kind: "time", ...of, at: moment, precision_ms: precisionMs }];
  });
}

/** In milliseconds; a moment that is told without seconds is known to the minute. */
function precisionOf(written: string): number {
  const clock = /\d{1,2}:\d\d(:\d\d)?([.,]\d+)?/.exec(written);
  if (clock === null) return 0;
  const [, seconds, fraction] = clock;
  return seconds === undefined ? 60_000 : fraction === undefined ? 1_000 : 0;
}

function addSection(parent: Command, run: Run): void {
  const command = parent
    .command("section")
    .summary("write a text about the whole incident")
    .description(
      "Writes the summary, the impact, the cause or the actions, for the provider, for the tenants that are told, or for everybody. An empty text takes it away.",
    )
    .argument(id, ofIncident)
    .addArgument(new Argument("<section>", "which text").choices(sectionNames))
    .addArgument(new Argument("<audience>", "for whom").choices(sectionAudiences))
    .argument("<text>", "the text");
  finish(
    command,
    run,
    [`section ${example} summary public "Servers could not be built for 40 minutes."`],
    (_, [section, audience, text = ""]) => [
      { kind: "section", section: section as SectionName, audience: audience as SectionAudience, text },
    ],
  );
}

function addTell(parent: Command, run: Run): void {
  const command = parent
    .command("tell")
    .summary("say which tenants are told when it is published")
    .description(
      "Names the tenants that are given an edition of their own when it is published; all of them, each time.",
    )
    .argument(id, ofIncident)
    .option("--project <id...>", "these projects")
    .option("--domain <id...>", "these domains");
  const examples = [`tell ${example} --project 6f3c9a1e 0b7e4f1c`, `tell ${example}`];
  finish(command, run, examples, (_reading, _args, { project = [], domain = [], controlPlane }) => [
    {
      kind: "tell",
      tenants: [
        ...project.map((one) => projectKey(controlPlane, one)),
        ...domain.map((one) => domainKey(controlPlane, one)),
      ],
    },
  ]);
}

function addState(parent: Command, run: Run): void {
  const command = parent
    .command("state")
    .summary("review an incident, publish it, or take it back")
    .description(
      "A draft is reviewed, and what was reviewed is published: from then on it is frozen with a hash, its tenants are told, and later facts are amendments. Whatever is written after a review makes a draft of it again.",
    )
    .argument(id, ofIncident)
    .addArgument(new Argument("<state>", "the next state").choices(incidentStates));
  const examples = [`state ${example} reviewed`, `state ${example} published`];
  finish(command, run, examples, (_, [state]) => [{ kind: "state", state: state as IncidentState }]);
}

function needed(what: string, text: string | undefined): string {
  if (text !== undefined && text.trim() !== "") return text;
  throw new IsochronError("usage", `The command lacks ${what}.`, "See the examples that --help shows.");
}
