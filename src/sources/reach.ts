// How far a source may lead: whoever may edit a project or a record chooses addresses that hdash is told to ask. They lead to what
// everybody can reach, over https, and never into the network that hdash runs in.

import { lookup as lookUp, type LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";

import { isPublicIp, isThisMachine } from "../address.ts";
import { HdashError } from "../error.ts";

/** An address that is not asked. Its message has the subject and the reason; the address itself may carry a signature. */
export class RefusedAddress extends HdashError {
  readonly why: string;
  constructor(subject: string, why: string) {
    super("permanent", `${subject}: the address that it leads to is not asked: ${why}`, {
      publicly: `its source leads to an address that is not asked: ${why}`,
    });
    this.name = "RefusedAddress";
    this.why = why;
  }
}

/**
 * Says why an address that an answer of `endpoint`, or a redirect behind it, names is not asked; null where it may be. The endpoint itself is
 * always, as it is configured. Where it is on this machine, as look-alikes are, so may be what it leads to. Names are not resolved here: see
 * publicLookup.
 */
export function whyRefused(address: string, endpoint: string): string | null {
  if (!URL.canParse(address)) return "it is no address";
  const { protocol, hostname, username, password } = new URL(address);
  if (protocol !== "https:" && protocol !== "http:") return "it is not one of the web";
  if (isTrusted(address, endpoint)) return null;
  if (isThisMachine(hostname)) return "it is on the machine that hdash runs on";
  if (protocol !== "https:") return "it is not encrypted (http)";
  if (username !== "" || password !== "") return "it has a user in it";
  if (isIpLike(hostname) && !isPublicIp(hostname)) return PRIVATE;
  return null;
}

const PRIVATE = "it is in a private network";

/** Tells whether an address that an answer of `endpoint`, or a redirect behind it, names may be asked. */
export function isSafeAddress(address: string, endpoint: string): boolean {
  return whyRefused(address, endpoint) === null;
}

/** Tells whether an address is of the configured endpoint itself, or of this machine where the endpoint is: nothing is looked up for it. */
export function isTrusted(address: string, endpoint: string): boolean {
  const { origin, hostname } = new URL(address);
  const configured = new URL(endpoint);
  return (
    origin === configured.origin || (isThisMachine(hostname) && isThisMachine(configured.hostname))
  );
}

/** A URL's host is an IP address only in these forms: whatever else browsers take for one, URL has brought into them. */
function isIpLike(hostname: string): boolean {
  return hostname.startsWith("[") || /^\d+(\.\d+){3}$/.test(hostname);
}

/** What resolves names; tests have one of their own. */
export type Resolve = (
  hostname: string,
  done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;

const resolveBySystem: Resolve = (hostname, done) => {
  lookUp(hostname, { all: true }, done);
};

/** The code of the error that a lookup ends with where a name leads into a private network. */
export const NOT_PUBLIC = "HDASH_NOT_PUBLIC";

/**
 * Resolves a name for a connection, and refuses it where any of its addresses is not everybody's. The connection is made to what was looked
 * at: a name that is resolved a second time may lead elsewhere.
 */
export function publicLookup(resolve: Resolve = resolveBySystem): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, (error, addresses) => {
      if (error !== null) return void callback(error, []);
      const [first] = addresses;
      if (first === undefined || addresses.some(({ address }) => !isPublicIp(address))) {
        return void callback(Object.assign(new Error(PRIVATE), { code: NOT_PUBLIC }), []);
      }
      if (options.all === true) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    });
  };
}
