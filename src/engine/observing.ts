// Reading the world for an observation: once in every attempt of a run, whoever asks; a failure is not kept.

import type { Json } from "../digest.ts";
import { stepKey } from "./key.ts";
import type { Hold } from "./places.ts";
import { type AnyStep, mapValues, storeOutputs } from "./ports.ts";
import type { Session, Sighting } from "./session.ts";

/** Reads what an observation is about, or shares what this run has read of it. */
export function observe(session: Session, step: AnyStep, params: Json): Promise<Sighting> {
  const { sightings } = session;
  const { name, version } = step;
  const question = {
    kind: "observation",
    pipeline: session.pipeline,
    step: name,
    version,
    params,
    pin: null,
    inputs: {},
  } as const;
  const { key } = stepKey(question);
  const known = sightings.get(key);
  if (known !== undefined) return known;
  const own = session.limit((hold) => {
    session.throwIfStopped();
    return readWorld(session, step, hold);
  });
  sightings.set(key, own);
  // Who asks again after a failure has it read again.
  own.catch(() => sightings.delete(key));
  return own;
}

/** Reads the world, whatever this run has read of it. */
export async function readWorld(session: Session, step: AnyStep, hold: Hold): Promise<Sighting> {
  const startedAt = session.clock();
  const since = performance.now();
  const folder = session.scratch.newFolder();
  try {
    const values = await step.run(
      {},
      {
        signal: session.signal,
        workDir: () => folder.make(),
        wait: (work) => hold.without(work),
        // What an observation may use has none of these (see ReadContext).
        attempt: 1,
        resources: {},
        progress() {},
        find() {},
        measure() {},
        report() {},
        log() {},
        take: (_more, work) => work(),
      },
      null,
    );
    const outputs = await storeOutputs(session, step, values);
    const pin = mapValues(outputs, ({ digest }) => digest);
    return { pin, outputs, startedAt, ms: performance.now() - since };
  } finally {
    await folder.remove();
  }
}
