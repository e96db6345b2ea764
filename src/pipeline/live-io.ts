import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import type { SourceIo } from "../sources/source.ts";
import type { AddressGuard } from "./address-guard.ts";
import { createHttpClient } from "./http-client.ts";
import type { SourceGuard } from "./protection/source-guard.ts";
import { createSqlAccess } from "./sql-client.ts";

/** What a source is lent to read the real thing with, behind its guard. */
export function createLiveIo(
  lent: Pick<SourceIo, "now" | "signal" | "warn" | "secret" | "noteClock"> & {
    readonly guard: SourceGuard;
    readonly addresses: AddressGuard;
  },
): SourceIo {
  const { guard, addresses, now, signal, warn, secret, noteClock } = lent;
  const clock = noteClock === undefined ? {} : { noteClock };
  return {
    http: createHttpClient({ signal, guard, addresses, warn, ...clock }),
    sql: createSqlAccess({ signal, guard, addresses }),
    addresses,
    now,
    ...clock,
    signal,
    warn,
    secret,
    readText: readTextIfThere,
  };
}

async function readTextIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path.replace(/^~(?=\/)/, homedir()), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
