import { IsochronError } from "../../errors.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import type { HttpResponse, SourceIo } from "../source.ts";
import type { CloudAccess } from "./credentials.ts";
import { asObject, objects, text } from "./item.ts";
import { decodeBody } from "./answer.ts";
import type { ServiceName } from "./settings.ts";

/** Every service that any source asks, by the names that OpenStack's service-types authority gives them. */
export type CatalogService = ServiceName | "orchestration" | "load-balancer";

/** A signed-in conversation with one cloud; the token is issued again once when a service refuses it. */
export interface CloudSession {
  /** The service's address with its version, e.g. `https://nova.example/v2.1`; undefined when the catalog has none. */
  readonly endpoint: (service: CatalogService) => string | undefined;
  /**
   * Reads `path` (with its query) under the service's address, or under another `base`. Every status but 401
   * is an answer. Throws `source-denied` when a fresh token is refused too, `source-unavailable` when none came.
   */
  readonly get: (
    service: CatalogService,
    path: string,
    options?: { readonly base?: string; readonly headers?: Readonly<Record<string, string>> },
  ) => Promise<HttpResponse>;
}

interface Signed {
  readonly token: string;
  readonly catalog: readonly JsonObject[];
}

/** Older catalogs name a service otherwise; the service-types authority's own name comes first. */
const catalogTypes: Readonly<Record<CatalogService, readonly string[]>> = {
  identity: ["identity"],
  compute: ["compute"],
  "block-storage": ["block-storage", "volumev3", "block-store"],
  network: ["network"],
  image: ["image"],
  orchestration: ["orchestration"],
  "load-balancer": ["load-balancer"],
};

/** A catalog may give an address with or without its version. */
const versionPaths: Readonly<Record<CatalogService, { readonly has: RegExp; readonly add: string }>> = {
  identity: { has: /\/v3$/, add: "/v3" },
  compute: { has: /\/v2(\.\d+)?(\/[^/]+)?$/, add: "/v2.1" },
  "block-storage": { has: /\/v3(\/[^/]+)?$/, add: "/v3" },
  network: { has: /\/v2\.0$/, add: "/v2.0" },
  image: { has: /\/v2$/, add: "/v2" },
  // Heat's address ends with the project of whoever asks, which the catalog knows and nobody else.
  orchestration: { has: /\/v1\/[^/]+$/, add: "" },
  "load-balancer": { has: /\/v2(\.0)?$/, add: "/v2.0" },
};

/** Signs in at Keystone v3 (`POST /v3/auth/tokens`). Throws `source-denied`, `source-unavailable`, `source-malformed`. */
export async function openSession(
  access: CloudAccess,
  io: Pick<SourceIo, "http" | "signal">,
): Promise<CloudSession> {
  let signed = await signIn(access, io);
  const endpoint = (service: CatalogService): string | undefined =>
    findEndpoint(signed.catalog, service, access);
  const ask = (url: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpResponse> => {
    io.signal.throwIfAborted();
    return io.http({
      method: "GET",
      url,
      headers: { accept: "application/json", ...headers, "x-auth-token": signed.token },
    });
  };
  return {
    endpoint,
    get: async (service, path, options = {}) => {
      const base = options.base ?? endpoint(service);
      if (base === undefined) throw denied(`The catalog has no ${service} service.`);
      const used = signed;
      const answer = await ask(base + path, options.headers);
      if (answer.status !== 401) return answer;
      // Requests run side by side: only the first that meets an expired token renews it.
      if (signed === used) signed = await signIn(access, io);
      const second = await ask(base + path, options.headers);
      if (second.status === 401) throw denied(`${service} refused a fresh token.`);
      return second;
    },
  };
}

async function signIn(access: CloudAccess, io: Pick<SourceIo, "http" | "signal">): Promise<Signed> {
  io.signal.throwIfAborted();
  const answer = await io.http({
    method: "POST",
    // A second token does no harm to the first.
    repeatable: true,
    url: `${access.authUrl}/auth/tokens`,
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({
      auth: { identity: access.identity, ...(access.scope === undefined ? {} : { scope: access.scope }) },
    }),
  });
  if (answer.status === 401 || answer.status === 403) {
    throw denied(`Keystone refused the credentials (${answer.status}).`);
  }
  if (answer.status !== 200 && answer.status !== 201) {
    throw new IsochronError(
      answer.status >= 500 || answer.status === 429 ? "source-unavailable" : "source-malformed",
      `Keystone at ${access.authUrl} answered the sign-in with ${answer.status}.`,
      "Check auth_url and the state of Keystone.",
    );
  }
  const token = answer.headers["x-subject-token"];
  const issued = asObject(decodeBody(answer, "Keystone")["token"] as Json | undefined);
  if (token === undefined || issued === undefined) {
    throw new IsochronError(
      "source-malformed",
      `Keystone at ${access.authUrl} answered without a token.`,
      "Check that auth_url is Keystone's.",
    );
  }
  return { token, catalog: objects(issued["catalog"]) };
}

function findEndpoint(
  catalog: readonly JsonObject[],
  service: CatalogService,
  access: CloudAccess,
): string | undefined {
  const endpoints = catalogTypes[service].flatMap((type) =>
    catalog.filter((entry) => text(entry, "type") === type).flatMap((entry) => objects(entry["endpoints"])),
  );
  const found = endpoints.find((item) => {
    const region = text(item, "region_id") ?? text(item, "region");
    return (
      text(item, "interface") === access.interface &&
      (access.region === undefined || region === access.region)
    );
  });
  const url = text(found, "url")?.replace(/\/+$/, "");
  // Keystone's own catalog entry is often missing or unreachable, while the sign-in has just proved this one.
  if (url === undefined) return service === "identity" ? access.authUrl : undefined;
  const version = versionPaths[service];
  return version.has.test(url) ? url : url + version.add;
}

function denied(problem: string): IsochronError {
  return new IsochronError("source-denied", problem, "Check the credentials, their roles and the catalog.");
}
