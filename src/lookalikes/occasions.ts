// Faults on demand for the look-alike sources of matrices: which ones all of them know, and when each strikes.

/** When a fault strikes: at every nth request, or at the next n; on the given routes, or on all that it fits. */
export interface Occasion {
  readonly every?: number;
  readonly next?: number;
  readonly routes?: readonly string[];
}

/** What may go wrong with any request. */
export interface RequestFaults {
  /** Answers 429, with this Retry-After where one is given. */
  readonly throttle?: Occasion & { readonly retryAfter?: string };
  /** Answers 503 or another status of trouble. */
  readonly unavailable?: Occasion & { readonly status?: number; readonly retryAfter?: string };
  /** Breaks the connection before anything is answered. */
  readonly reset?: Occasion;
  /** Answers late. */
  readonly slow?: Occasion & { readonly delayMs: number };
}

/** What may go wrong with answers in JSON. */
export interface JsonFaults extends RequestFaults {
  /** Answers 200 with the first half of the JSON, as if that were all. */
  readonly garble?: Occasion;
  /** Breaks the connection in the middle of the JSON. */
  readonly truncate?: Occasion;
}

/** What may go wrong with files; their route is "file". */
export interface FileFaults extends RequestFaults {
  /** Breaks the connection after so many bytes of an answer's body. */
  readonly cut?: Occasion & { readonly afterBytes: number };
  /** Sends so many bytes of an answer's body, and then nothing more. */
  readonly stall?: Occasion & { readonly afterBytes: number };
  /** Does not know of ranges: sends the whole file whatever was asked for. */
  readonly noRanges?: Occasion;
  /** Answers every range with 416. */
  readonly refuseRanges?: Occasion;
  /** Sends content of the right size with a bit flipped in the middle of the file. */
  readonly corrupt?: Occasion;
  /** Gives the file another ETag, as if it had been replaced meanwhile. */
  readonly moved?: Occasion;
  /** Hands out signed addresses that have expired already; counted where addresses are handed out. */
  readonly expired?: Occasion;
}

/** Faults with their counts so far. */
export interface Occasions<F> {
  readonly faults: F;
  /** Counts one more occasion, and tells whether the fault strikes. */
  strikes(name: keyof F & string, route: string): boolean;
}

/** Starts counting for a set of faults. */
export function makeOccasions<F extends { readonly [K in keyof F]?: Occasion }>(
  faults: F,
): Occasions<F> {
  const counts = new Map<keyof F, number>();
  return {
    faults,
    strikes(name, route) {
      const occasion: Occasion | undefined = faults[name];
      if (occasion === undefined) return false;
      if (occasion.routes !== undefined && !occasion.routes.includes(route)) return false;
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      if (occasion.next !== undefined && count <= occasion.next) return true;
      return occasion.every !== undefined && count % occasion.every === 0;
    },
  };
}
