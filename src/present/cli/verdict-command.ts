import { Argument, type Command } from "commander";
import { IsochronError } from "../../errors.ts";
import { verdictWords, type TuningJson, type VerdictJson } from "../api/verdict-contract.ts";
import { exitCodes } from "./exit-code.ts";
import { read, type Reading } from "./reading.ts";
import type { Run } from "./run.ts";
import { addReadOptions, type ReadOptions } from "./shared-options.ts";
import type { Column } from "./view.ts";

interface VerdictOptions extends ReadOptions {
  readonly why?: string;
}

const takenBack = "none";

export function addVerdictCommand(program: Command, run: Run): void {
  const command = program
    .command("verdict")
    .summary("say whether a change had to do with a symptom")
    .description(
      "Keeps what you make of a change that lay before a symptom: the ranking shows it from then on, and tune learns from it. With a symptom alone, lists what was said.",
    )
    .argument("<symptom>", "the event that you looked back from")
    .argument("[change]", "the event that lay before it")
    .addArgument(new Argument("[verdict]", "what it had to do with it").choices([...verdictWords, takenBack]))
    .option("--why <text>", "how you know");
  addReadOptions(command, ["table", "wide", "json", "ndjson", "csv", "md"])
    .addHelpText(
      "after",
      `
Examples:
  $ isochron verdict evt_mfzhi6lb5nq3v2ktw4xy7ucdoe evt_7ucdoemfzhi6lb5nq3v2ktw4xy confirmed --why "undone, and all was well"
  $ isochron verdict evt_mfzhi6lb5nq3v2ktw4xy7ucdoe evt_7ucdoemfzhi6lb5nq3v2ktw4xy none --why "another one"
  $ isochron verdict evt_mfzhi6lb5nq3v2ktw4xy7ucdoe`,
    )
    .action(
      run.action(([symptom = "", candidate, verdict], options: VerdictOptions) =>
        read(run.host, options, (reading) =>
          candidate === undefined
            ? list(reading, symptom)
            : give(reading, { symptom, candidate, verdict, why: options.why }),
        ),
      ),
    );
}

async function list({ client, view }: Reading, symptom: string): Promise<number> {
  const listed = await client.verdicts({ symptom });
  if (view.format === "json") await view.json(listed);
  else if (view.format === "ndjson") await view.ndjson(listed.verdicts);
  else await view.rows(verdictColumns, listed.verdicts);
  return exitCodes.ok;
}

const verdictColumns: readonly Column<VerdictJson>[] = [
  { name: "at", title: "WHEN", value: ({ at }) => at },
  { name: "candidate", title: "CHANGE", value: ({ candidate }) => candidate },
  { name: "verdict", title: "VERDICT", value: ({ verdict }) => verdict ?? takenBack },
  { name: "by", title: "BY", value: ({ by }) => by },
  { name: "why", title: "WHY", value: ({ why }) => why },
];

async function give(
  { client, view }: Reading,
  given: {
    readonly symptom: string;
    readonly candidate: string;
    readonly verdict: string | undefined;
    readonly why: string | undefined;
  },
): Promise<number> {
  const { symptom, candidate, why } = given;
  const verdict = verdictWords.find((word) => word === given.verdict) ?? null;
  if (given.verdict === undefined || why === undefined || why.trim() === "")
    throw new IsochronError("usage", "A verdict or its reason is missing.", "Give a verdict and --why.");
  const kept = await client.giveVerdict({ symptom, candidate, verdict, why });
  if (view.format === "json" || view.format === "ndjson") await view.json(kept);
  else await view.note(`Kept: ${candidate} is ${verdict ?? "no longer judged"}.`);
  return exitCodes.ok;
}

export function addTuneCommand(program: Command, run: Run): void {
  const command = program
    .command("tune")
    .summary("what verdicts would make of the ranking's weights")
    .description(
      "Fits the weights of the ranking to what people confirmed and ruled out, by regularised logistic regression, and says how well both would have done on symptoms that were not fitted to. Changes nothing.",
    );
  addReadOptions(command, ["table", "wide", "json", "csv", "md"])
    .addHelpText(
      "after",
      `
Examples:
  $ isochron tune
  $ isochron tune -o json | jq '.fit.factors'`,
    )
    .action(run.action((_, options: ReadOptions) => read(run.host, options, tell)));
}

async function tell({ client, view }: Reading): Promise<number> {
  const tuning = await client.tuning();
  if (view.format === "json") {
    await view.json(tuning);
    return exitCodes.ok;
  }
  const { fit, labels, needed } = tuning;
  if (fit !== undefined) await view.rows(factorColumns, fit.factors);
  await view.note(
    `${labels.confirmed} confirmed, ${labels.ruled_out} ruled out, ${labels.suspected} suspected (not fitted to).`,
  );
  await view.note(
    fit === undefined
      ? `Nothing is fitted: it takes ${needed} confirmed and ruled-out ones together, of both kinds and of several symptoms.`
      : fitText(fit),
  );
  return exitCodes.ok;
}

type Fit = NonNullable<TuningJson["fit"]>;

const factorColumns: readonly Column<Fit["factors"][number]>[] = [
  { name: "addend", title: "ADDEND", value: ({ addend }) => addend },
  { name: "factor", title: "FACTOR", value: ({ factor }) => factor.toFixed(3) },
  { name: "error", title: "± ", value: ({ error }) => error.toFixed(3) },
];

function fitText({ symptoms, folds, penalty, shipped, fitted }: Fit): string {
  const figures = ({ log_loss: loss, auc, calibration_error: gap }: Fit["shipped"]) =>
    `log loss ${loss.toFixed(3)}, AUC ${auc.toFixed(3)}, calibration error ${gap.toFixed(3)}`;
  return [
    `Over ${folds} folds of ${symptoms} symptoms, with penalty ${penalty}:`,
    `as shipped ${figures(shipped)}`,
    `fitted     ${figures(fitted)}`,
  ].join("\n");
}
