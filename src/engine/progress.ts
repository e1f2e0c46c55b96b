// What a run says about itself while it goes on. Events are given to a callback synchronously, in the order in which things happen.

/** How a step came to its result: found, worked out, or not at all. */
export type StepState = "hit" | "ran" | "failed";

/** What a step says of what it is at: a word for it, and what it counts in. */
export interface Doing {
  /** e.g. "downloading"; missing: the step's name has to do. */
  readonly doing?: string;
  /** Missing: things of the step's own. */
  readonly unit?: "bytes" | "share";
}

/** A scope whose files were taken off the site, and what people call it. */
export interface GoneScope {
  readonly scope: string;
  readonly title: string;
}

/** One event of a run. `scope` is null for what belongs to the whole run; `step` is the step's name, `key` tells two doings of it apart. */
export type ProgressEvent =
  | {
      readonly kind: "runStarted";
      readonly runId: string;
      readonly pipeline: string;
      readonly startedAt: string;
      readonly attempt: number;
      /** True where an earlier attempt was cut short and this one goes on with it. */
      readonly isReplay: boolean;
    }
  | {
      /** The same run, another run that publishes the same site, or one that does the same step, is going on elsewhere and is waited for. */
      readonly kind: "waiting";
      readonly for: "run" | "site" | "step";
      readonly worker: string;
      readonly since: string;
    }
  | {
      readonly kind: "scopeStarted";
      readonly scope: string;
      /** What people call it; missing where that is its name. */
      readonly title?: string;
    }
  | {
      readonly kind: "scopeEnded";
      readonly scope: string;
      readonly ok: boolean;
      readonly error: string | null;
      readonly durationMs: number;
    }
  | {
      readonly kind: "stepStarted";
      readonly scope: string | null;
      readonly step: string;
      /** How people call this call of the step; missing where nobody said. */
      readonly label?: string;
      readonly key: string;
    }
  | {
      readonly kind: "stepProgress";
      readonly scope: string | null;
      readonly step: string;
      /** How people call this call of the step; missing where nobody said. */
      readonly label?: string;
      readonly key: string;
      readonly done: number;
      readonly total: number | null;
      readonly how?: Doing;
    }
  | {
      /** A hit ends without having started. `key` is null where the source could not be pinned, so that there was none. */
      readonly kind: "stepEnded";
      readonly scope: string | null;
      readonly step: string;
      /** How people call this call of the step; missing where nobody said. */
      readonly label?: string;
      readonly key: string | null;
      readonly state: StepState;
      readonly durationMs: number;
      readonly error: string | null;
    }
  | {
      readonly kind: "publishProgress";
      readonly site: string;
      readonly done: number;
      readonly total: number;
    }
  | {
      readonly kind: "published";
      readonly site: string;
      readonly put: number;
      readonly deleted: number;
      readonly unchanged: number;
      /** Scopes that the site no longer has; missing: none. */
      readonly gone?: readonly GoneScope[];
      readonly durationMs: number;
    }
  | {
      readonly kind: "retry";
      readonly subject: string;
      readonly attempt: number;
      readonly delayMs: number;
      readonly reason: string;
    }
  | {
      readonly kind: "runEnded";
      readonly runId: string;
      readonly status: "succeeded" | "degraded" | "failed" | "handedBack" | "cancelled";
      readonly hits: number;
      readonly ran: number;
      readonly failed: number;
      readonly durationMs: number;
      readonly error: string | null;
    };

/** Takes the events of a run. It is called in the middle of the work: it must be quick and must not throw. */
export type OnProgress = (event: ProgressEvent) => void;
