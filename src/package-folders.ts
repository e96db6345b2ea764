import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the built pages: in a checkout, or beside the installed program. */
export function findWebPages(): string | undefined {
  const checkout = fileURLToPath(new URL("../dist/web/", import.meta.url));
  const installed = fileURLToPath(new URL("./web/", import.meta.url));
  return [checkout, installed].find((folder) => existsSync(join(folder, "index.html")));
}

/** The recordings that come with the package. */
export function demoRoot(): string {
  return fileURLToPath(new URL("../demo/", import.meta.url));
}
