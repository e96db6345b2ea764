import { parse } from "yaml";
import { IsochronError } from "../../errors.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import type { SourceIo } from "../source.ts";
import { asObject, text } from "./item.ts";

/** The folders that openstacksdk searches, in its order; the first file wins. */
const searchPath = ["./clouds.yaml", "~/.config/openstack/clouds.yaml", "/etc/openstack/clouds.yaml"];

/** One cloud's entry with `secure.yaml` merged over it, as openstacksdk's "Configuring OpenStack SDK Applications" has it. */
export async function findCloud(
  name: string,
  file: string | undefined,
  io: Pick<SourceIo, "readText">,
): Promise<JsonObject> {
  const paths = file === undefined ? searchPath : [file];
  const files = await Promise.all(paths.map(async (path) => ({ path, clouds: await io.readText(path) })));
  const found = files.find(({ clouds }) => clouds !== undefined);
  if (found?.clouds !== undefined) {
    const secure = await io.readText(found.path.replace(/[^/]*$/, "secure.yaml"));
    return mergeCloud(name, found.path, found.clouds, secure);
  }
  throw new IsochronError(
    "config-invalid",
    `No clouds.yaml was found: looked at ${paths.join(", ")}.`,
    "Write one, or name it with `clouds_file`.",
  );
}

/** Merges one cloud out of the two files. Throws `config-invalid` when it is not there or the YAML is broken. */
export function mergeCloud(
  name: string,
  path: string,
  clouds: string,
  secure: string | undefined,
): JsonObject {
  const known = asObject(readYaml(clouds, path)["clouds"]) ?? {};
  const entry = Object.hasOwn(known, name) ? asObject(known[name]) : undefined;
  if (entry === undefined) {
    throw new IsochronError(
      "config-invalid",
      `${path} has no cloud named ${name}; it has ${Object.keys(known).join(", ") || "none"}.`,
      "Correct `cloud`, or add the cloud to the file.",
    );
  }
  const secrets = secure === undefined ? {} : (asObject(readYaml(secure, "secure.yaml")["clouds"]) ?? {});
  const secret = Object.hasOwn(secrets, name) ? asObject(secrets[name]) : undefined;
  return secret === undefined ? entry : merge(entry, secret);
}

function merge(under: JsonObject, over: JsonObject): JsonObject {
  const merged: Record<string, Json> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const before = asObject(merged[key]);
    const after = asObject(value);
    merged[key] = before !== undefined && after !== undefined ? merge(before, after) : value;
  }
  return merged;
}

function readYaml(source: string, path: string): JsonObject {
  try {
    return asObject(parse(source, { maxAliasCount: 100 }) as Json) ?? {};
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    // The parser's own message quotes the line, which may hold a password.
    throw new IsochronError("config-invalid", `${path} is not valid YAML.`, "Correct the file.");
  }
}

/** The region that an entry names; newer files give a list of regions, whose first is openstacksdk's default. */
export function regionOf(entry: JsonObject): string | undefined {
  const first = Array.isArray(entry["regions"]) ? (entry["regions"] as readonly Json[])[0] : undefined;
  return (
    text(entry, "region_name") ??
    (typeof first === "string" ? first : first === undefined ? undefined : text(asObject(first), "name"))
  );
}

/** `interface`, or its older spelling `endpoint_type: publicURL`. */
export function interfaceOf(entry: JsonObject): "public" | "internal" | "admin" | undefined {
  const said = (text(entry, "interface") ?? text(entry, "endpoint_type"))?.replace(/URL$/, "");
  return said === "public" || said === "internal" || said === "admin" ? said : undefined;
}
