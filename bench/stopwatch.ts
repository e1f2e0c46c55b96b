// Wall time and CPU time by stage, of the process it runs in.

/** What one stage took, over all of its turns. */
export interface StageTime {
  readonly stage: string;
  readonly wallMs: number;
  /** User and system time of all threads. */
  readonly cpuMs: number;
}

/** What a whole measurement took. */
export interface Measurement {
  readonly stages: readonly StageTime[];
  readonly wallMs: number;
  /** Without starting Node and loading modules. */
  readonly cpuMs: number;
  /** Of the whole process from its start. */
  readonly processCpuMs: number;
  readonly maxRssBytes: number;
  /** What was counted on the way, to see that the work was done. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Times work by stages; a stage may have many turns. */
export interface Stopwatch {
  time<T>(stage: string, work: () => T | Promise<T>): Promise<T>;
  stop(counts: Readonly<Record<string, number>>): Measurement;
}

/** Starts a stopwatch. */
export function startWatch(): Stopwatch {
  const stages = new Map<string, { wallMs: number; cpuMs: number }>();
  const start = performance.now();
  const startCpu = process.cpuUsage();
  return {
    async time(stage, work) {
      const at = performance.now();
      const cpu = process.cpuUsage();
      const result = await work();
      const total = stages.get(stage) ?? { wallMs: 0, cpuMs: 0 };
      total.wallMs += performance.now() - at;
      total.cpuMs += milliseconds(process.cpuUsage(cpu));
      stages.set(stage, total);
      return result;
    },
    stop: (counts) => ({
      stages: [...stages].map(([stage, times]) => ({ stage, ...times })),
      wallMs: performance.now() - start,
      cpuMs: milliseconds(process.cpuUsage(startCpu)),
      processCpuMs: milliseconds(process.cpuUsage()),
      // Node gives kibibytes.
      maxRssBytes: process.resourceUsage().maxRSS * 1024,
      counts,
    }),
  };
}

function milliseconds(usage: NodeJS.CpuUsage): number {
  return (usage.user + usage.system) / 1000;
}
