/** What the terminal and its user prefer, beside our own settings. */
export interface TerminalPreferences {
  readonly colour: boolean;
  readonly utf8: boolean;
}

/** Reads https://no-color.org and the locale; without a locale the terminal is taken to know ASCII only. */
export function readTerminal(env: NodeJS.ProcessEnv = process.env): TerminalPreferences {
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  return {
    colour: (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb",
    utf8: /utf-?8/i.test(locale),
  };
}
