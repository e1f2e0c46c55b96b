// Tells whose a network address is: this machine's, a private network's, or one that everybody can reach.

import { BlockList, isIP, isIPv4 } from "node:net";

/**
 * What is not globally reachable, after IANA's registries of special-purpose addresses (RFC 6890 and its updates), multicast
 * and what is reserved; with 6to4, Teredo and NAT64, which carry an IPv4 address on to who knows where.
 */
const SPECIAL_IPV4: readonly (readonly [network: string, prefix: number])[] = [
  ["0.0.0.0", 8], // this network; Linux takes 0.0.0.0 for itself
  ["10.0.0.0", 8], // private
  ["100.64.0.0", 10], // a carrier's private
  ["127.0.0.0", 8], // loopback
  ["169.254.0.0", 16], // link-local, where clouds keep their metadata and credentials
  ["172.16.0.0", 12], // private
  ["192.0.0.0", 24], // protocol assignments
  ["192.0.2.0", 24], // documentation
  ["192.88.99.0", 24], // 6to4 relays
  ["192.168.0.0", 16], // private
  ["198.18.0.0", 15], // benchmarks
  ["198.51.100.0", 24], // documentation
  ["203.0.113.0", 24], // documentation
  ["224.0.0.0", 4], // multicast
  ["240.0.0.0", 4], // reserved, and broadcast
];
const SPECIAL_IPV6: readonly (readonly [network: string, prefix: number])[] = [
  ["::", 96], // unspecified, loopback, and IPv4 in its oldest dress
  ["64:ff9b::", 96], // NAT64
  ["64:ff9b:1::", 48], // NAT64 of one's own
  ["100::", 64], // discarded
  ["2001::", 23], // protocol assignments, Teredo
  ["2001:db8::", 32], // documentation
  ["2002::", 16], // 6to4
  ["3fff::", 20], // documentation
  ["5f00::", 16], // segment routing
  ["fc00::", 7], // private
  ["fe80::", 10], // link-local
  ["fec0::", 10], // private, of old
  ["ff00::", 8], // multicast
];

const special = new BlockList();
for (const [network, prefix] of SPECIAL_IPV4) special.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of SPECIAL_IPV6) special.addSubnet(network, prefix, "ipv6");

/** Tells whether an IP address is one that everybody can reach; an IPv4 address inside an IPv6 one counts as itself. */
export function isPublicIp(address: string): boolean {
  const bare = bareOf(address);
  const family = isIP(bare);
  // BlockList looks at an IPv4-mapped address (::ffff:10.0.0.1) by the rules for IPv4.
  return family !== 0 && !special.check(bare, family === 4 ? "ipv4" : "ipv6");
}

/** Tells whether a host, as a URL or a setting names it, is this machine: loopback, or a socket's folder. Names are not resolved. */
export function isThisMachine(host: string): boolean {
  const bare = bareOf(host);
  if (bare.startsWith("/") || bare === "localhost" || bare.endsWith(".localhost")) return true;
  return bare === "::1" || (isIPv4(bare) && bare.startsWith("127."));
}

/** Without the brackets of a URL, the zone of a link-local address, and the dot that ends a name. */
function bareOf(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/%.*$|\.$/, "");
}
