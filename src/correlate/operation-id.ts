import type { EntityRef } from "../model/entity.ts";
import { entityKey, parseEntityKey } from "../model/entity.ts";
import type { Instant } from "../model/instant.ts";
import { instant, isInRange } from "../model/instant.ts";

/** By what an operation is found again: what it works on, and the request or, without one, the moment of its first sign. */
export interface OperationKeyParts {
  readonly subject: EntityRef;
  readonly plane: string;
  readonly requestId?: string;
  readonly firstAt?: Instant;
}

const prefix = "op_";
const charsMax = 1_200;

/** Names the operation within what its reader sees; made of nothing but what the reader is shown of it anyway. */
export function operationKeyOf({ subject, plane, requestId, firstAt }: OperationKeyParts): string {
  const parts = [plane, entityKey(subject), requestId ?? "", requestId === undefined ? String(firstAt) : ""];
  return prefix + Buffer.from(JSON.stringify(parts), "utf8").toString("base64url");
}

/** The inverse; undefined for what was never made so. */
export function parseOperationKey(id: string): OperationKeyParts | undefined {
  if (!id.startsWith(prefix) || id.length > charsMax) return undefined;
  const parts = parseParts(Buffer.from(id.slice(prefix.length), "base64url").toString("utf8"));
  if (parts === undefined) return undefined;
  const [plane, key, requestId, first] = parts;
  if (plane === undefined || !/^[a-z_0-9]+:./.test(key ?? "")) return undefined;
  const firstAt = Number(first);
  const found: OperationKeyParts = {
    subject: parseEntityKey(key!),
    plane,
    ...(requestId === "" || requestId === undefined
      ? { firstAt: instant(first === "" || !isInRange(firstAt) ? 0 : firstAt) }
      : { requestId }),
  };
  return operationKeyOf(found) === id ? found : undefined;
}

function parseParts(text: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isParts =
      Array.isArray(value) && value.length === 4 && value.every((part) => typeof part === "string");
    return isParts ? (value as readonly string[]) : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}
