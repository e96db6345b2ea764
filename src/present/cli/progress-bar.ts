import { Presets, SingleBar } from "cli-progress";
import type { Progress, Sink } from "./application.ts";

/** A bar on standard error, on a terminal only; a pipe or a log gets nothing. */
export class ProgressBar {
  readonly #bar: SingleBar | undefined;
  #started = false;

  constructor(sink: Sink, stream: NodeJS.WritableStream | undefined, label: string) {
    if (!sink.terminal || stream === undefined) return;
    this.#bar = new SingleBar(
      {
        format: `${label} {bar} {percentage}% {eta_formatted}`,
        stream,
        hideCursor: true,
        clearOnComplete: true,
      },
      Presets.shades_classic,
    );
  }

  readonly advance: Progress = (done, total) => {
    if (this.#bar === undefined || total <= 0) return;
    if (!this.#started) this.#bar.start(total, 0);
    this.#started = true;
    this.#bar.setTotal(total);
    this.#bar.update(Math.min(done, total));
  };

  stop(): void {
    if (this.#started) this.#bar?.stop();
  }
}
