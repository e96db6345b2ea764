import { existsSync } from "node:fs";

/** The browser to test with, or undefined where none is installed. */
export function findChromium(): string | undefined {
  const path = process.env["ISOCHRON_CHROMIUM"] ?? "/usr/bin/chromium";
  return existsSync(path) ? path : undefined;
}
