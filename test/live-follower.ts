import type { EventJson } from "../src/present/api/contract.ts";
import { retractionSchema } from "../src/present/api/ownership-contract.ts";
import { readServerEvents } from "../src/present/cli/server-events.ts";
import { bearer } from "./api-host.ts";

/** Follows a live stream and keeps what it shows at the moment: what came, less what was taken back. */
export class LiveFollower {
  /** By id, the latest word about each event. */
  readonly held = new Map<string, EventJson>();
  /** Every id that was ever told of, in whatever frame. */
  readonly heard = new Set<string>();
  /** The ids that were taken back, in order. */
  readonly retracted: string[] = [];
  /** Every byte that came. */
  text = "";
  /** The last `id:` of the stream, which a browser would resume after. */
  lastId: string | undefined;
  readonly #abort = new AbortController();
  readonly #waiting = new Set<() => void>();
  #reading: Promise<void> = Promise.resolve();

  /** Settles once the stream has taken its place, so that nothing stored from then on is missed. */
  static async open(port: number, as: string, query = ""): Promise<LiveFollower> {
    const follower = new LiveFollower();
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/live${query}`, {
      headers: bearer(as),
      signal: follower.#abort.signal,
    });
    if (answer.status !== 200) throw new Error(`the stream was refused: ${await answer.text()}`);
    const began = Promise.withResolvers<void>();
    follower.#reading = follower.#read(answer.body!.pipeThrough(new TextDecoderStream()), began.resolve);
    await began.promise;
    return follower;
  }

  async #read(body: AsyncIterable<string>, began: () => void): Promise<void> {
    const chunks = async function* (this: LiveFollower): AsyncGenerator<string> {
      for await (const chunk of body) {
        this.text += chunk;
        // The first beat, or the first event, tells that the place to start from is taken.
        if (/^:|^id:|^event:/m.test(this.text)) began();
        yield chunk;
      }
    };
    try {
      for await (const message of readServerEvents(chunks.call(this))) this.#take(message);
    } catch (error) {
      if (!this.#abort.signal.aborted) throw error;
    }
  }

  #take({ event, data, id }: { event: string; data: string; id?: string }): void {
    if (id !== undefined) this.lastId = id;
    if (event === "event") {
      const json = JSON.parse(data) as EventJson;
      this.held.set(json.id, json);
      this.heard.add(json.id);
    } else if (event === "retracted") {
      const gone = retractionSchema.strict().parse(JSON.parse(data)).id;
      this.held.delete(gone);
      this.heard.add(gone);
      this.retracted.push(gone);
    }
    for (const look of this.#waiting) look();
  }

  /** Settles once `reached` says so, which is asked after every frame. */
  async until(reached: (follower: LiveFollower) => boolean): Promise<void> {
    if (reached(this)) return;
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!reached(this)) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#reading;
  }
}
