import ipaddr from "ipaddr.js";

/** How far an address is out of reach: *public* never, *private* unless written down, *own machine* and *closed* more so. */
export type Reach = "public" | "private" | "loopback" | "closed" | "never";

export interface JudgedAddress {
  readonly reach: Reach;
  /** The range's name for people, such as `private` or `link-local`. */
  readonly range: string;
}

type Ip = ipaddr.IPv4 | ipaddr.IPv6;

/** Where clouds hand instances their credentials, which no timeline is to be found at. */
const metadataAddresses = [
  "169.254.169.254",
  "169.254.170.2",
  "169.254.170.23",
  "100.100.100.200",
  "fd00:ec2::254",
];

const reachOfRange: Readonly<Record<string, readonly [Reach, string]>> = {
  unicast: ["public", "public"],
  private: ["private", "private"],
  uniqueLocal: ["private", "private (unique local)"],
  carrierGradeNat: ["private", "shared (carrier-grade NAT)"],
  loopback: ["loopback", "loopback"],
  linkLocal: ["closed", "link-local"],
  unspecified: ["never", "unspecified"],
  multicast: ["never", "multicast"],
  broadcast: ["never", "broadcast"],
};

/**
 * What an address is, by the registries for special purposes of IANA (RFC 6890). An IPv4 address within an IPv6 one
 * (mapped, RFC 4291; NAT64, RFC 6052) is judged as itself; of other tunnels nobody can say where they end.
 */
export function judgeAddress(text: string): JudgedAddress {
  if (text.includes("%") || !ipaddr.isValid(text)) return { reach: "never", range: "no plain address" };
  const address = unwrapped(ipaddr.parse(text));
  if (isMetadata(address)) return { reach: "closed", range: "metadata service" };
  if (address instanceof ipaddr.IPv6 && address.match(ipaddr.IPv6.parse("::"), 96)) {
    const [reach, range] = reachOfRange[address.range()] ?? ["closed", "IPv4-compatible"];
    return reach === "public" ? { reach: "closed", range: "IPv4-compatible" } : { reach, range };
  }
  const name = address.range();
  const [reach, range] = reachOfRange[name] ?? ["closed", name];
  return { reach, range };
}

/** Whether one of the ranges holds the address. What is closed to wide ranges has to be written down as itself. */
export function isWithin(text: string, networks: readonly string[]): boolean {
  if (text.includes("%") || !ipaddr.isValid(text)) return false;
  const address = unwrapped(ipaddr.parse(text));
  return networks.some((network) => {
    const [base, bits] = ipaddr.parseCIDR(network);
    if (base.kind() !== address.kind()) return false;
    if (isMetadata(address) && bits !== (base.kind() === "ipv4" ? 32 : 128)) return false;
    // A range as wide as `0.0.0.0/0` was not written with the neighbours on the wire in mind.
    if (address.range() === "linkLocal" && base.range() !== "linkLocal") return false;
    return base instanceof ipaddr.IPv4
      ? (address as ipaddr.IPv4).match(base, bits)
      : (address as ipaddr.IPv6).match(base as ipaddr.IPv6, bits);
  });
}

/** Whether it is a range in the way of `10.0.0.0/8` or `fd00::/8`. */
export function isNetwork(text: string): boolean {
  return !text.includes("%") && ipaddr.isValidCIDR(text);
}

function unwrapped(address: Ip): Ip {
  if (address instanceof ipaddr.IPv4) return address;
  if (address.isIPv4MappedAddress()) return address.toIPv4Address();
  if (!address.match(ipaddr.IPv6.parse("64:ff9b::"), 96)) return address;
  return new ipaddr.IPv4(address.toByteArray().slice(12));
}

function isMetadata(address: Ip): boolean {
  return metadataAddresses.includes(address.toString());
}
