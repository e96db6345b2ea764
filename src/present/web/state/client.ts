import type { ProblemJson } from "../../api/contract.ts";

/** A request that failed, in words for people. */
export class RequestFailure extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly remedy: string;
  readonly requestId: string | undefined;

  constructor(status: number, problem: Pick<ProblemJson, "code" | "detail" | "remedy">, requestId?: string) {
    super(`${problem.code}: ${problem.detail}`);
    this.name = "RequestFailure";
    this.status = status;
    this.code = problem.code;
    this.detail = problem.detail;
    this.remedy = problem.remedy;
    this.requestId = requestId;
  }
}

const prefix = "/api/v1/";

/** Reads `path` below the API's prefix. Throws {@link RequestFailure}; an abort is rethrown as it is. */
export async function readApi<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await callApi(path, signal === undefined ? {} : { signal })) as T;
}

/** Sends a body; the header proves that the request came from these pages and not from another site. */
export async function sendApi<T>(
  method: "POST" | "PUT" | "DELETE",
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const headers: Record<string, string> = { "X-Isochron-CSRF": "1" };
  if (body !== undefined) headers["content-type"] = "application/json";
  return (await callApi(path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  })) as T;
}

async function callApi(path: string, init: RequestInit): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(prefix + path, { credentials: "same-origin", ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    if (!(error instanceof TypeError)) throw error;
    throw new RequestFailure(0, {
      code: "unreachable",
      detail: "The Isochron server does not answer.",
      remedy: "Check that it is running and that this machine can reach it, then try again.",
    });
  }
  const text = await response.text();
  if (response.ok) return text === "" ? undefined : readJson(text, response);
  const problem = readProblem(text, response);
  throw new RequestFailure(response.status, problem, response.headers.get("x-request-id") ?? undefined);
}

function readJson(text: string, response: Response): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new RequestFailure(response.status, unreadable(response));
  }
}

function readProblem(text: string, response: Response): Pick<ProblemJson, "code" | "detail" | "remedy"> {
  if (!(response.headers.get("content-type") ?? "").includes("json")) return unreadable(response);
  const body = readJson(text, response) as Partial<ProblemJson> | null;
  return {
    code: body?.code ?? `http-${response.status}`,
    detail: body?.detail ?? body?.title ?? "The request failed.",
    remedy: body?.remedy ?? "Try again.",
  };
}

function unreadable(response: Response): Pick<ProblemJson, "code" | "detail" | "remedy"> {
  return {
    code: `http-${response.status}`,
    detail: `The server answered ${response.status} with something that is not JSON.`,
    remedy: "Is there a proxy in between? Try again, and look at the server's log.",
  };
}

/** Whether a thrown thing is only the end of a request that nobody waits for any more. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
