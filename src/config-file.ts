import { readFileSync } from "node:fs";
import { LineCounter, parseDocument, isNode, isMap, type Document } from "yaml";

/** Where something is wrong, what is wrong, and what to write instead. */
export interface ConfigProblem {
  readonly where: string;
  readonly what: string;
  readonly write: string;
}

/** A YAML configuration file that can say on which line a setting stands. */
export class ConfigFile {
  readonly #name: string;
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;
  readonly #values: Readonly<Record<string, unknown>>;

  private constructor(name: string, document: Document.Parsed, lines: LineCounter) {
    this.#name = name;
    this.#document = document;
    this.#lines = lines;
    this.#values = (document.toJS() ?? {}) as Record<string, unknown>;
  }

  /** Reads `path`, called `name` in messages; gives the problems instead when it is no usable YAML. */
  static read(path: string, name: string): ConfigFile | readonly ConfigProblem[] {
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch (error) {
      const what = `cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`;
      return [{ where: name, what, write: "the path of a readable YAML file" }];
    }
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    if (document.errors.length > 0) {
      return document.errors.map((error) => ({
        where: `${name}:${lines.linePos(error.pos[0]).line}`,
        what: `is no YAML (${error.message})`,
        write: "settings as `name: value`",
      }));
    }
    if (document.contents !== null && !isMap(document.contents)) {
      return [{ where: `${name}:1`, what: "holds no settings", write: "settings as `name: value`" }];
    }
    return new ConfigFile(name, document, lines);
  }

  keys(): readonly string[] {
    return Object.keys(this.#values);
  }

  get(name: string): unknown {
    return Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
  }

  /** `isochron.yaml:12 connections[0].source`; a missing entry stands where its parent does. */
  where(path: readonly (string | number)[]): string {
    const label = path
      .map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`))
      .join("");
    for (let depth = path.length; depth > 0; depth--) {
      const node = this.#document.getIn(path.slice(0, depth), true);
      if (!isNode(node) || !node.range) continue;
      return `${this.#name}:${this.#lines.linePos(node.range[0]).line} ${label}`;
    }
    return `${this.#name} ${label}`;
  }
}
