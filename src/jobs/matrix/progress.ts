// How often a pass over a matrix reports how far it is.

/** "A few times a second." */
const REPORT_EVERY_MS = 250;

/** Reports now and then; `end` reports once more, that all is done. */
export interface Progress {
  (done: number, total: number): void;
  end(total: number): void;
}

/** Makes a progress that passes on a few reports a second. */
export function makeProgress(onProgress?: (done: number, total: number) => void): Progress {
  let last = performance.now();
  const report = (done: number, total: number): void => {
    if (onProgress === undefined || performance.now() - last < REPORT_EVERY_MS) return;
    last = performance.now();
    onProgress(done, total);
  };
  return Object.assign(report, { end: (total: number) => onProgress?.(total, total) });
}
