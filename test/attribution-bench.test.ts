import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";

const bench = fileURLToPath(new URL("../bench/attribution.ts", import.meta.url));
const message = JSON.stringify({ body: JSON.stringify({ message_id: "1", event_type: "x", payload: {} }) });
const told = JSON.stringify({ time: "2026-11-21T01:00:00Z", kind: "call" });

function run(dir: string): Promise<{ readonly code: unknown; readonly said: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [bench, "--data", dir], (error, _stdout, said) =>
      resolve({ code: error?.code ?? 0, said }),
    );
  });
}

const packed = (...lines: string[]) => gzipSync(`${lines.join("\n")}\n`);

test.concurrent.each<[string, Record<string, Uint8Array>, string]>([
  [
    "a recording that was never packed",
    { "notifications.jsonl.gz": Buffer.from(message), "truth.jsonl.gz": packed(told) },
    "notifications.jsonl.gz is no whole gzip file.",
  ],
  [
    "a recording that was cut",
    { "notifications.jsonl.gz": packed(message).subarray(0, 40), "truth.jsonl.gz": packed(told) },
    "notifications.jsonl.gz is no whole gzip file.",
  ],
  [
    "a broken line of a recording",
    { "notifications.jsonl.gz": packed(message, "", '{"body":'), "truth.jsonl.gz": packed(told) },
    "notifications.jsonl.gz, line 3 is no JSON.",
  ],
  [
    "a line of a recording without a message",
    { "notifications.jsonl.gz": packed(message, "{}"), "truth.jsonl.gz": packed(told) },
    "notifications.jsonl.gz, line 2 holds no message: `body` is no text.",
  ],
  [
    "a line of a recording's truth that is no JSON",
    { "notifications.jsonl.gz": packed(message), "truth.jsonl.gz": packed(told, "no truth") },
    "truth.jsonl.gz, line 2 is no JSON.",
  ],
  [
    "a line of a stream's truth that is no object",
    { "stream.jsonl.gz": packed("{}"), "truth.jsonl.gz": packed('{"seq":1}', "7") },
    "truth.jsonl.gz, line 2 is no JSON object.",
  ],
])("the bench of attribution says of %s in one line where it is", async (_what, files, problem) => {
  const dir = await mkdtemp(join(tmpdir(), "isochron-bench-test-"));
  try {
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(dir, name), bytes);
    const { code, said } = await run(dir);
    expect(said).toBe(`${join(dir, problem)} Give a folder of whole data.\n`);
    expect(code).toBe(2);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
