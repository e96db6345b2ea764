import { IsochronError } from "../../errors.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import type { HttpResponse } from "../source.ts";
import { asObject } from "./item.ts";

/** The JSON object in an answer's body. Throws `source-malformed` for anything else. */
export function decodeBody(answer: HttpResponse, from: string): JsonObject {
  const value = asObject(parse(new TextDecoder().decode(answer.body)));
  if (value !== undefined) return value;
  throw new IsochronError(
    "source-malformed",
    `${from} answered with something that is not a JSON object.`,
    "Check that the endpoint in the catalog is the service itself.",
  );
}

function parse(body: string): Json | undefined {
  try {
    return JSON.parse(body) as Json;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
