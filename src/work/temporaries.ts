// What happens to temporary bytes when a run has ended, and what the log says of it.

import type { Effects } from "../effects.ts";
import type { RunOutcome } from "../engine/ending.ts";
import { messageOf } from "../error.ts";
import { bytes, count } from "../format.ts";
import { dropTemporary } from "../lineage/dropping.ts";

/**
 * Removes bytes that a run that has ended well leaves and no step needs; after a degraded one, parts that failed may want them. What cannot be
 * removed goes after the next run, which changes nothing of this one's outcome.
 */
export async function dropTemporaries(
  effects: Effects,
  outcome: RunOutcome,
  signal: AbortSignal,
): Promise<void> {
  if (outcome.kind !== "finished" || outcome.record.status !== "succeeded") return;
  const { pipeline, id } = outcome.record;
  try {
    const store = { blobs: await effects.blobs() };
    const { waiting, ...gone } = await dropTemporary(await effects.database(), store, id, signal);
    const told = (of: typeof gone) => `${count(of.blobs, "temporary file")}, ${bytes(of.bytes)}`;
    if (gone.blobs > 0) {
      effects.log.info(
        `${pipeline} dropped ${told(gone)}: they are made again where a step needs them`,
      );
    }
    if (waiting.blobs > 0) {
      effects.log.info(`${pipeline} keeps ${told(waiting)}: another run is going on`);
    }
  } catch (error) {
    effects.log.warn(`temporary files of ${pipeline} could not be dropped: ${messageOf(error)}`);
  }
}
