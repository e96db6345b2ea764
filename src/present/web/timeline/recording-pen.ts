import type { Pen } from "./glyph-path.ts";

/** One call of the pen, with the colour it was made in. */
export interface PenCall {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly fill: string;
}

/** A pen that draws nothing and remembers everything; text is six pixels per character. */
export class RecordingPen {
  readonly calls: PenCall[] = [];
  readonly pen: Pen;

  constructor() {
    const state: Record<string, unknown> = { fillStyle: "" };
    const { calls } = this;
    this.pen = new Proxy(state, {
      get(target, name: string) {
        if (name in target) return target[name];
        return (...args: unknown[]) => {
          calls.push({ name, args, fill: String(target["fillStyle"]) });
          return name === "measureText" ? { width: String(args[0]).length * 6 } : undefined;
        };
      },
      set(target, name: string, value: unknown) {
        target[name] = value;
        return true;
      },
    }) as unknown as Pen;
  }

  named(name: string): PenCall[] {
    return this.calls.filter((call) => call.name === name);
  }
}
