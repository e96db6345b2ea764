/** Stands in for `node:timers/promises` in the product's own files, on the world's clock. */
export function setTimeout<Value>(
  ms = 0,
  value?: Value,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Value | undefined> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(abortError(signal));
      return;
    }
    const onAbort = () => {
      globalThis.clearTimeout(timer);
      reject(abortError(signal));
    };
    const timer = globalThis.setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve(value);
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

function abortError(signal: AbortSignal | undefined): Error {
  return Object.assign(new Error("The operation was aborted", { cause: signal?.reason }), {
    name: "AbortError",
    code: "ABORT_ERR",
  });
}

/** A turn of the loop: at once, but after everything that is under way. */
export function setImmediate<Value>(value?: Value): Promise<Value | undefined> {
  return setTimeout(0, value);
}
