import { instant } from "../model/instant.ts";
import type { Instant } from "../model/instant.ts";
import type { HttpResponse, SourceIo } from "./source.ts";

/** `Date` names a second, cut off: the answer was sent up to so much later. */
const dateStepMs = 1_000;

/**
 * When the far end sent an answer, by its own clock (`Date`, RFC 9110), at the earliest; undefined where it does not
 * say. A recording knows when its request left, and that counts instead.
 */
export function answeredAt({ headers, sentAt }: HttpResponse): Instant | undefined {
  if (sentAt !== undefined) return sentAt;
  const date = Date.parse(headers["date"] ?? "");
  return Number.isNaN(date) ? undefined : instant(date);
}

/** The far end's clock as its latest answer told it; ours where that answer does not say. */
export class FarClock {
  /** The same `io`, with its answers looked at as they come. */
  readonly io: SourceIo;
  #latest: HttpResponse | undefined;

  constructor(io: SourceIo) {
    this.io = {
      ...io,
      http: async (request) => {
        this.#latest = await io.http(request);
        return this.#latest;
      },
    };
  }

  /** When the latest answer was sent, at the earliest. */
  earliest(): Instant {
    return (this.#latest && answeredAt(this.#latest)) ?? this.io.now();
  }

  /** The same at the latest. */
  latest(): Instant {
    const at = this.#latest && answeredAt(this.#latest);
    if (at === undefined) return this.io.now();
    return this.#latest?.sentAt === undefined ? instant(at + dateStepMs) : at;
  }
}
