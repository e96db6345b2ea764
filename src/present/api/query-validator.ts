import type { FastifySchemaCompiler } from "fastify";
import type { z } from "zod";
import { IsochronError } from "../../errors.ts";
import { notFound } from "./problem.ts";

/**
 * Compiles zod schemas for Fastify. Every problem is told at once, in words; bad path parameters are
 * answered like an address that is not there.
 */
export const compileValidator: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  return (data: unknown) => {
    // A body of `null` is as empty as none.
    const given = data ?? {};
    const result = schema.safeParse(given);
    if (result.success) return { value: result.data };
    if (httpPart === "params") return { error: notFound() };
    const detail = result.error.issues.map((issue) => describeIssue(issue, given)).join("; ");
    return { error: httpPart === "body" ? bodyInvalid(`${detail}.`) : queryInvalid(`${detail}.`) };
  };
};

/** A query that cannot be answered, with the parameters' problems in one sentence. */
export function queryInvalid(detail: string): IsochronError {
  return new IsochronError("query-invalid", detail, "See /api/v1/reference for what this address takes.");
}

function bodyInvalid(detail: string): IsochronError {
  return new IsochronError("body-invalid", detail, "See /api/v1/reference for what this address takes.");
}

function describeIssue(issue: z.core.$ZodIssue, data: unknown): string {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => `${quote(key)} is not known here`).join("; ");
  }
  const [name] = issue.path;
  if (name === undefined) return "The body is not one of the forms that are taken";
  const value = (data as Record<PropertyKey, unknown>)[name];
  if (issue.code === "invalid_type" && Array.isArray(value)) return `${quote(name)} is given more than once`;
  if (issue.code === "invalid_type" && value === undefined) return `${quote(name)} is missing`;
  return `${quote(name)} is ${lowerFirst(issue.message)}`;
}

/** Names come from the caller and go back to the caller: short, and without anything that draws. */
function quote(name: PropertyKey): string {
  return (
    "`" +
    String(name)
      .slice(0, 60)
      .replaceAll(/[^\x20-\x5f\x61-\x7e]/g, "?") +
    "`"
  );
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
