import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { createSigner, isHeadSigned, keyId } from "./audit-chain.ts";
import { parseHead, verifyExport } from "./audit-export.ts";

async function readExample(): Promise<string[]> {
  const text = await readFile(new URL("../../docs/audit.md", import.meta.url), "utf8");
  const [, block = ""] = /```ndjson\n([^`]+)```/.exec(text) ?? [];
  return block.trimEnd().split("\n");
}

test("the example of the documentation verifies, so that the format cannot change unseen", async () => {
  const lines = await readExample();
  const signer = createSigner(Buffer.alloc(32, 1));
  expect(await verifyExport(lines, { keys: [signer.key] })).toMatchObject({ ok: true, entries: 1 });
  const head = parseHead(lines.at(-1)!);
  expect(head === undefined ? false : isHeadSigned(head)).toBe(true);
  expect(await verifyExport(lines, { head: head! })).toMatchObject({ ok: true });
});

test("a key that is not the one that signed is not trusted, whatever the file says of itself", async () => {
  const lines = await readExample();
  const other = createSigner(Buffer.alloc(32, 2)).key;
  expect(other.id).toBe(keyId(other.publicKey));
  expect(await verifyExport(lines, { keys: [other] })).toMatchObject({
    ok: false,
    sequence: 1,
    what: "signature",
  });
});
