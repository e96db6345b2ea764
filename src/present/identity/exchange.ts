import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { unavailable } from "./identity-failure.ts";

export interface ExchangeRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ExchangeAnswer {
  readonly status: number;
  /** By names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * One request to an identity service. Any status but a redirect is an answer; a redirect is never followed, because the
 * request holds credentials. Throws `identity-unavailable`, whose words hold neither credentials nor a query.
 */
export type Exchange = (request: ExchangeRequest) => Promise<ExchangeAnswer>;

export interface ExchangeOptions {
  /** Of the identity service, for messages. */
  readonly name: string;
  /** PEM; the only authorities that are believed, the system's own where absent. */
  readonly ca?: string;
  /** From asking to the last byte, waiting for a connection included. */
  readonly timeoutMs?: number;
  readonly bodyBytesMax?: number;
}

const timeoutMsUsual = 10_000;
const bodyBytesMaxUsual = 8 * 1024 * 1024;
/** A slow service must not take all of the process's connections. */
const connectionsMax = 32;

export function createExchange(options: ExchangeOptions): Exchange {
  const { name, ca, timeoutMs = timeoutMsUsual } = options;
  const pool = { keepAlive: true, maxSockets: connectionsMax, timeout: timeoutMs };
  const plain = new HttpAgent(pool);
  const secure = new HttpsAgent({ ...pool, ...(ca === undefined ? {} : { ca }) });
  return async (request) => {
    const send = (again: boolean): Promise<ExchangeAnswer> =>
      sendOnce(request, { ...options, plain, secure, signal, again });
    const signal = AbortSignal.timeout(timeoutMs);
    const answer = await send(true);
    if (answer.status < 300 || answer.status > 399) return answer;
    throw unavailable(name, `${withoutQuery(request.url)} redirects, which is not followed`);
  };
}

interface Sending extends ExchangeOptions {
  readonly plain: HttpAgent;
  readonly secure: HttpsAgent;
  readonly signal: AbortSignal;
  /** Whether a kept connection that turns out to be closed may be replaced by a new one. */
  readonly again: boolean;
}

function sendOnce(request: ExchangeRequest, sending: Sending): Promise<ExchangeAnswer> {
  const { plain, secure, signal, name } = sending;
  const { method, url, headers = {}, body } = request;
  const isSecure = url.startsWith("https:");
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      const isStale = outgoing.reusedSocket && ["ECONNRESET", "EPIPE"].includes(error.code ?? "");
      if (isStale && sending.again && !signal.aborted) {
        resolve(sendOnce(request, { ...sending, again: false }));
        return;
      }
      const why = signal.aborted ? "no answer in time" : (error.code ?? error.message);
      reject(unavailable(name, `${withoutQuery(url)}: ${why}`));
    };
    const outgoing = (isSecure ? requestHttps : requestHttp)(
      url,
      { method, headers: { ...headers, ...length }, agent: isSecure ? secure : plain, signal },
      (answer) => readBody(answer, sending, url).then(resolve, fail),
    );
    outgoing.on("error", fail);
    outgoing.end(body);
  });
}

async function readBody(answer: IncomingMessage, sending: Sending, url: string): Promise<ExchangeAnswer> {
  const { bodyBytesMax = bodyBytesMaxUsual } = sending;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyBytesMax) {
      answer.destroy();
      throw new Error(`its answer is larger than ${bodyBytesMax} bytes`);
    }
    chunks.push(chunk);
  }
  if (!answer.complete) throw new Error(`${withoutQuery(url)} ended its answer early`);
  const headers = Object.fromEntries(
    Object.entries(answer.headers).map(([key, value]) => [
      key,
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
  return { status: answer.statusCode ?? 0, headers, body: Buffer.concat(chunks, size) };
}

/** The answer's JSON; throws `identity-unavailable` for anything else, as login pages of proxies are. */
export function readJson(name: string, url: string, { body, status }: ExchangeAnswer): unknown {
  try {
    return JSON.parse(body.toString("utf8")) as unknown;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw unavailable(name, `${withoutQuery(url)} answered ${status} with something that is not JSON`);
  }
}

/** The same as a `fetch`, for a library that brings its own requests. */
export function fetchThrough(exchange: Exchange): (url: string, init: FetchInit) => Promise<Response> {
  return async (url, { method, headers, body }) => {
    if (method !== "GET" && method !== "POST") throw new TypeError(`no ${method} is sent`);
    const answer = await exchange({
      method,
      url,
      headers: Object.fromEntries(new Headers(headers)),
      ...(body === undefined || body === null ? {} : { body: asText(body) }),
    });
    // These have no body, and Response throws for one.
    const bare = [204, 205, 304].includes(answer.status);
    return new Response(bare ? null : new Uint8Array(answer.body), {
      status: answer.status,
      headers: answer.headers,
    });
  };
}

interface FetchInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

function asText(body: unknown): string {
  if (typeof body === "string" || body instanceof URLSearchParams) return String(body);
  throw new TypeError("only texts and forms are sent");
}

function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
