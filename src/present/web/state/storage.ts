import { effect, signal, type Signal } from "@preact/signals";

/** A signal that outlives the page, where the browser allows it. `accept` guards against what others stored. */
export function storedSignal<T extends string | boolean>(
  name: string,
  initial: T,
  accept: (value: unknown) => value is T,
): Signal<T> {
  const key = `isochron.${name}`;
  const stored = readStored(key);
  const value = signal<T>(accept(stored) ? stored : initial);
  effect(() => {
    writeStored(key, value.value);
  });
  return value;
}

function readStored(key: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null") as unknown;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DOMException) return null;
    throw error;
  }
}

function writeStored(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch (error) {
    // Private windows may refuse storage; the preference then lasts as long as the page.
    if (!(error instanceof DOMException)) throw error;
  }
}
