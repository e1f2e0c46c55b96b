// The matrix job's lines of the doctor: its source, and the bucket that figures go to.

import type { Effects } from "../../effects.ts";
import { count } from "../../format.ts";
import { diagnose, type Diagnosis } from "../../job.ts";
import type { MatrixSettings } from "./settings.ts";

const service = "Matrices";
const WHERE = "MATRIX_…";

/** Asks the source what it has, and lists the target bucket where there is one. */
export async function examineMatrix(
  effects: Effects,
  matrix: MatrixSettings,
  signal: AbortSignal,
): Promise<readonly Diagnosis[]> {
  const source = `the source of matrices (${matrix.source.kind})`;
  const answers = [
    await diagnose(service, source, WHERE, async () => {
      const { openSource } = await import("./bind.ts");
      const opened = await openSource(effects, matrix);
      const { entries, skips } = await opened.list(signal, { isWanted: () => false });
      const says = `${opened.label} lists ${count(entries.length, "matrix", "matrices")}; ${skips.length} that cannot be read`;
      return entries.length > 0
        ? { service, state: "ok", says, advice: null }
        : { service, state: "note", says, advice: "Check MATRIX_SOURCE and what goes with it." };
    }),
  ];
  const { targetBucket } = matrix;
  if (targetBucket === null) return answers;
  const target = await diagnose(service, `s3://${targetBucket}`, WHERE, async () => {
    const bucket = await effects.openBucket(targetBucket, { isPublicRead: false });
    for await (const _object of bucket.list(signal)) break;
    return { service, state: "ok", says: `${bucket.uri} can be listed`, advice: null };
  });
  return [...answers, target];
}
