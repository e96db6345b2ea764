import { IsochronError } from "../../errors.ts";
import type { JsonObject } from "../../model/json.ts";
import type { SourceIo } from "../source.ts";
import { findCloud, interfaceOf, regionOf } from "./clouds-yaml.ts";
import { asObject, text } from "./item.ts";
import type { AccessSettings } from "./settings.ts";

/** What is needed to sign in and to choose endpoints. Holds secrets: never log it. */
export interface CloudAccess {
  /** Keystone v3, ending in `/v3`. */
  readonly authUrl: string;
  /** The `identity` object of `POST /v3/auth/tokens`. */
  readonly identity: JsonObject;
  readonly scope?: JsonObject | string;
  readonly region?: string;
  readonly interface: "public" | "internal" | "admin";
}

const secretFields: ReadonlySet<string> = new Set(["password", "application_credential_secret", "token"]);

/** Resolves the settings to credentials, from clouds.yaml or in line. Throws `config-invalid`. */
export async function resolveAccess(
  settings: AccessSettings,
  io: Pick<SourceIo, "secret" | "readText" | "warn" | "addresses">,
): Promise<CloudAccess> {
  if (settings.auth !== undefined) {
    const auth: Record<string, string> = {};
    for (const [field, value] of Object.entries(settings.auth)) {
      if (value === undefined) continue;
      auth[field] = secretFields.has(field) ? io.secret(value) : value;
    }
    return makeAccess(auth, undefined, settings.region, settings.interface);
  }
  if (settings.cloud === undefined) {
    throw new IsochronError(
      "config-invalid",
      "The connection names no cloud.",
      "Set `cloud` to a name in clouds.yaml, or write credentials under `auth`.",
    );
  }
  const entry = await findCloud(settings.cloud, settings.clouds_file, io);
  const auth = asObject(entry["auth"]) ?? {};
  if (entry["verify"] === false || entry["insecure"] === true) {
    throw new IsochronError(
      "config-invalid",
      `The cloud ${settings.cloud} asks for TLS certificates not to be checked.`,
      "Remove `verify: false` and make the authority known with NODE_EXTRA_CA_CERTS.",
    );
  }
  if (text(entry, "cacert") !== undefined) {
    io.warn("`cacert` of clouds.yaml is not read; name the file in NODE_EXTRA_CA_CERTS");
  }
  const authUrl = text(auth, "auth_url");
  if (authUrl !== undefined) io.addresses?.own(authUrl);
  return makeAccess(
    auth,
    text(entry, "auth_type"),
    settings.region ?? regionOf(entry),
    settings.interface ?? interfaceOf(entry),
  );
}

function makeAccess(
  auth: JsonObject,
  type: string | undefined,
  region: string | undefined,
  side: CloudAccess["interface"] | undefined,
): CloudAccess {
  const url = need(auth, "auth_url").replace(/\/+$/, "");
  const method = methodOf(auth, type);
  // An application credential carries its own scope, and Keystone refuses a second one.
  const scope = method === "application_credential" ? undefined : scopeOf(auth);
  return {
    authUrl: url.endsWith("/v3") ? url : `${url.replace(/\/v2\.0$/, "")}/v3`,
    identity: identityOf(method, auth),
    ...(scope === undefined ? {} : { scope }),
    ...(region === undefined ? {} : { region }),
    interface: side ?? "public",
  };
}

type Method = "password" | "application_credential" | "token";

function methodOf(auth: JsonObject, type: string | undefined): Method {
  const named: Readonly<Record<string, Method>> = {
    password: "password",
    v3password: "password",
    v3applicationcredential: "application_credential",
    token: "token",
    v3token: "token",
  };
  if (type !== undefined) {
    const method = named[type];
    if (method !== undefined) return method;
    throw new IsochronError(
      "config-invalid",
      `The authentication type ${type} is not supported.`,
      "Use v3applicationcredential, v3password or v3token.",
    );
  }
  if (text(auth, "application_credential_secret") !== undefined) return "application_credential";
  return text(auth, "password") === undefined && text(auth, "token") !== undefined ? "token" : "password";
}

function identityOf(method: Method, auth: JsonObject): JsonObject {
  if (method === "token") return { methods: ["token"], token: { id: need(auth, "token") } };
  if (method === "password") {
    return {
      methods: ["password"],
      password: { user: { ...userOf(auth), password: need(auth, "password") } },
    };
  }
  const id = text(auth, "application_credential_id");
  const secret = need(auth, "application_credential_secret");
  const credential =
    id === undefined
      ? { name: need(auth, "application_credential_name"), user: userOf(auth), secret }
      : { id, secret };
  return { methods: ["application_credential"], application_credential: credential };
}

function userOf(auth: JsonObject): JsonObject {
  const id = text(auth, "user_id");
  if (id !== undefined) return { id };
  return { name: need(auth, "username"), domain: domainOf(auth, "user_domain") };
}

/** The domain by id or name; without either Keystone's own `default`, as openstackclient does. */
function domainOf(auth: JsonObject, field: "user_domain" | "project_domain"): JsonObject {
  const id = text(auth, `${field}_id`);
  const name = text(auth, `${field}_name`);
  return id !== undefined ? { id } : name !== undefined ? { name } : { id: "default" };
}

function scopeOf(auth: JsonObject): JsonObject | undefined {
  if (text(auth, "system_scope") === "all") return { system: { all: true } };
  const projectId = text(auth, "project_id") ?? text(auth, "tenant_id");
  if (projectId !== undefined) return { project: { id: projectId } };
  const project = text(auth, "project_name") ?? text(auth, "tenant_name");
  if (project !== undefined) return { project: { name: project, domain: domainOf(auth, "project_domain") } };
  const domainId = text(auth, "domain_id");
  if (domainId !== undefined) return { domain: { id: domainId } };
  const domain = text(auth, "domain_name");
  return domain === undefined ? undefined : { domain: { name: domain } };
}

function need(auth: JsonObject, field: string): string {
  const value = text(auth, field);
  if (value !== undefined) return value;
  throw new IsochronError(
    "config-invalid",
    `The credentials have no ${field}.`,
    "Complete them in clouds.yaml or under `auth`.",
  );
}
