import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

export interface Target {
  readonly host: string;
  readonly port: number;
}

/**
 * *pass*: as if it were not there. *refuse*: links break and new ones are refused. *blackhole*: links stay open and
 * nothing passes in either direction, as with a far end that vanished. *mute*: what is said arrives, no answer comes.
 */
export type LinkMode = "pass" | "refuse" | "blackhole" | "mute";

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  /** What this link alone does; the proxy's mode where absent. */
  mode?: "blackhole" | "mute";
}

/** A link under our hands between a process and its PostgreSQL; counts what the process says, message by message. */
export class TcpProxy {
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #target: Target;
  #mode: LinkMode = "pass";
  /** How long each piece of data is held. */
  delayMs = 0;
  /** Messages from the process since the count was reset. */
  frames = 0;
  /** Called after message `frames` was handed on. */
  onFrame: ((number: number, type: string) => void) | undefined;

  private constructor(target: Target) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: false }, (client) => this.#accept(client));
  }

  static async open(target: Target): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await new Promise<void>((listening, failed) => {
      proxy.#server.once("error", failed).listen(0, "127.0.0.1", listening);
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get mode(): LinkMode {
    return this.#mode;
  }

  /** Links that stood still do not come to life again: as with a real cut, what was on the way is lost. */
  set mode(mode: LinkMode) {
    const before = this.#mode;
    this.#mode = mode;
    if (mode === "refuse" || (mode === "pass" && before !== "pass")) this.cut();
  }

  /** New links lead elsewhere; those that stand are cut. */
  retarget(target: Target): void {
    this.#target = target;
    this.cut();
  }

  /** Makes the links that stand fall silent, as when the far end vanished; new ones work. */
  freeze(mode: "blackhole" | "mute"): void {
    for (const link of this.#links) link.mode = mode;
  }

  /** Breaks every link. */
  cut(): void {
    for (const { client, server } of this.#links) {
      client.resetAndDestroy();
      server.destroy();
    }
    this.#links.clear();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((closed) => this.#server.close(() => closed()));
  }

  #accept(client: Socket): void {
    if (this.#mode === "refuse") {
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.#target);
    const link: Link = { client, server };
    this.#links.add(link);
    const end = () => {
      this.#links.delete(link);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on("error", end).on("close", end).setNoDelay(true);
    const counter = new FrameCounter();
    client.on("data", (data: Buffer) => this.#say(link, counter, data));
    server.on("data", (data: Buffer) => {
      if ((link.mode ?? this.#mode) === "pass") this.#hand(client, data);
    });
  }

  #say(link: Link, counter: FrameCounter, data: Buffer): void {
    if ((link.mode ?? this.#mode) === "blackhole") return;
    const { server } = link;
    for (const { bytes, type } of counter.split(data)) {
      this.#hand(server, bytes);
      if (type === undefined) continue;
      this.frames += 1;
      this.onFrame?.(this.frames, type);
      if (server.destroyed) return;
    }
  }

  #hand(to: Socket, data: Buffer): void {
    if (this.delayMs === 0) to.write(data);
    else setTimeout(() => to.write(data), this.delayMs);
  }
}

/** Takes what a client of PostgreSQL says apart (protocol 3.0): a start-up message without a type, then typed ones. */
class FrameCounter {
  #waiting = Buffer.alloc(0);
  #started = false;

  /** Whole messages, with their type where they have one. */
  split(data: Buffer): readonly { readonly bytes: Buffer; readonly type: string | undefined }[] {
    this.#waiting = Buffer.concat([this.#waiting, data]);
    const found: { bytes: Buffer; type: string | undefined }[] = [];
    for (;;) {
      const head = this.#started ? 1 : 0;
      if (this.#waiting.length < head + 4) return found;
      const length = head + this.#waiting.readUInt32BE(head);
      if (this.#waiting.length < length) return found;
      const bytes = this.#waiting.subarray(0, length);
      this.#waiting = this.#waiting.subarray(length);
      found.push({ bytes, type: this.#started ? String.fromCharCode(bytes[0]!) : undefined });
      this.#started = true;
    }
  }
}
