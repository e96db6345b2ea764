import type { Json } from "../../model/json.ts";

/** The value at a dotted path; undefined where there is none. Only own fields count. */
export function valueAt(item: Json | undefined, path: string): Json | undefined {
  let value = item;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, Json>>)[name];
  }
  return value;
}

/** The first of several paths that leads to a text or a number, as text. */
export function textAt(
  item: Json | undefined,
  paths: string | readonly string[] | undefined,
): string | undefined {
  const all = typeof paths === "string" ? [paths] : (paths ?? []);
  for (const path of all) {
    const value = valueAt(item, path);
    if (typeof value === "number") return String(value);
    if (typeof value === "string" && value.trim() !== "") return value;
  }
  return undefined;
}

/** What may stand in a query or a path: an id from an answer must not be able to change what is asked. */
const plainId = /^(?!\.+$)[\w.:-]{1,128}$/;

/** An item's id, where it is one that can be asked for. */
export function idAt(item: Json | undefined, path: string): string | undefined {
  const id = textAt(item, path);
  return id !== undefined && plainId.test(id) ? id : undefined;
}

/** Fills `{name}` in; an unknown name is left as it stands. */
export function fillIn(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{([a-z_]+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? values[name]! : whole,
  );
}

/** A text as a part of an address. */
export function encodePart(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
