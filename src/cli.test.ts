import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const command = fileURLToPath(new URL("../bin/isochron", import.meta.url));

function run(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: tmpdir(),
    env: { PATH: "/usr/bin:/bin", HOME: tmpdir(), ...env },
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

describe("the program as a process", () => {
  test("what cannot be understood ends with 2, on standard error, before anything is opened", () => {
    const wrong = run(["events", "--since", "soon"], { ISOCHRON_DATA: "/proc/nowhere" });
    expect(wrong).toEqual({
      status: 2,
      stdout: "",
      stderr: 'isochron: "soon" is no length of time.\nWrite it as 90s, 30m, 2h, 1h30m, 7d or 2w.\n',
    });
  });

  test("nothing is imported under the names of what is decided here", () => {
    for (const option of ["--connection", "--control-plane"]) {
      const taken = run(["import", "--source", "post-mortem", option, "isochron", command], {
        ISOCHRON_DATA: "/proc/nowhere",
      });
      expect(taken).toEqual({
        status: 2,
        stdout: "",
        stderr: `isochron: ${option} isochron is kept for what is decided here.\nChoose another name.\n`,
      });
    }
  });

  test("every problem of the configuration is told at once", () => {
    const { status, stderr } = run(["events"], { ISOCHRON_PORT: "x", ISOCHRON_LOG_LEVEL: "loud" });
    expect(status).toBe(2);
    expect(stderr).toContain("ISOCHRON_PORT");
    expect(stderr).toContain("ISOCHRON_LOG_LEVEL");
  });

  test("a reader that has seen enough is no failure", () => {
    const script = `"${command}" completion bash | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
    expect({ stdout, stderr }).toEqual({
      stdout: "# Completion of isochron for bash: source <(isochron completion bash)\n0\n",
      stderr: "",
    });
  });

  test("a server that is not there ends with 1, and its token is not told", () => {
    const token = `iso_${"x".repeat(43)}`;
    const { status, stdout, stderr } = run(["sources", "--server", "http://127.0.0.1:1", "--token", token]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("No answer from http://127.0.0.1:1");
    expect(stderr).not.toContain(token);
  });
});
