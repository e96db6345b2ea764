import type { FastifyReply, FastifyRequest } from "fastify";
import { IsochronError } from "../../errors.ts";
import type { ProblemJson } from "./contract.ts";

/** What is missing and what is not the caller's to see are told apart nowhere: one text for both. */
export function notFound(): IsochronError {
  return new IsochronError(
    "not-found",
    "There is no such thing here, or it is not yours to see.",
    "Check the address, and as whom you are signed in.",
  );
}

/** One text for no, unknown, expired and revoked credentials. */
export function notSignedIn(): IsochronError {
  return new IsochronError(
    "not-signed-in",
    "The request carries no credentials that are valid here.",
    "Send `Authorization: Bearer <token>`, or sign in with POST /api/v1/session.",
  );
}

export function cursorInvalid(): IsochronError {
  return new IsochronError(
    "cursor-invalid",
    "The cursor does not belong to this query.",
    "Start again without a cursor.",
  );
}

/** RFC 9457 members of an expected failure. */
export function problemOf(error: IsochronError): ProblemJson {
  return {
    type: `/docs/errors#${error.code}`,
    title: error.title,
    status: error.status,
    code: error.code,
    detail: error.problem,
    remedy: error.remedy,
  };
}

/** The least that a caller is asked to wait, in seconds, where it is not said otherwise. */
const restSeconds: Partial<Record<IsochronError["code"], number>> = {
  // A full disk or a failover is not over in a moment.
  "store-unavailable": 10,
};

/** Up to twice the least, so that callers who were refused together do not come back together. */
export function retryAfterSeconds(code: IsochronError["code"], random: () => number = Math.random): number {
  const least = restSeconds[code] ?? 5;
  return least + Math.floor(random() * (least + 1));
}

/** Answers every failure as a problem document; whatever is not expected is a bug and tells nothing. */
export function answerFailure(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const expected = error instanceof IsochronError ? error : refusalOf(error);
  if (expected === undefined) {
    request.log.error({ err: error }, "a request failed unexpectedly");
    sendProblem(reply, bugProblem(request.id));
    return;
  }
  if (expected.kind === "unavailable") {
    request.log.warn({ err: expected }, "a request had to be put off");
    if (!reply.hasHeader("retry-after")) {
      void reply.header("retry-after", String(retryAfterSeconds(expected.code)));
    }
  }
  if (expected.kind === "denied") void reply.header("www-authenticate", 'Bearer realm="isochron"');
  sendProblem(reply, problemOf(expected));
}

function sendProblem(reply: FastifyReply, problem: ProblemJson): void {
  void reply
    .code(problem.status)
    .header("content-type", "application/problem+json; charset=utf-8")
    .header("cache-control", "no-store")
    .send(JSON.stringify(problem));
}

function bugProblem(requestId: string): ProblemJson {
  return {
    type: "/docs/errors#internal",
    title: "Something is wrong on our side",
    status: 500,
    code: "internal",
    detail: `Request ${requestId} could not be answered.`,
    remedy: "Try again; if it happens again, give the operator this request's id.",
  };
}

/** Fastify's own refusals, by its code; undefined for what is no refusal. */
function refusalOf(error: unknown): IsochronError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, statusCode } = error as Error & { code?: unknown; statusCode?: unknown };
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new IsochronError("body-too-large", "The body is over the limit.", "Send it in smaller parts.");
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new IsochronError(
        "media-type-unknown",
        "The body's content type is not one that this address takes.",
        "Send application/json.",
      );
    case "FST_ERR_BAD_URL":
      return new IsochronError(
        "query-invalid",
        "The address holds a percent sign that encodes nothing.",
        "Write it as UTF-8, percent-encoded.",
      );
    case "FST_ERR_MAX_PARAM_LENGTH":
      return notFound();
  }
  if (typeof statusCode !== "number" || statusCode < 400 || statusCode > 499) return undefined;
  if (statusCode === 403 || statusCode === 404) return notFound();
  return new IsochronError("body-invalid", "The body cannot be read as JSON.", "Send one JSON document.");
}
