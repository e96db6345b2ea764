import type { ServerResponse } from "node:http";

/** Runs `action` once when the answer is over or its client has gone, also if that has happened already. */
export function onResponseEnd(response: ServerResponse, action: () => void): void {
  if (response.closed || response.destroyed) action();
  else response.once("close", action);
}
