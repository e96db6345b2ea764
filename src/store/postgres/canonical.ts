import { createHash } from "node:crypto";

/** JSON with sorted keys and without absent fields: equal values, equal text. */
export function canonical(value: unknown): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  let text = "";
  if (Array.isArray(value)) {
    for (const item of value) text += text === "" ? canonical(item) : `,${canonical(item)}`;
    return `[${text}]`;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(fields).sort()) {
    const field = fields[name];
    if (field !== undefined) text += `${text === "" ? "" : ","}${JSON.stringify(name)}:${canonical(field)}`;
  }
  return `{${text}}`;
}

/** What a record says, as 32 bytes; a draft holds no time of arrival. */
export function contentHash(value: unknown): Buffer {
  return createHash("sha256").update(canonical(value)).digest();
}

export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
