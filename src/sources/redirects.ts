// From an address to the content behind it: redirects, waiting while a service prepares a file, and signed addresses that expire.

import { HdashError } from "../error.ts";
import { pause, type RetryPolicy } from "../retry.ts";
import { type Http, HttpError, type HttpStream, isExpiry } from "./http.ts";

/** Where a file is, and where it was last found. */
export interface Address {
  readonly locate: (signal: AbortSignal) => Promise<string>;
  /** What locate said; null: not asked yet. */
  origin: string | null;
  /** Where redirects ended the last time; null: not known, or not to be used again. */
  found: string | null;
  /** The address that was asked last. */
  asked: string | null;
  /** Times a signed address was refused since one was taken. */
  renewals: number;
  /** Makes the next question start from the origin. */
  forget(): void;
}

/** Browsers stop at 20 redirects; no service that is meant comes near a half of that. */
const MAX_REDIRECTS = 10;
/** Signed addresses live for minutes to hours, so a fresh one that is refused is not expired: three are enough to be sure. */
const MAX_RENEWALS = 3;
/** How long a service may prepare a file; the slowest known takes a few minutes. */
const MAX_PREPARATION_MS = 30 * 60_000;

const REDIRECTS = [301, 302, 303, 307, 308];

/** Starts at what `locate` says; nothing is asked yet. */
export function makeAddress(locate: Address["locate"]): Address {
  return {
    locate,
    origin: null,
    found: null,
    asked: null,
    renewals: 0,
    forget() {
      this.origin = null;
      this.found = null;
    },
  };
}

/**
 * Opens the content: status 200, 206 or 416. Where a signed address has expired, asks for a new one.
 * Throws permanent for redirects without end, and for a service that takes more than 30 minutes to prepare a file.
 */
export async function openAddress(
  context: { readonly http: Http; readonly policy: RetryPolicy },
  address: Address,
  request: {
    readonly subject: string;
    /** The configured service that names the address. */
    readonly endpoint: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
  },
): Promise<HttpStream> {
  for (;;) {
    address.origin ??= await address.locate(request.signal);
    try {
      const answer = await follow(context, address, address.found ?? address.origin, request);
      address.renewals = 0;
      return answer;
    } catch (error) {
      if (!(error instanceof HttpError) || !isExpiry(error)) throw error;
      const refused = address.asked;
      address.forget();
      address.origin = await address.locate(request.signal);
      // What we were told to ask, and no signed address behind it, refuses us: asking again would change nothing.
      if (address.origin === refused) throw error;
      if (++address.renewals > MAX_RENEWALS) {
        const message = `${request.subject}: ${MAX_RENEWALS + 1} signed addresses in a row were refused (${error.reason ?? error.status})`;
        throw new HdashError("permanent", message, { cause: error });
      }
    }
  }
}

async function follow(
  { http, policy }: { readonly http: Http; readonly policy: RetryPolicy },
  address: Address,
  start: string,
  request: {
    readonly subject: string;
    readonly endpoint: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
  },
): Promise<HttpStream> {
  const { subject, signal } = request;
  let url = start;
  let hops = 0;
  let waitedMs = 0;
  for (;;) {
    address.asked = url;
    const answer = await http.stream({ ...request, url, accept: [...REDIRECTS, 416] });
    if (!REDIRECTS.includes(answer.status)) {
      if (url !== address.origin) address.found = url;
      return answer;
    }
    answer.discard();
    const next = nextAddress(answer.header("location"), url, subject);
    if (answer.retryAfterMs === null) {
      if (++hops > MAX_REDIRECTS) {
        const message = `${subject}: more than ${MAX_REDIRECTS} redirects, probably in a circle`;
        throw new HdashError("permanent", message);
      }
    } else {
      // Still being prepared. A service that says 0 is not asked without pause.
      const waitMs = Math.max(answer.retryAfterMs, policy.minDelayMs);
      waitedMs += waitMs;
      if (waitedMs > MAX_PREPARATION_MS) {
        const minutes = MAX_PREPARATION_MS / 60_000;
        const message = `${subject}: the service was not done preparing it after ${minutes} minutes`;
        throw new HdashError("permanent", message);
      }
      await pause(waitMs, signal);
    }
    url = next;
  }
}

/** Where a redirect leads; whether that may be asked is the client's to say. */
function nextAddress(location: string | null, url: string, subject: string): string {
  if (location === null || !URL.canParse(location, url)) {
    throw new HdashError("permanent", `${subject}: the server redirects to nowhere`);
  }
  return new URL(location, url).href;
}
