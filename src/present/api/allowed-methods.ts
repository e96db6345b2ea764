/** Which methods the routes answer at a path, for `405` and its `Allow`. */
export class AllowedMethods {
  readonly #routes: { readonly segments: readonly string[]; readonly methods: readonly string[] }[] = [];

  add(pattern: string, methods: string | readonly string[]): void {
    this.#routes.push({ segments: pattern.split("/"), methods: [methods].flat() });
  }

  /** Sorted and without repeats; empty where no route is. */
  at(path: string): readonly string[] {
    const segments = path.split("/");
    const methods = this.#routes
      .filter((route) => matches(route.segments, segments))
      .flatMap((route) => route.methods);
    return [...new Set(methods)].toSorted();
  }
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.length !== segments.length) return false;
  return pattern.every((part, index) =>
    part.startsWith(":") ? segments[index] !== "" : part === segments[index],
  );
}
