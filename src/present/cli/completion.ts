import type { Command, Option } from "commander";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/** What can be typed at one place in the command tree. */
interface Place {
  /** Names of the commands that lead here: empty at the top. */
  readonly path: readonly string[];
  readonly commands: readonly { readonly name: string; readonly says: string }[];
  readonly options: readonly Option[];
}

/** A completion script, made from the commands themselves so that it cannot fall behind them. */
export function completionScript(shell: Shell, program: Command): string {
  const places = placesOf(program, []);
  if (shell === "bash") return bashScript(places);
  return shell === "zsh" ? zshScript(places) : fishScript(places);
}

function placesOf(command: Command, path: readonly string[]): readonly Place[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command).filter((one) => one.name() !== "help");
  const here: Place = {
    path,
    commands: commands.map((one) => ({ name: one.name(), says: one.summary() })),
    options: help.visibleOptions(command),
  };
  return [here, ...commands.flatMap((one) => placesOf(one, [...path, one.name()]))];
}

function flagsOf(option: Option): readonly string[] {
  return [option.short, option.long].filter((flag) => flag !== undefined);
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

/** Single-quoted for a POSIX shell, zsh or fish alike. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "")}'`;
}

/** `case` arms that follow the words typed so far down the tree. */
function descent(places: readonly Place[]): readonly string[] {
  return places
    .filter((place) => place.path.length > 0)
    .map(
      ({ path }) =>
        `${quoted(`${path.slice(0, -1).join(" ")}>${path.at(-1)}`)}) place=${quoted(path.join(" "))} ;;`,
    );
}

function valueArms(
  places: readonly Place[],
  arm: (patterns: string, option: Option) => string,
): readonly string[] {
  return places.flatMap((place) =>
    place.options.filter(takesValue).map((option) =>
      arm(
        flagsOf(option)
          .map((flag) => quoted(`${place.path.join(" ")}>${flag}`))
          .join(" | "),
        option,
      ),
    ),
  );
}

function bashScript(places: readonly Place[]): string {
  const values = valueArms(places, (patterns, option) => {
    const words = quoted((option.argChoices ?? []).join(" "));
    return `    ${patterns}) COMPREPLY=($(compgen -W ${words} -- "$current")); return ;;`;
  });
  const words = places.map((place) => {
    const all = [...place.commands.map(({ name }) => name), ...place.options.flatMap(flagsOf)];
    return `    ${quoted(place.path.join(" "))}) words=${quoted(all.join(" "))} ;;`;
  });
  return `# Completion of isochron for bash: source <(isochron completion bash)
_isochron() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  local place='' words='' index
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "$place>\${COMP_WORDS[index]}" in
      ${descent(places).join("\n      ")}
    esac
  done
  case "$place>$previous" in
${values.join("\n")}
  esac
  case "$place" in
${words.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _isochron isochron
`;
}

function zshScript(places: readonly Place[]): string {
  const values = valueArms(places, (patterns, option) => {
    const choices = option.argChoices ?? [];
    const offer = choices.length === 0 ? "_files" : `compadd -- ${choices.map(quoted).join(" ")}`;
    return `    ${patterns}) ${offer}; return ;;`;
  });
  const described = (name: string, says: string) =>
    quoted(`${name.replaceAll(":", "\\:")}:${says.replaceAll(":", "\\:")}`);
  const words = places.map((place) => {
    const commands = place.commands.map(({ name, says }) => described(name, says));
    const options = place.options.flatMap((option) =>
      flagsOf(option).map((flag) => described(flag, option.description)),
    );
    return `    ${quoted(place.path.join(" "))}) offers=(${[...commands, ...options].join(" ")}) ;;`;
  });
  return `#compdef isochron
# Completion of isochron for zsh: source <(isochron completion zsh)
_isochron() {
  local place='' index
  local -a offers
  for ((index = 2; index < CURRENT; index++)); do
    case "$place>\${words[index]}" in
      ${descent(places).join("\n      ")}
    esac
  done
  case "$place>\${words[CURRENT - 1]}" in
${values.join("\n")}
  esac
  case "$place" in
${words.join("\n")}
  esac
  _describe 'isochron' offers || _files
}
compdef _isochron isochron
`;
}

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap((place) => {
    const seen = place.path.map((name) => `__fish_seen_subcommand_from ${name}`);
    const below = place.commands.map(({ name }) => name).join(" ");
    const none = below === "" ? [] : [`not __fish_seen_subcommand_from ${below}`];
    const commands = place.commands.map(
      ({ name, says }) =>
        `complete -c isochron -f -n ${quoted([...seen, ...none].join("; and "))} -a ${name} -d ${quoted(says)}`,
    );
    const when = seen.length === 0 ? none : seen;
    const options = place.options.map((option) => {
      const names = [
        option.short === undefined ? "" : ` -s ${option.short.slice(1)}`,
        option.long === undefined ? "" : ` -l ${option.long.slice(2)}`,
      ].join("");
      const choices = option.argChoices === undefined ? "" : ` -f -a ${quoted(option.argChoices.join(" "))}`;
      const value = takesValue(option) ? ` -r${choices}` : "";
      return `complete -c isochron -n ${quoted(when.join("; and "))}${names}${value} -d ${quoted(option.description)}`;
    });
    return [...commands, ...options];
  });
  return `# Completion of isochron for fish: isochron completion fish | source\n${lines.join("\n")}\n`;
}
