import type { EntityRef } from "../../model/entity.ts";
import type { JsonObject } from "../../model/json.ts";
import { objects, text } from "./item.ts";

const macPattern = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/;

/** The addresses of a port as Neutron lists it, in lower case: its MAC address and its fixed IPs. */
export function addressesOfPort(item: JsonObject): readonly string[] {
  const all = [text(item, "mac_address"), ...objects(item["fixed_ips"]).map((ip) => text(ip, "ip_address"))];
  return all.flatMap((address) => (address === undefined ? [] : [address.toLowerCase()]));
}

export function addressRef(address: string): EntityRef {
  return { kind: macPattern.test(address) ? "mac" : "ip", id: address };
}
