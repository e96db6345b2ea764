import { readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { IsochronError } from "./errors.ts";
import { secretReferencePattern } from "./model/secret-reference.ts";

/** Secrets that were read so far, in every spelling in which a message may repeat them; longest first. */
let known: readonly string[] = [];

const censored = "[redacted]";
/** Anything shorter is a word that messages hold for other reasons. */
const secretCharsMin = 6;
const secretCharsMax = 16_384;

/**
 * The secret that `env:NAME`, `file:PATH` or `credential:NAME` points to, without the line break at its end; from then
 * on {@link concealSecrets} knows it. Throws `config-invalid` when there is none; the message never holds the secret.
 */
export function resolveSecret(reference: string, env: NodeJS.ProcessEnv = process.env): string {
  const secret = readSecret(reference, env);
  remember(secret);
  return secret;
}

function readSecret(reference: string, env: NodeJS.ProcessEnv): string {
  if (reference.startsWith("env:")) {
    const value = env[reference.slice(4)];
    if (value !== undefined && value !== "") return value;
    throw new IsochronError("config-invalid", `${reference} names an empty variable.`, "Set that variable.");
  }
  if (reference.startsWith("credential:")) return readSecretFile(reference, credentialPath(reference, env));
  if (reference.startsWith("file:")) return readSecretFile(reference, reference.slice(5));
  throw new IsochronError(
    "config-invalid",
    "A secret is written out where a reference belongs.",
    "Write `env:NAME`, `file:PATH` or `credential:NAME`.",
  );
}

function credentialPath(reference: string, env: NodeJS.ProcessEnv): string {
  const name = reference.slice("credential:".length);
  if (!secretReferencePattern.test(reference) || basename(name) !== name) {
    throw new IsochronError(
      "config-invalid",
      "The name of a credential is not one of a file.",
      "Write the name that `LoadCredential=` gives it: letters, digits and . _ @ -.",
    );
  }
  const folder = env["CREDENTIALS_DIRECTORY"];
  if (folder !== undefined && folder !== "") return join(folder, name);
  throw new IsochronError(
    "config-invalid",
    `${reference} cannot be read: the service manager hands over no credentials.`,
    "Start Isochron by a systemd unit with `LoadCredential=`, or use `file:PATH`.",
  );
}

function readSecretFile(reference: string, path: string): string {
  try {
    return readFileSync(path, "utf8").replace(/\r?\n$/, "");
  } catch (cause) {
    const remedy = "Check the path and its rights.";
    throw new IsochronError("config-invalid", `${reference} cannot be read.`, remedy, { cause });
  }
}

/** Warnings of the secrets' files that others on this machine may read. A missing one is told by whoever needs it. */
export function warnOfOpenFiles(settings: unknown): readonly string[] {
  const warnings = new Set<string>();
  const look = (value: unknown): void => {
    if (typeof value === "string") {
      if (value.startsWith("file:") && isOpen(value.slice(5)))
        warnings.add(`${value} may be read by others on this machine: chmod 600 it`);
    } else if (typeof value === "object" && value !== null) Object.values(value).forEach(look);
  };
  look(settings);
  return [...warnings];
}

function isOpen(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && stat.isFile() && (stat.mode & 0o004) !== 0;
}

/** The same text without any secret that was read, be it as it is, in a URL, in JSON or in Base64. */
export function concealSecrets(text: string): string {
  let told = text;
  for (const secret of known) if (told.includes(secret)) told = told.replaceAll(secret, censored);
  return told;
}

function remember(secret: string): void {
  if (known.includes(secret)) return;
  const parts = [secret, ...secret.split(/\r?\n/), ...passwordsIn(secret)].filter(
    (part) => part.length >= secretCharsMin && part.length <= secretCharsMax && !part.startsWith("-----"),
  );
  const spellings = parts.flatMap((part) => [
    part,
    encodeURIComponent(part),
    inJson(part),
    inJson(inJson(part)),
    Buffer.from(part).toString("base64"),
    Buffer.from(part).toString("base64url"),
  ]);
  known = [...new Set([...known, ...spellings])].sort((a, b) => b.length - a.length);
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** The password of a URL that is a secret as a whole, which drivers repeat without the rest. */
function passwordsIn(secret: string): readonly string[] {
  if (!URL.canParse(secret)) return [];
  const { password } = new URL(secret);
  if (password === "") return [];
  try {
    return [password, decodeURIComponent(password)];
  } catch (error) {
    if (error instanceof URIError) return [password];
    throw error;
  }
}
