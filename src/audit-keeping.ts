import { createHash, createHmac, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { compareSettings, tellSettings, type EffectiveSettings } from "./config-audit.ts";
import type { Config } from "./config.ts";
import { resolveSecret } from "./config-secret.ts";
import { IsochronError } from "./errors.ts";
import type { Logger } from "./log.ts";
import { instant } from "./model/instant.ts";
import type { JsonObject } from "./model/json.ts";
import { AuditTimeline, type AuditTimelineStages } from "./pipeline/audit-timeline.ts";
import type { AuditHead, AuditVerdict } from "./store/audit-chain.ts";
import { parseKeptHead, verifyExport } from "./store/audit-export.ts";
import type { AuditRecord, AuditStore } from "./store/audit-store.ts";
import type { TokenStore } from "./store/token-store.ts";

const headEveryMs = 3_600_000;

/** The audit trail of a running program, and what it has to be told of. */
export interface AuditKeeping {
  /** For a server: tells the configuration where it changed, the timeline of each entry, and the log where the trail ends. */
  serve(): Promise<void>;
  end(): Promise<void>;
}

/**
 * The 32 bytes of the signing key: given by reference, else kept beside the data, else derived from the shared store's
 * URL, which keeps nobody out who has that.
 */
export async function auditSeed(config: Config): Promise<Uint8Array> {
  if (config.auditKey !== undefined)
    return createHash("sha256").update(resolveSecret(config.auditKey)).digest();
  if (config.databaseUrl !== undefined)
    return createHash("sha256").update(`isochron audit key\n${config.databaseUrl}`).digest();
  await mkdir(config.data, { recursive: true, mode: 0o700 });
  const path = join(config.data, "audit-key");
  try {
    await writeFile(path, randomBytes(32), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return readFile(path);
}

export function keepAudit(
  config: Config,
  audit: AuditStore,
  {
    seed,
    stages,
    log,
  }: { readonly seed: Uint8Array; readonly stages: AuditTimelineStages; readonly log: Logger },
): AuditKeeping {
  const timeline = new AuditTimeline(stages, audit, (err) =>
    log.error({ err }, "audit entries were not told on the timeline"),
  );
  const tellHead = async (): Promise<void> => {
    const head = await audit.head();
    log.info({ audit_head: head }, "the audit trail stands at this head");
  };
  let timer: NodeJS.Timeout | undefined;
  return {
    async serve() {
      if (timer !== undefined) return;
      // The log is the place outside the store that every installation has.
      timer = setInterval(() => {
        tellHead().catch((err: unknown) => log.error({ err }, "the audit trail's head was not signed"));
      }, headEveryMs).unref();
      audit.onAppended(() => timeline.begin());
      await noteConfiguration(config, audit, createHmac("sha256", seed).update("isochron hiding").digest());
      await tellHead();
      timeline.begin();
    },
    async end() {
      clearInterval(timer);
      await timeline.end();
    },
  };
}

/** Writes down which settings are not what they were when it was last looked. */
export async function noteConfiguration(
  config: Config,
  audit: Pick<AuditStore, "append" | "list">,
  hidingKey: Uint8Array,
): Promise<void> {
  const { entries } = await audit.list({ action: "configuration" }, 1);
  const [last] = entries;
  const after = tellSettings(config, hidingKey);
  const before = (last?.details["settings"] ?? {}) as EffectiveSettings;
  const changes = compareSettings(before, after);
  if (last !== undefined && changes.length === 0) return;
  // The first tells all there is, which need not be told twice.
  const details = { settings: after, changes: last === undefined ? [] : changes } as unknown as JsonObject;
  await audit.append([ownRecord("configuration", "configuration", details)]);
}

/** What is done at the server itself, by whoever runs the command there. */
export function ownRecord(action: AuditRecord["action"], object: string, details: JsonObject): AuditRecord {
  return {
    at: instant(Date.now()),
    action,
    outcome: "done",
    actor: { id: `os:${systemUser()}` },
    object,
    details,
  };
}

/** Writes down which tokens a command makes and revokes, before it says that it did. */
export function auditTokens(tokens: TokenStore, audit: AuditStore): TokenStore {
  return {
    ...tokens,
    create: async (token) => {
      const record = await tokens.create(token);
      const scope = token.scope as unknown as JsonObject;
      await audit.append([ownRecord("token", `token:${record.id}`, { step: "made", scope })]);
      return record;
    },
    revoke: async (id) => {
      const isRevoked = await tokens.revoke(id);
      if (isRevoked) await audit.append([ownRecord("token", `token:${id}`, { step: "revoked" })]);
      return isRevoked;
    },
  };
}

/** What commands do with the trail as a whole. */
export interface AuditTools {
  /** The lines of a file that can be verified without the store; that they were taken out is an entry among them. */
  exportLines(): AsyncIterable<string>;
  /** `headPath` names a file whose last line is a head that was kept elsewhere. */
  verify(headPath?: string): Promise<AuditVerdict>;
}

export function auditTools(audit: AuditStore): AuditTools {
  return {
    async *exportLines() {
      await audit.append([ownRecord("export", "audit", {})]);
      yield* audit.exportLines();
    },
    verify: async (headPath) =>
      audit.verify(headPath === undefined ? {} : { head: await readKeptHead(headPath) }),
  };
}

/** Verifies an export without any store. Throws `file-unreadable`. */
export async function verifyAuditFile(path: string, headPath?: string): Promise<AuditVerdict> {
  return verifyExport(readLines(path), headPath === undefined ? {} : { head: await readKeptHead(headPath) });
}

async function readKeptHead(path: string): Promise<AuditHead> {
  let last = "";
  for await (const line of readLines(path)) if (line.trim() !== "") last = line;
  const head = parseKeptHead(last);
  if (head !== undefined) return head;
  throw new IsochronError(
    "file-unreadable",
    `The last line of ${path} is no head of an audit trail.`,
    "Name a file that `isochron audit head` was written to.",
  );
}

/** Bytes that are no UTF-8 give an empty line, which is no entry: replaced, they could pass for what they were not. */
async function* readLines(path: string): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      rest = Buffer.concat([rest, chunk]);
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        yield decodeLine(rest.subarray(0, end));
        rest = rest.subarray(end + 1);
      }
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    throw new IsochronError(
      "file-unreadable",
      `${path} cannot be read: ${code}.`,
      "Check its path and rights.",
      {
        cause,
      },
    );
  }
  if (rest.length > 0) yield decodeLine(rest);
}

function decodeLine(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return "";
    throw error;
  }
}

function systemUser(): string {
  try {
    return userInfo().username;
  } catch (error) {
    // A container's user need not have a name.
    if ((error as NodeJS.ErrnoException).code !== "ERR_SYSTEM_ERROR") throw error;
    return String(process.getuid?.() ?? "unknown");
  }
}
