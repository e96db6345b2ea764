import { identityProviderSettings } from "./config-identity.ts";
import { connectionSettings, type Setting } from "./config-settings.ts";
import { retentionSettings } from "./config-retention.ts";
import { customerSettings } from "./config-tenancy.ts";

/** What the entries of a list know, for messages. */
export const settingsWithin: Readonly<Record<string, readonly { readonly name: string }[]>> = {
  connections: connectionSettings,
  customers: customerSettings,
  identity_providers: identityProviderSettings,
  retention: retentionSettings,
};

/** What stands at the path below the value. */
export function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, part) => (inner as Record<string | number, unknown> | null | undefined)?.[part],
    value,
  );
}

/** Where people write out a secret by mistake, which is not to be repeated. */
const secretName = /(password|secret)$/;

/** Kubernetes fills `<SERVICE>_PORT` for a service called isochron, which is worth telling. */
export function describe(setting: Setting, value: unknown, path: readonly (string | number)[] = []): string {
  if (value === undefined) return "is missing";
  if (setting.secret === true || secretName.test(String(path.at(-1) ?? ""))) return "cannot be used";
  if (setting.name === "port" && typeof value === "string" && value.startsWith("tcp://")) {
    return `is "${value}", set by Kubernetes for a service of this name (enableServiceLinks: false stops that)`;
  }
  const text = JSON.stringify(value);
  return `is ${text.length > 80 ? `${text.slice(0, 80)}…` : text}`;
}

/** What a flag's or a variable's text stands for. */
export function asValue(setting: Setting, text: string | undefined): unknown {
  return text === undefined || setting.fromText === undefined ? text : setting.fromText(text);
}
