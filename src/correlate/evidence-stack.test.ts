import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readStacks, stacksOf } from "./evidence-stack.ts";

const python = `Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/depot/api/boxes.py", line 41, in create
    box = self.store.add(context, size)
  File "/usr/lib/python3/dist-packages/depot/store/shelf.py", line 7, in add
    return row["size"]
KeyError: 'size'`;

const java = `org.depot.BoxException: no room
\tat org.depot.api.BoxController.create(BoxController.java:41)
\tat java.base/java.lang.Thread.run(Thread.java:833)
Caused by: java.lang.NullPointerException: row
\tat org.depot.store.Shelf.add(Shelf.java:7)
\tat org.depot.api.BoxController.create(BoxController.java:40)`;

const node = `TypeError: Cannot read properties of undefined (reading 'size')
    at Shelf.add (/srv/app/node_modules/depot/store/shelf.js:7:14)
    at async create (file:///srv/app/node_modules/depot/api/boxes.js:41:9)`;

describe("reading stacks out of a record's words", () => {
  it("reads a Python traceback from its outermost call to its error", () => {
    expect(readStacks(python)).toEqual([
      {
        frames: [
          { file: "depot/api/boxes.py", function: "create" },
          { file: "depot/store/shelf.py", function: "add" },
        ],
        exception: "KeyError: 'size'",
        quoted: false,
      },
    ]);
  });

  it("reads chained tracebacks in the order in which the errors arose", () => {
    const chained = `${python}\n\nDuring handling of the above exception, another exception occurred:\n\n${python.replace("KeyError: 'size'", "BoxError: no box")}`;
    expect(readStacks(chained).map(({ exception }) => exception)).toEqual([
      "KeyError: 'size'",
      "BoxError: no box",
    ]);
  });

  it("puts the cause of a Java chain first and each stack's innermost call last", () => {
    const [cause, outer] = readStacks(java);
    expect(cause).toMatchObject({ exception: "java.lang.NullPointerException: row" });
    expect(cause!.frames.at(-1)).toEqual({ file: "org/depot/store/Shelf.java", function: "add" });
    expect(outer!.frames.at(-1)).toEqual({ file: "org/depot/api/BoxController.java", function: "create" });
  });

  it("reads a JavaScript stack", () => {
    expect(readStacks(node)).toEqual([
      {
        frames: [
          { file: "depot/api/boxes.js", function: "create" },
          { file: "depot/store/shelf.js", function: "Shelf.add".split(".").at(-1) },
        ],
        exception: "TypeError: Cannot read properties of undefined (reading 'size')",
        quoted: false,
      },
    ]);
  });

  it("marks a report that another process put into its own message", () => {
    const quoted = `Scheduling failed: [u'Traceback (most recent call last):\\n', u'  File "/usr/lib/python3/dist-packages/depot/api/boxes.py", line 41, in create\\n    box = 1\\n', u'KeyError: 1\\n']`;
    expect(readStacks(quoted)).toMatchObject([
      { quoted: true, frames: [{ file: "depot/api/boxes.py", function: "create" }] },
    ]);
    // A command's output may spell line breaks out as well, and is no report.
    expect(readStacks(`${python}\nStderr: 'no such volume\\n'`)[0]!.quoted).toBe(false);
  });

  it("never throws, and gives nothing where there is no stack", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        expect(readStacks(text).every(({ frames }) => frames.length > 0)).toBe(true);
      }),
    );
    expect(readStacks("all is well, at last (really)")).toEqual([]);
  });

  it("reads a long record of empty lines once, not from each of them", () => {
    // Read from each of its lines this takes longer than a test may.
    const blank = { details: { output: "\n".repeat(256 * 1024), report: " \n".repeat(128 * 1024) } };
    expect(stacksOf(blank as unknown as Parameters<typeof stacksOf>[0])).toEqual([]);
  });
});
