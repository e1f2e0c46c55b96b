// Faults on demand for the look-alike Synapse: which ones there are, and when each strikes.

/** What is asked of the server, as far as counters and faults tell apart. */
export const ROUTES = [
  "userProfile",
  "entity",
  "children",
  "fileHandles",
  "queryStart",
  "queryGet",
  "nextStart",
  "nextGet",
  "csvStart",
  "csvGet",
  "newFolder",
  "newLocation",
  "newSetting",
  "setting",
  "sts",
  "fileDownload",
  "csvDownload",
  "unknown",
] as const;
export type Route = (typeof ROUTES)[number];

/** When a fault strikes: at every nth request, or at the next n; on the given routes, or on all that it fits. */
export interface Occasion {
  readonly every?: number;
  readonly next?: number;
  readonly routes?: readonly Route[];
}

export interface SynapseFaults {
  /** Answers 429, with this Retry-After where one is given. */
  readonly throttle?: Occasion & { readonly retryAfter?: string };
  /** Answers 503 or another status of trouble. */
  readonly unavailable?: Occasion & { readonly status?: number };
  /** Breaks the connection before anything is answered. */
  readonly reset?: Occasion;
  /** Breaks the connection in the middle of the body. */
  readonly truncate?: Occasion;
  /** Answers 200 with a page of HTML instead of JSON. */
  readonly garble?: Occasion;
  /** Answers late. */
  readonly slow?: Occasion & { readonly delayMs: number };
  /** Sends content of the right size with wrong bytes. */
  readonly corrupt?: Occasion;
  /** Says in file handles that the content is one byte longer than it is. */
  readonly wrongSize?: Occasion;
  /** Lets jobs fail, be never done, or be forgotten. */
  readonly failJobs?: Occasion;
  readonly stuckJobs?: Occasion;
  readonly lostJobs?: Occasion;
  /** Hands out signed addresses that have expired already. */
  readonly expiredUrls?: Occasion;
  /** Gives the view another etag at every query, as if it never stood still. */
  readonly movingEtag?: Occasion;
  /** Projects and entities that nobody may read: 403, and invisible in the view. */
  readonly denied?: readonly string[];
  /** Entities that may be read but not downloaded. */
  readonly undownloadable?: readonly string[];
  /** Folders and projects that may be read and not changed. */
  readonly unwritable?: readonly string[];
  /** Answers that a folder has no setting by 404 or by nothing at all, in place of null. */
  readonly noSetting?: "missing" | "empty";
}

/** The faults that strike by occasion. */
export type FaultName = Exclude<
  keyof SynapseFaults,
  "denied" | "undownloadable" | "unwritable" | "noSetting"
>;

/** Faults with their counts so far. */
export interface FaultState {
  readonly faults: SynapseFaults;
  /** Counts one more occasion, and tells whether the fault strikes. */
  strikes(name: FaultName, route: Route): boolean;
}

/** Starts counting for a set of faults. */
export function makeFaults(faults: SynapseFaults): FaultState {
  const counts = new Map<FaultName, number>();
  return {
    faults,
    strikes(name, route) {
      const occasion = faults[name];
      if (occasion === undefined) return false;
      if (occasion.routes !== undefined && !occasion.routes.includes(route)) return false;
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      if (occasion.next !== undefined && count <= occasion.next) return true;
      return occasion.every !== undefined && count % occasion.every === 0;
    },
  };
}
