import { signal } from "@preact/signals";
import type { EventJson } from "../../api/contract.ts";
import type { RetractionJson } from "../../api/ownership-contract.ts";
import type { LiveMessage } from "./live-message.ts";

export const streamConnected = signal(false);
export const lastReceivedAt = signal<number | undefined>(undefined);

const reopenMs = 5000;

/**
 * A stream of server-sent events that comes back. The browser reconnects by itself, with Last-Event-ID, after a
 * lost connection; after a refusal it gives up, and a new stream is opened that resumes after the last event seen.
 */
export class StreamConnection {
  readonly #filter: string;
  readonly #receive: (message: LiveMessage) => void;
  #source: EventSource | undefined;
  #lastId: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(filter: string, receive: (message: LiveMessage) => void) {
    this.#filter = filter;
    this.#receive = receive;
    this.#open();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
  }

  #open(): void {
    const query = new URLSearchParams(this.#filter);
    if (this.#lastId !== undefined) query.set("last_event_id", this.#lastId);
    const source = new EventSource(`/api/v1/live${query.size === 0 ? "" : `?${query.toString()}`}`);
    this.#source = source;
    source.addEventListener("event", (message: MessageEvent<string>) => {
      this.#lastId = message.lastEventId || this.#lastId;
      lastReceivedAt.value = Date.now();
      this.#receive({ event: JSON.parse(message.data) as EventJson });
    });
    source.addEventListener("retracted", (message: MessageEvent<string>) => {
      lastReceivedAt.value = Date.now();
      this.#receive({ retracted: (JSON.parse(message.data) as RetractionJson).id });
    });
    source.addEventListener("open", () => {
      streamConnected.value = true;
      lastReceivedAt.value = Date.now();
    });
    source.addEventListener("error", () => {
      streamConnected.value = false;
      if (source.readyState !== EventSource.CLOSED) return;
      // The server may not know the last event any more; the next attempt then starts at the present.
      this.#lastId = undefined;
      this.#timer = setTimeout(() => this.#open(), reopenMs);
    });
  }
}
