import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { concealSecrets, resolveSecret, warnOfOpenFiles } from "./config-secret.ts";
import { createLog } from "./log.ts";

const folder = mkdtempSync(join(tmpdir(), "isochron-secret-"));

describe("a credential of the service manager", () => {
  const env = { CREDENTIALS_DIRECTORY: join(folder, "credentials") };
  mkdirSync(env.CREDENTIALS_DIRECTORY);
  writeFileSync(join(env.CREDENTIALS_DIRECTORY, "nova.password"), "from-systemd\n");
  writeFileSync(join(folder, "outside"), "outside-secret");

  test("is read by its name", () => {
    expect(resolveSecret("credential:nova.password", env)).toBe("from-systemd");
  });

  test.each(["", ".", "..", "../outside", "a/../../outside", "/etc/passwd", "a/b", "a\\b", "a\0b", "a b"])(
    "cannot be called %j",
    (name) => {
      expect(() => resolveSecret(`credential:${name}`, env)).toThrow(/not one of a file/);
    },
  );

  test("is told to be missing where nobody hands one over", () => {
    expect(() => resolveSecret("credential:nova.password", {})).toThrow(/LoadCredential/);
    expect(() => resolveSecret("credential:none", env)).toThrow(/cannot be read/);
  });
});

test("a secret's file that others may read is warned of, and one that they may not is not", () => {
  const [open, shut] = [join(folder, "open"), join(folder, "shut")];
  for (const path of [open, shut]) writeFileSync(path, "x");
  chmodSync(open, 0o644);
  chmodSync(shut, 0o640);
  const warned = warnOfOpenFiles({ connections: [{ config: { a: `file:${open}`, b: [`file:${shut}`] } }] });
  expect(warned).toEqual([`file:${open} may be read by others on this machine: chmod 600 it`]);
  expect(warnOfOpenFiles({ secret: "file:/nowhere/at/all" })).toEqual([]);
});

describe("a secret that was read", () => {
  const secret = 'p"ss/w ö:rd-7391';
  resolveSecret("env:CANARY", { CANARY: secret });
  resolveSecret("env:URL", { URL: "postgres://user:sm%40shed-url-pw@host/db" });

  const spellings = [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret),
    Buffer.from(secret).toString("base64"),
    "sm%40shed-url-pw",
    "sm@shed-url-pw",
  ];

  test.each(spellings)("is told in no spelling: %s", (spelling) => {
    expect(concealSecrets(`it said ${spelling}.`)).not.toContain(spelling.replaceAll('"', ""));
    let logged = "";
    const log = createLog({
      level: "info",
      format: "json",
      colour: false,
      stream: { write: (line) => (logged += line) },
    });
    log.error({ err: new Error(`refused ${spelling}`), note: spelling }, `asked with ${spelling}`);
    expect(logged).toContain("[redacted]");
    expect(logged).not.toMatch(/7391|hed-url-pw/);
  });
});
