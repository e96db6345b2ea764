/** The longest message that is read, in bytes; RFC 5424 asks for 2,048 and senders stay below 64 KiB. */
export const frameBytesMax = 64 * 1024;

/** One message as it was framed. */
export interface Frame {
  readonly bytes: Uint8Array;
  /** The message is longer than what is kept of it. */
  readonly tooLarge?: true;
  /** The connection ended before the message did. */
  readonly incomplete?: true;
}

/** Digits and a space before a message: at most so many, more than any count needs. */
const countDigitsMax = 9;

const lineFeed = 0x0a;
const space = 0x20;

/**
 * Cuts a stream into messages after RFC 6587, each by its own beginning as rsyslog does: a count of octets where it
 * begins with digits and a space, else a line. Holds at most one message of {@link frameBytesMax} bytes.
 */
export class FrameSplitter {
  #rest: Buffer = Buffer.alloc(0);
  /** What is still to come of a message that was too large: so many bytes, or the rest of the line. */
  #skip: number | "line" = 0;

  /** Yields each message that the chunk completes. It must be read to its end before the next chunk. */
  *split(chunk: Uint8Array): Generator<Frame> {
    this.#rest = this.#rest.byteLength === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
    while (this.#rest.byteLength > 0 && this.#skipped()) {
      const count = readCount(this.#rest);
      if (count === "unknown") return;
      const frame = count === undefined ? this.#takeLine() : this.#takeCounted(count.start, count.length);
      if (frame === undefined) return;
      if (frame.bytes.byteLength > 0) yield frame;
    }
  }

  /** What was left when the connection ended: a last line may lack its end, a counted message may not. */
  *end(): Generator<Frame> {
    const bytes = this.#rest;
    this.#rest = Buffer.alloc(0);
    if (bytes.byteLength === 0 || this.#skip !== 0) return;
    const isCounted = typeof readCount(bytes) === "object";
    yield isCounted ? { bytes, incomplete: true } : { bytes: withoutEnd(bytes) };
  }

  /** Passes over what is too large; false while more of it is to come. */
  #skipped(): boolean {
    if (this.#skip === 0) return true;
    const end = this.#skip === "line" ? this.#rest.indexOf(lineFeed) + 1 : this.#skip;
    if (end === 0 || end > this.#rest.byteLength) {
      if (typeof this.#skip === "number") this.#skip -= this.#rest.byteLength;
      this.#rest = Buffer.alloc(0);
      return false;
    }
    this.#rest = this.#rest.subarray(end);
    this.#skip = 0;
    return this.#rest.byteLength > 0;
  }

  #takeCounted(start: number, length: number): Frame | undefined {
    const kept = Math.min(length, frameBytesMax);
    if (this.#rest.byteLength < start + kept) return undefined;
    const bytes = this.#rest.subarray(start, start + kept);
    this.#rest = this.#rest.subarray(start + kept);
    this.#skip = length - kept;
    return length > kept ? { bytes, tooLarge: true } : { bytes: withoutEnd(bytes) };
  }

  #takeLine(): Frame | undefined {
    const end = this.#rest.indexOf(lineFeed);
    if (end >= 0 && end <= frameBytesMax) {
      const bytes = this.#rest.subarray(0, end);
      this.#rest = this.#rest.subarray(end + 1);
      return { bytes: withoutEnd(bytes) };
    }
    if (this.#rest.byteLength <= frameBytesMax) return undefined;
    const bytes = this.#rest.subarray(0, frameBytesMax);
    this.#rest = this.#rest.subarray(frameBytesMax);
    this.#skip = "line";
    return { bytes, tooLarge: true };
  }
}

/** The count before a message; undefined where there is none, `unknown` while it may still become one. */
function readCount(bytes: Buffer): { start: number; length: number } | undefined | "unknown" {
  const first = bytes[0]!;
  if (first < 0x31 || first > 0x39) return undefined;
  const head = bytes.subarray(0, countDigitsMax + 1);
  const digits = head.findIndex((byte) => byte < 0x30 || byte > 0x39);
  if (digits < 0) return head.byteLength > countDigitsMax ? undefined : "unknown";
  if (head[digits] !== space) return undefined;
  return { start: digits + 1, length: Number(head.toString("latin1", 0, digits)) };
}

/** A message without the line break or the NUL that senders end it with; rsyslog counts its line break. */
function withoutEnd(bytes: Buffer): Buffer {
  let end = bytes.byteLength;
  while (end > 0 && [lineFeed, 0x0d, 0].includes(bytes[end - 1]!)) end -= 1;
  return bytes.subarray(0, end);
}
