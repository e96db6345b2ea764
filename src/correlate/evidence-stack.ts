import type { Json } from "../model/json.ts";
import type { Correlatable } from "./correlatable.ts";

/** One call that was under way when an error was raised. */
export interface Frame {
  /** From the package's folder on: `nova/compute/api.py`. */
  readonly file: string;
  readonly function: string;
}

/** What was under way when an error was raised, the outermost call first, and the error's own last line. */
export interface Stack {
  readonly frames: readonly Frame[];
  readonly exception: string;
  /** True where the record repeats another process's report, which it may have cut. */
  readonly quoted: boolean;
}

const textCharsMax = 64 * 1024;
const framesMax = 200;
const stacksMax = 8;

const pythonFrame = /^\s*File "([^"]{1,400})", line \d+, in (\S{1,200})/;
const bracketFrame =
  /^\s*at (?:async )?([\w$.<>[\] ]{1,300}?) ?\((?:file:\/\/)?([^():\s]{1,400}):\d+(?::\d+)?\)/;

/** Reads the stacks of a text, in the order in which they are told: Python's, Java's and JavaScript's. Never throws. */
export function readStacks(text: string): readonly Stack[] {
  const bounded = text.slice(0, textCharsMax);
  // A report that was put into another's message has its line breaks spelt out.
  const quoted = /File \\?"[^"\n]+\\?", line \d+, in [^\s\\]+\\n/.test(bounded);
  const lines = (quoted ? bounded.replaceAll(/\\n(?:['"], u?['"])?/g, "\n") : bounded)
    .replaceAll('\\"', '"')
    .split("\n");
  return [...readPython(lines, quoted), ...readBrackets(lines)].slice(0, stacksMax);
}

/** The stacks of whatever an event's details hold, its own traceback before what it quotes. */
export function stacksOf(event: Correlatable): readonly Stack[] {
  return textsOf(event.details).flatMap((text) => (hasStack(text) ? readStacks(text) : []));
}

function hasStack(text: string): boolean {
  // Bounded, since a record of empty lines would else be read once from each of them.
  return text.includes(", line ") || /\n[ \t]{1,80}at /.test(text);
}

/** Every text of a record, nested ones too. */
export function textsOf(value: Json, depth = 0): readonly string[] {
  if (typeof value === "string") return [value];
  if (value === null || typeof value !== "object" || depth > 4) return [];
  return Object.values(value).flatMap((item: Json) => textsOf(item, depth + 1));
}

function readPython(lines: readonly string[], quoted: boolean): readonly Stack[] {
  const stacks: Stack[] = [];
  let frames: Frame[] = [];
  for (const line of lines) {
    const [, file, name] = pythonFrame.exec(line) ?? [];
    if (file !== undefined && name !== undefined) {
      if (frames.length < framesMax) frames.push({ file: fromPackage(file), function: name });
      continue;
    }
    // Below a frame stands its source line, indented; what is not indented is the error itself.
    if (frames.length > 0 && /^\S/.test(line)) {
      stacks.push({ frames, exception: line.slice(0, 500), quoted });
      frames = [];
    }
  }
  if (frames.length > 0) stacks.push({ frames, exception: "", quoted });
  return stacks;
}

function readBrackets(lines: readonly string[]): readonly Stack[] {
  const stacks: Stack[] = [];
  let frames: Frame[] = [];
  let exception = "";
  const end = () => {
    // These are told the innermost first, and the cause of a chain last.
    if (frames.length > 0) stacks.unshift({ frames: frames.toReversed(), exception, quoted: false });
    frames = [];
  };
  for (const line of lines) {
    const [, name, file] = bracketFrame.exec(line) ?? [];
    if (name !== undefined && file !== undefined) {
      if (frames.length < framesMax) frames.push(bracketFrameOf(name, file));
    } else if (!/^\s*(?:at |\.\.\. \d)/.test(line)) {
      end();
      exception = line.replace(/^Caused by: /, "").slice(0, 500);
    }
  }
  end();
  return stacks;
}

/** Java names a class by its package and the file alone. */
function bracketFrameOf(name: string, file: string): Frame {
  const parts = name.split(".");
  const last = parts.at(-1) ?? name;
  if (!/\.(?:java|kt|scala|groovy)$/.test(file)) return { file: fromPackage(file), function: last };
  return { file: [...parts.slice(0, -2), file].join("/"), function: last };
}

/** What stands before the package's own folder differs from machine to machine. */
function fromPackage(file: string): string {
  return file.replace(/^.*\/(?:site-packages|dist-packages|node_modules)\//, "").replace(/^\/+/, "");
}
