import { Transform, type Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { IsochronError } from "../../errors.ts";
import type { ApiLimits, PushCredit, PushRoom } from "./api-parts.ts";
import { onResponseEnd } from "./response-end.ts";

const unboundedRoom: PushRoom = {
  admit: () => ({ take: () => undefined, giveBack: () => undefined }),
};

/** Lets posted requests in as far as there is room: bounded per connection, so that one storm starves nobody. */
export class PushAdmission {
  readonly #limits: ApiLimits;
  readonly #room: PushRoom;
  readonly #underWay = new Map<string, number>();
  readonly #credits = new WeakMap<FastifyRequest, PushCredit>();

  constructor(limits: ApiLimits, room: PushRoom = unboundedRoom) {
    this.#limits = limits;
    this.#room = room;
  }

  /** Holds a place and the declared bytes until the answer is over. Throws `rate-limited` or `overloaded`. */
  admit(connection: string, request: FastifyRequest, reply: FastifyReply): void {
    this.#takePlace(connection, reply);
    const declared = declaredBytes(request) ?? 0;
    // A body over the limit is never read, so it needs no room.
    const credit = this.#room.admit(connection, declared > this.#limits.ingestBodyBytesMax ? 0 : declared);
    this.#credits.set(request, credit);
    onResponseEnd(reply.raw, () => credit.giveBack());
  }

  /** Takes room for more than was declared. Throws `rate-limited` or `overloaded`. */
  take(request: FastifyRequest, bytes: number): void {
    this.#credits.get(request)?.take(bytes);
  }

  /** The body; one of unknown length takes room as it comes, and ends with a refusal where there is none. */
  count(request: FastifyRequest, payload: Readable): Readable {
    if (declaredBytes(request) !== undefined) return payload;
    const counting = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        try {
          this.take(request, chunk.byteLength);
          done(null, chunk);
        } catch (error) {
          done(error as Error);
        }
      },
    });
    payload.on("error", (error) => counting.destroy(error));
    return payload.pipe(counting);
  }

  #takePlace(connection: string, { raw }: FastifyReply): void {
    const before = this.#underWay.get(connection) ?? 0;
    if (before >= this.#limits.ingestInFlightPerConnection) {
      throw new IsochronError(
        "rate-limited",
        `Connection ${connection} has ${before} requests under way already.`,
        "Wait as `Retry-After` says, then send it again.",
      );
    }
    this.#underWay.set(connection, before + 1);
    onResponseEnd(raw, () => {
      const left = (this.#underWay.get(connection) ?? 1) - 1;
      if (left === 0) this.#underWay.delete(connection);
      else this.#underWay.set(connection, left);
    });
  }
}

/** As `Content-Length` says; undefined where the body comes in chunks. */
export function declaredBytes({ headers }: FastifyRequest): number | undefined {
  const declared = Number(headers["content-length"]);
  return Number.isSafeInteger(declared) ? declared : undefined;
}
