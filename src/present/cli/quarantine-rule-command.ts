import { Option, type Command } from "commander";
import { IsochronError } from "../../errors.ts";
import { formatInstant } from "../../model/instant.ts";
import type { DryRunJson, RulingAnswerJson, RulingMatchJson } from "../api/quarantine-contract.ts";
import { exitCodes } from "./exit-code.ts";
import { read, type Reading } from "./reading.ts";
import type { Run } from "./run.ts";
import { addReadOptions, parseResource, type ReadOptions } from "./shared-options.ts";
import type { View } from "./view.ts";

interface AnswerOptions extends ReadOptions {
  readonly tenant?: string;
  readonly domain?: string;
  readonly provider?: true;
  readonly why?: string;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly confirm?: true;
}

interface RuleOptions extends AnswerOptions {
  readonly type?: string;
  readonly connection?: string;
  readonly subject?: string;
  readonly alias?: string;
  readonly from?: string;
  readonly to?: string;
  readonly revise?: string;
}

/** What `--control-plane` is where nobody says it. */
const planeUsual = "default";

export function addRuleCommand(parent: Command, run: Run): void {
  const command = parent
    .command("rule")
    .summary("say whose waiting events are")
    .description(
      "Rules whose the waiting events are that match, now and later. First tells what that would do; --yes does it. Facts are never overruled.",
    )
    .optionsGroup("Which events:")
    .option("--type <type>", "of this type; a trailing * matches any ending")
    .option("--connection <name>", "from this connection")
    .option("--subject <kind:id>", "about this resource")
    .option("--alias <kind:id>", "that speak of it by this name, address or path, such as name:web-1")
    .option("--from <time>", "not before this moment")
    .option("--to <time>", "before this moment")
    .option("--revise <ruling>", "as a further version of this ruling");
  addAnswerOptions(command);
  addReadOptions(command, ["table", "json"])
    .addHelpText(
      "after",
      `
Examples:
  $ isochron quarantine rule --type 'alert.*' --connection zabbix --alias name:web-1 --tenant 6f3c9a1e --dry-run
  $ isochron quarantine rule --type 'alert.*' --connection zabbix --alias name:web-1 --tenant 6f3c9a1e --why "their VM" --yes
  $ isochron quarantine rule --type 'backup.*' --from 10:00 --to 11:00 --provider --why "our own drill" --yes`,
    )
    .action(
      run.action((_, options: RuleOptions) =>
        read(run.host, options, async (reading) => {
          const { type, connection, subject, alias } = options;
          const answer = answerOf(options);
          return decide(reading, options, answer, {
            ...planeOf(options, answer),
            ...(type === undefined ? {} : { type }),
            ...(connection === undefined ? {} : { connection }),
            ...(subject === undefined ? {} : { subject: refOf(subject) }),
            ...(alias === undefined ? {} : { alias: refOf(alias) }),
            ...(options.from === undefined
              ? {}
              : { from: formatInstant(await reading.readTime(options.from)) }),
            ...(options.to === undefined ? {} : { to: formatInstant(await reading.readTime(options.to)) }),
          });
        }),
      ),
    );
}

export function addAssignCommand(parent: Command, run: Run): void {
  const command = parent
    .command("assign")
    .summary("say whose one waiting event is")
    .description("Rules whose one event is. First tells what that would do; --yes does it.")
    .argument("<event>", "the event's id");
  addAnswerOptions(command);
  addReadOptions(command, ["table", "json"])
    .addHelpText(
      "after",
      `
Examples:
  $ isochron quarantine assign evt_mfzhi6lb5nq3v2ktw4xy7ucdoe --tenant 6f3c9a1e --why "their VM" --yes
  $ isochron quarantine assign evt_mfzhi6lb5nq3v2ktw4xy7ucdoe --provider --dry-run`,
    )
    .action(
      run.action(([id = ""], options: AnswerOptions) =>
        read(run.host, options, async (reading) => {
          const { attribution } = await reading.client.event(id);
          const plane = attribution.control_plane ?? options.controlPlane;
          return decide(reading, options, answerOf(options), { event_id: id, control_plane: plane });
        }),
      ),
    );
}

function addAnswerOptions(command: Command): void {
  command
    .optionsGroup("Whose they are:")
    .addOption(new Option("--tenant <project>", "this project's").conflicts(["domain", "provider"]))
    .addOption(new Option("--domain <id>", "this domain's").conflicts("provider"))
    .option("--provider", "the provider's own")
    .optionsGroup("Deciding:")
    .option("--why <text>", "why, for whoever asks later; tenants never see it")
    .option("--dry-run", "only tell what it would do")
    .option("--yes", "do it, when it still does what was told")
    .option("--confirm", "also where a second tenant would see events, or an owner would lose some");
}

function answerOf({ tenant, domain, provider }: AnswerOptions): RulingAnswerJson {
  if (tenant !== undefined) return { kind: "tenant", project_id: tenant };
  if (domain !== undefined) return { kind: "tenant", domain_id: domain };
  if (provider === true) return { kind: "provider" };
  throw new IsochronError(
    "usage",
    "It is not said whose the events are.",
    "Add --tenant PROJECT, --domain ID or --provider.",
  );
}

function planeOf({ controlPlane }: ReadOptions, { kind }: RulingAnswerJson): RulingMatchJson {
  return kind === "provider" && controlPlane === planeUsual ? {} : { control_plane: controlPlane };
}

function refOf(text: string): { kind: string; id: string } {
  const { kind, id } = parseResource(text);
  return { kind, id };
}

/** Tells what the ruling would do, and makes it where that was asked for. */
async function decide(
  { client, view }: Reading,
  options: AnswerOptions & Pick<RuleOptions, "revise">,
  answer: RulingAnswerJson,
  match: RulingMatchJson,
): Promise<number> {
  const { why, revise } = options;
  const told = await client.dryRun({ match, answer, ...(revise === undefined ? {} : { revises: revise }) });
  if (options.dryRun === true || options.yes !== true) await printDryRun(view, told);
  else await view.note(told.summary);
  if (options.dryRun === true) return exitCodes.ok;
  if (options.yes !== true) {
    throw new IsochronError(
      "usage",
      "Nothing was decided yet.",
      "Add --yes to decide it, or --dry-run to look only.",
    );
  }
  if (why === undefined || why.trim() === "") {
    throw new IsochronError(
      "usage",
      "It is not said why.",
      "Add --why TEXT: whoever asks later will read it.",
    );
  }
  const order = { match, answer, why, digest: told.digest, confirm: options.confirm === true };
  const ruling =
    revise === undefined
      ? await client.makeRuling(order)
      : await client.reviseRuling(revise, {
          ...order,
          expected_version: (await client.ruling(revise)).version,
        });
  if (view.format === "json") await view.json(ruling);
  else await view.line(ruling.id);
  await view.note(
    `Version ${ruling.version} is in force; \`isochron rulings ${ruling.id} --withdraw\` takes it back.`,
  );
  return exitCodes.ok;
}

async function printDryRun(view: View, told: DryRunJson): Promise<void> {
  if (view.format === "json") return view.json(told);
  await view.line(told.summary);
  for (const { events, says } of told.stay_because) await view.line(`  ${events} stay: ${says}`);
  for (const { event } of told.examples) await view.line(`  ${event.id}  ${event.summary}`);
}
