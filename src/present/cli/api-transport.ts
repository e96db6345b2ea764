import { IsochronError } from "../../errors.ts";
import type { Api } from "./application.ts";

/** A finished answer. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** How requests reach an Isochron: over the network, or within this process. */
export interface Transport {
  /** `path` starts with the API's prefix. Throws `server-unavailable` when no answer came. */
  get(path: string): Promise<Answer>;
  /** A request that may change something, with its body as JSON where it has one. Throws as `get` does. */
  send(method: "POST" | "PUT" | "DELETE", path: string, body?: object): Promise<Answer>;
  /** An answer that goes on until the signal ends it. */
  stream(path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<StreamAnswer>;
}

export interface StreamAnswer {
  readonly status: number;
  readonly text: AsyncIterable<string>;
}

const answerWaitMs = 60_000;

/** Asks the server at `server` with the token as bearer. */
export class RemoteTransport implements Transport {
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #signal: AbortSignal;

  constructor(server: string, token: string | undefined, version: string, signal: AbortSignal) {
    this.#base = server.replace(/\/+$/, "");
    this.#headers = {
      "user-agent": `isochron-cli/${version}`,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    this.#signal = signal;
  }

  get(path: string): Promise<Answer> {
    return this.#ask(path, {});
  }

  send(method: "POST" | "PUT" | "DELETE", path: string, body?: object): Promise<Answer> {
    if (body === undefined) return this.#ask(path, { method });
    return this.#ask(path, {
      method,
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    });
  }

  async #ask(path: string, request: RequestInit & { headers?: Record<string, string> }): Promise<Answer> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(answerWaitMs)]);
    const headers = { ...this.#headers, accept: "application/json", ...request.headers };
    try {
      const response = await fetch(this.#base + path, { ...request, headers, signal, redirect: "error" });
      return { status: response.status, body: await response.text() };
    } catch (error) {
      throw this.#unavailable(error);
    }
  }

  async stream(
    path: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<StreamAnswer> {
    try {
      const response = await fetch(this.#base + path, {
        headers: { ...this.#headers, ...headers },
        signal,
        redirect: "error",
      });
      return { status: response.status, text: decode(response.body ?? []) };
    } catch (error) {
      throw this.#unavailable(error);
    }
  }

  /** The token would travel to wherever a redirect points, so redirects count as no answer. */
  #unavailable(error: unknown): unknown {
    if (this.#signal.aborted) return error;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const reason =
      error instanceof Error && error.name === "TimeoutError"
        ? `it gave no answer within ${answerWaitMs / 1000} s`
        : cause instanceof Error
          ? cause.message || cause.name
          : String(cause);
    return new IsochronError(
      "server-unavailable",
      `No answer from ${this.#base}: ${reason}.`,
      "Check --server (ISOCHRON_SERVER) and that the server runs.",
      { cause: error },
    );
  }
}

/** Asks the HTTP server of this process without a network in between: same routes, same scopes, same JSON. */
export class LocalTransport implements Transport {
  readonly #open: () => Promise<Api>;

  /** `open` is asked for the server at each request. */
  constructor(open: () => Promise<Api>) {
    this.#open = open;
  }

  async get(path: string): Promise<Answer> {
    const api = await this.#open();
    const response = await api.inject({ method: "GET", url: path });
    return { status: response.statusCode, body: response.body };
  }

  async send(method: "POST" | "PUT" | "DELETE", path: string, body?: object): Promise<Answer> {
    const api = await this.#open();
    const response = await api.inject({
      method,
      url: path,
      ...(body === undefined ? {} : { payload: body }),
    });
    return { status: response.statusCode, body: response.body };
  }

  async stream(
    path: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<StreamAnswer> {
    const api = await this.#open();
    const response = await api.inject({
      method: "GET",
      url: path,
      headers: { ...headers },
      payloadAsStream: true,
    });
    const stream = response.stream();
    signal.addEventListener("abort", () => stream.destroy(), { once: true });
    return { status: response.statusCode, text: decode(stream) };
  }
}

async function* decode(
  chunks: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array>,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const chunk of chunks) {
    yield typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
  }
  yield decoder.decode();
}
