import { z } from "zod";
import type { Json } from "../../model/json.ts";

const pattern = z
  .string()
  .max(253)
  .regex(/^[a-z0-9*]([a-z0-9*.-]*[a-z0-9*])?$/i, "a host's name, in which `*` stands for anything");

export const cloudHostsMeaning =
  "Which names in labels are the cloud's own hosts: `scraped` (those in labels such as `host`, and in `instance` with a port), `unknown` (none by itself), or a list of patterns such as `compute-*`.";

/**
 * Which names in an alert's labels are hosts of the cloud: with `scraped` what a label such as `host` or `node` names, and
 * what `instance` names with a port; with `unknown` none by itself; with a list the names that match one of its patterns,
 * in any of these labels. What is no host of the cloud may be a tenant's machine, and is looked for by its name.
 */
export const cloudHostsSetting = z
  .union([z.enum(["scraped", "unknown"]), z.array(pattern).min(1).max(100)])
  .default("scraped");
export type CloudHosts = z.output<typeof cloudHostsSetting>;

/** As the setting was when the record arrived; the usual where the record does not say. */
export function readCloudHosts(meta: Json | undefined): CloudHosts {
  return cloudHostsSetting.safeParse(meta).data ?? "scraped";
}

/** What a record keeps of the setting: nothing of the usual. */
export function noteCloudHosts(hosts: CloudHosts): { readonly hosts?: CloudHosts } {
  return hosts === "scraped" ? {} : { hosts };
}

/** `isTold` is whether the label, or the port behind the name, says by itself that it is a host. */
export function isCloudHost(name: string, isTold: boolean, hosts: CloudHosts): boolean {
  if (hosts === "scraped") return isTold;
  return hosts !== "unknown" && hosts.some((one) => matchesPattern(name.toLowerCase(), one.toLowerCase()));
}

/** Each piece is taken at its first place, so that no pattern takes longer than the name is long for each of its pieces. */
function matchesPattern(name: string, given: string): boolean {
  const [first = "", ...pieces] = given.split("*");
  const last = pieces.pop();
  if (last === undefined) return name === first;
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last))
    return false;
  const end = name.length - last.length;
  let at = first.length;
  for (const piece of pieces) {
    const found = name.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
