/** The longest type that is kept; more is cut. */
export const eventTypeCharsMax = 255;

/**
 * Makes a foreign type name regular: dotted, lower case, matching {@link regularEventType}. Signs that have no
 * place in it become `_`; a name without any letter or digit becomes `unnamed`. Idempotent.
 */
export function regularizeEventType(name: string): string {
  const segments = name
    .slice(0, eventTypeCharsMax)
    .toLowerCase()
    .replaceAll(/[^a-z0-9_.:-]+/g, "_")
    .split(".")
    .filter((segment) => /[a-z0-9]/.test(segment));
  const [first, ...rest] = segments;
  if (first === undefined) return "unnamed";
  return [first.replaceAll(/[:-]+/g, "_"), ...rest].join(".").slice(0, eventTypeCharsMax).replace(/\.$/, "");
}

/** What every stored type matches: the first part is a plain word, later ones may hold `:` and `-`. */
export const regularEventType = /^[a-z0-9_]+(\.[a-z0-9_:-]+)*$/;
