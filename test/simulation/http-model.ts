import type { HttpClient, HttpRequest, HttpResponse } from "../../src/sources/source.ts";
import type { ScenarioPlace } from "./scenario.ts";
import type { Actor } from "./world.ts";

/** An answer with a body of JSON. */
export function answerJson(body: unknown, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  return { status: 200, headers, body: new TextEncoder().encode(JSON.stringify(body)) };
}

/** A service over HTTP as a process reaches it, with the answers that services give when they are not well. */
export function httpClientOver(
  { world, weather, active }: ScenarioPlace,
  actor: Actor,
  answer: (request: HttpRequest, url: URL) => HttpResponse | Promise<HttpResponse>,
): HttpClient {
  return (request) => {
    const url = new URL(request.url);
    return world.call(actor, `${request.method} ${url.pathname}`, weather, async () => {
      const isUnwell = !world.calm && active.has("source outage") && world.random.chance(0.05);
      const good = isUnwell && world.random.chance(0.5) ? undefined : await answer(request, url);
      if (good === undefined) return world.random.pick(refusals);
      // A body that was cut is no answer, whatever its status says.
      return isUnwell ? { ...good, body: good.body.slice(0, Math.floor(good.body.length / 2)) } : good;
    });
  };
}

const refusals: readonly HttpResponse[] = [
  { status: 429, headers: { "retry-after": "7" }, body: new Uint8Array() },
  { status: 503, headers: {}, body: new Uint8Array() },
  { status: 500, headers: {}, body: new TextEncoder().encode("<html>oops</html>") },
  { status: 401, headers: {}, body: new Uint8Array() },
  { status: 200, headers: {}, body: new TextEncoder().encode("<html>sign in</html>") },
];
