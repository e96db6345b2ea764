import { createHmac } from "node:crypto";
import type { Config } from "./config.ts";
import { settings } from "./config-settings.ts";
import type { Json } from "./model/json.ts";
import { secretReferencePattern } from "./model/secret-reference.ts";

/** Each setting in force, by its path, with secrets hidden: `connections.nova.interval_seconds` → `60`. */
export type EffectiveSettings = Readonly<Record<string, string>>;

/** A setting that is not what it was; absent where there was or is none. */
export interface SettingChange {
  readonly setting: string;
  readonly before?: string;
  readonly after?: string;
}

/** Of the command that runs, not of the service. */
const notOfTheService = new Set(["server", "token", "timeZone", "warnings"]);
const secretNames = new Set(
  settings.filter(({ secret }) => secret === true).map(({ name }) => camelCase(name)),
);
const secretWords = /pass(word|wd|phrase)?$|secret|token|credential|private|api_?key/i;
const reference = secretReferencePattern;
const valueCharsMax = 500;

/** The configuration as the audit trail tells it. `hidingKey` makes a changed secret tell that it changed. */
export function tellSettings(config: Config, hidingKey: Uint8Array): EffectiveSettings {
  const told: Record<string, string> = {};
  const hide = (value: string): string =>
    `hidden:${createHmac("sha256", hidingKey).update(value).digest("hex").slice(0, 16)}`;
  const tell = (path: readonly string[], value: unknown): void => {
    if (value === undefined) return;
    if (Array.isArray(value) && value.every(isNamed)) {
      for (const one of value) tell([...path, nameOf(one)], one);
      return;
    }
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      const entries = value instanceof Map ? [...value] : Object.entries(value);
      for (const [name, inner] of entries) tell([...path, String(name)], inner);
      return;
    }
    told[path.join(".")] = toText(path.at(-1) ?? "", value as Json, hide);
  };
  for (const [name, value] of Object.entries(config)) {
    if (notOfTheService.has(name)) continue;
    if (secretNames.has(name))
      tell([name], typeof value === "string" ? hideUnlessReference(value, hide) : value);
    else tell([name], value);
  }
  return told;
}

/** What is not the same in both, in the order of the settings' names. */
export function compareSettings(
  before: EffectiveSettings,
  after: EffectiveSettings,
): readonly SettingChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names
    .filter((name) => before[name] !== after[name])
    .map((setting) => ({
      setting,
      ...(before[setting] === undefined ? {} : { before: before[setting] }),
      ...(after[setting] === undefined ? {} : { after: after[setting] }),
    }));
}

function toText(name: string, value: Json, hide: (value: string) => string): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (secretWords.test(name)) return hideUnlessReference(text, hide);
  const shown = text.replaceAll(
    /([a-z][a-z0-9+.-]*:\/\/)([^/\s@"]+)@/gi,
    (_, scheme: string, user: string) => {
      return `${scheme}${hide(user)}@`;
    },
  );
  return shown.length > valueCharsMax ? `${shown.slice(0, valueCharsMax)}… ${hide(shown)}` : shown;
}

function hideUnlessReference(value: string, hide: (value: string) => string): string {
  return reference.test(value) ? value : hide(value);
}

function isNamed(value: unknown): value is { readonly name?: string; readonly id?: string } {
  if (typeof value !== "object" || value === null) return false;
  return (
    typeof (value as { name?: unknown }).name === "string" ||
    typeof (value as { id?: unknown }).id === "string"
  );
}

/** A list's entries go by their own names, so that a new one in the middle changes no other. */
function nameOf({ id, name }: { readonly name?: string; readonly id?: string }): string {
  return id ?? name ?? "";
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
