import { Argument, Command } from "commander";
import type { Host } from "./application.ts";
import { completionScript, shells, type Shell } from "./completion.ts";
import { addAlertsCommand } from "./alerts-command.ts";
import { addAuditCommand } from "./audit-command.ts";
import { addBlastCommand } from "./blast-command.ts";
import { addOperationCommand } from "./operation-command.ts";
import { addCompareCommand } from "./compare-command.ts";
import { addElseCommand } from "./else-command.ts";
import { addEraseCommand } from "./erase-command.ts";
import { addEventsCommand } from "./events-command.ts";
import { exitCodeHelp, exitCodes } from "./exit-code.ts";
import { addExportCommand } from "./export-command.ts";
import { addHarvestCommand } from "./harvest-command.ts";
import { addHoldsCommand } from "./holds-command.ts";
import { addIncidentCommand } from "./incident-command.ts";
import { addImportCommand } from "./import-command.ts";
import { addMaintenanceCommand } from "./maintenance-command.ts";
import { addNotifyCommand } from "./notify-command.ts";
import { addNoticesCommand } from "./notices-command.ts";
import { addQuarantineCommand } from "./quarantine-command.ts";
import { addReconcileCommand } from "./reconcile-command.ts";
import { addResourceCommand } from "./resource-command.ts";
import { addRulingsCommand } from "./rulings-command.ts";
import { Run } from "./run.ts";
import { addDemoCommand, addServeCommand } from "./serve-commands.ts";
import { addShowCommand } from "./show-command.ts";
import { addSourcesCommand } from "./sources-command.ts";
import { addTenantsCommand } from "./tenants-command.ts";
import { addTokenCommand } from "./token-command.ts";
import { addDoctorCommand, addMigrateCommand } from "./upkeep-commands.ts";
import { addTuneCommand, addVerdictCommand } from "./verdict-command.ts";
import { addWhyCommand } from "./why-command.ts";

/** Runs one command line (without the program's own name) and gives its exit code. */
export async function runCommandLine(args: readonly string[], host: Host): Promise<number> {
  const run = new Run(host);
  const said: Promise<void>[] = [];
  const program = createProgram(run);
  eachCommand(program, (command) => {
    command.exitOverride().configureOutput({
      writeOut: (text) => void said.push(host.stdout.write(text)),
      writeErr: (text) => void said.push(host.stderr.write(text)),
      getOutHelpWidth: () => host.stdout.columns ?? 100,
      getErrHelpWidth: () => host.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return run.code;
  } catch (error) {
    return await run.fail(error);
  } finally {
    await Promise.all(said);
  }
}

/** The tree of commands. */
export function createProgram(run: Run): Command {
  const program = new Command("isochron")
    .description("What else changed around the same time, whose is it, and how do we know?")
    .version(run.host.version, "-V, --version", "print the version")
    .showSuggestionAfterError(true)
    .showHelpAfterError("(add --help for the options and examples)")
    .addHelpText(
      "after",
      `
Examples:
  $ isochron demo
  $ isochron import --source openstack-notifications notifications.jsonl.gz
  $ isochron events --since 2h --severity warning
  $ isochron else "10:06"

${exitCodeHelp}`,
    );
  program.commandsGroup("Run:");
  addServeCommand(program, run);
  addDemoCommand(program, run);
  program.commandsGroup("Take in:");
  addImportCommand(program, run);
  addHarvestCommand(program, run);
  program.commandsGroup("Ask:");
  addEventsCommand(program, run);
  addElseCommand(program, run);
  addBlastCommand(program, run);
  addOperationCommand(program, run);
  addCompareCommand(program, run);
  addVerdictCommand(program, run);
  addAlertsCommand(program, run);
  addShowCommand(program, run);
  addWhyCommand(program, run);
  addResourceCommand(program, run);
  addIncidentCommand(program, run);
  program.commandsGroup("Look after:");
  addSourcesCommand(program, run);
  addReconcileCommand(program, run);
  addQuarantineCommand(program, run);
  addRulingsCommand(program, run);
  addTenantsCommand(program, run);
  addMaintenanceCommand(program, run);
  addNoticesCommand(program, run);
  addNotifyCommand(program, run);
  addTokenCommand(program, run);
  addExportCommand(program, run);
  addHoldsCommand(program, run);
  addEraseCommand(program, run);
  addAuditCommand(program, run);
  addTuneCommand(program, run);
  addMigrateCommand(program, run);
  addDoctorCommand(program, run);
  addCompletionCommand(program, run);
  return program;
}

function addCompletionCommand(program: Command, run: Run): void {
  program
    .command("completion")
    .summary("print a completion script for your shell")
    .description("Prints a script that completes commands, options and their values.")
    .addArgument(new Argument("<shell>", "your shell").choices(shells))
    .addHelpText(
      "after",
      `
Examples:
  $ source <(isochron completion bash)
  $ isochron completion zsh > "\${fpath[1]}/_isochron"
  $ isochron completion fish > ~/.config/fish/completions/isochron.fish`,
    )
    .action(
      run.action(async ([shell]) => {
        await run.host.stdout.write(completionScript(shell as Shell, program));
        return exitCodes.ok;
      }),
    );
}

function eachCommand(command: Command, act: (command: Command) => void): void {
  act(command);
  for (const inner of command.commands) eachCommand(inner, act);
}
