import { decodeBody } from "./answer.ts";
import { asObject, objects, text } from "./item.ts";
import type { CloudSession } from "./keystone.ts";
import type { ServiceName } from "./settings.ts";
import type { SourceIo } from "../source.ts";

/**
 * The microversions whose answers were recorded and read: Nova 2.90 (Zed; servers with embedded flavors,
 * services and hypervisors by UUID, actions with `updated_at`) and Cinder 3.70 (Zed; transfers with their projects).
 */
export const pinned: Partial<Record<ServiceName, { readonly word: string; readonly version: string }>> = {
  compute: { word: "compute", version: "2.90" },
  "block-storage": { word: "volume", version: "3.70" },
};

/**
 * The header to send to a service: its pinned microversion, or the service's maximum where that is lower.
 * Without a readable version document the pinned one is sent, and a service that cannot serve it answers 406.
 */
export async function microversionHeaders(
  session: CloudSession,
  service: ServiceName,
  io: Pick<SourceIo, "warn">,
): Promise<Readonly<Record<string, string>>> {
  const pin = pinned[service];
  const endpoint = session.endpoint(service);
  if (pin === undefined || endpoint === undefined) return {};
  const base = endpoint.replace(/(\/v\d+(?:\.\d+)?)(\/[^/]+)?$/, "$1");
  const answer = await session.get(service, "/", { base });
  let version = pin.version;
  if (answer.status === 200 || answer.status === 300) {
    const offered = maximumOf(decodeBody(answer, service), pin.version);
    if (offered !== undefined && isLower(offered, pin.version)) {
      version = offered;
      io.warn("the service is older than the pinned microversion; its own maximum is used", {
        service,
        pinned: pin.version,
        used: offered,
      });
    }
  }
  return { "openstack-api-version": `${pin.word} ${version}` };
}

/** Nova answers with one `version`, Cinder with a list of `versions`; the maximum is called `version` in both. */
function maximumOf(document: ReturnType<typeof decodeBody>, pin: string): string | undefined {
  const one = asObject(document["version"]);
  const all = one === undefined ? objects(document["versions"]) : [one];
  const major = pin.split(".")[0] ?? "";
  return all.map((item) => text(item, "version")).find((version) => version?.startsWith(`${major}.`));
}

function isLower(a: string, b: string): boolean {
  const [aMajor = 0, aMinor = 0] = a.split(".").map(Number);
  const [bMajor = 0, bMinor = 0] = b.split(".").map(Number);
  return aMajor === bMajor ? aMinor < bMinor : aMajor < bMajor;
}
