import { createHash } from "node:crypto";
import type { Command } from "commander";
import { IsochronError } from "../../errors.ts";
import { canonicalJson, type Json } from "../../model/json.ts";
import { exitCodes } from "./exit-code.ts";
import { readDocument } from "./incident-documents-command.ts";
import type { Run } from "./run.ts";

/** Asks nobody: what is compared stands in the file. */
export function addVerify(parent: Command, run: Run): void {
  parent
    .command("verify")
    .summary("check a published document against its hash")
    .description(
      "Computes the SHA-256 of a published incident anew, from its JSON export or from what a tenant was told as JSON, and compares it with the hash that stands in it. What was amended later is not part of an export's hash.",
    )
    .argument("<file>", "the JSON document")
    .addHelpText(
      "after",
      `
Examples:
  $ isochron incident export inc_4f1c0b7e9a3d4b7f8a5e6c2d1b --format json > incident.json
  $ isochron incident verify incident.json`,
    )
    .action(
      run.action(async ([path = ""]) => {
        const { text, hash } = hashed(parse(await readDocument(path)));
        const found = createHash("sha256").update(text).digest("hex");
        await run.host.stdout.write(`${found}\n`);
        await run.host.stderr.write(
          found === hash ? "It is as it was published.\n" : `It is not what had the hash ${hash}.\n`,
        );
        return found === hash ? exitCodes.ok : exitCodes.failure;
      }),
    );
}

type Fields = Readonly<Record<string, Json | undefined>>;

function parse(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw unpublished();
}

/** The text that the hash is of: an edition's words, or the canonical JSON of an export without its status. */
function hashed({ status, ...rest }: Fields): { readonly text: string; readonly hash: string } {
  const { kind, markdown, hash } = rest;
  if (kind === "edition" && typeof markdown === "string" && typeof hash === "string")
    return { text: markdown, hash };
  const published = (status as Fields | undefined)?.["hash"];
  if (typeof published === "string") return { text: canonicalJson(rest), hash: published };
  throw unpublished();
}

function unpublished(): IsochronError {
  return new IsochronError(
    "usage",
    "The file is no published incident as JSON.",
    "Take `isochron incident export ID --format json`, or `isochron incident show ID -o json` as a tenant.",
  );
}
