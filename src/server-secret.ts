import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "./config.ts";
import { resolveSecret } from "./config-secret.ts";

/** Signs cursors and cookies: given by reference, else kept beside the data, else derived from the shared store's URL. */
export async function serverSecret(config: Config): Promise<Uint8Array> {
  if (config.secret !== undefined) return createHash("sha256").update(resolveSecret(config.secret)).digest();
  if (config.databaseUrl !== undefined) {
    return createHash("sha256").update(`isochron server secret\n${config.databaseUrl}`).digest();
  }
  await mkdir(config.data, { recursive: true, mode: 0o700 });
  const path = join(config.data, "server-secret");
  try {
    await writeFile(path, randomBytes(32), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return readFile(path);
}
