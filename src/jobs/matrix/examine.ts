// The matrix job's lines of the doctor: its source, and the bucket that figures go to.

import type { Effects } from "../../effects.ts";
import { count } from "../../format.ts";
import { diagnose, type Diagnosis } from "../../job.ts";
import type { MatrixSettings } from "./settings.ts";
import type { MatrixSkip, MatrixSource } from "./source.ts";

const service = "Matrices";
/** Variables that say where matrices come from, by the kind of the source. */
const WHERE = {
  fresh: "MATRIX_SERVICE, MATRIX_ENDPOINT_URL and MATRIX_CATALOG",
  canned: "MATRIX_SOURCE_STAGE, MATRIX_SOURCE_BUCKET and S3_ENDPOINT_URL",
  local: "MATRIX_PATH",
  cellxgene: "MATRIX_ENDPOINT_URL and MATRIX_COLLECTION",
} as const;
const TARGET = "MATRIX_TARGET_STAGE, MATRIX_TARGET_BUCKET and S3_ENDPOINT_URL";

/** Asks the source what it has, and lists the target bucket where there is one. */
export async function examineMatrix(
  effects: Effects,
  matrix: MatrixSettings,
  signal: AbortSignal,
): Promise<readonly Diagnosis[]> {
  const source = `the source of matrices (${matrix.source.kind})`;
  const ask = async (): Promise<Diagnosis> => {
    const { openSource } = await import("./bind.ts");
    const opened = await openSource(effects, matrix);
    const { entries, skips } = await opened.list(signal, { isWanted: () => false });
    const says = `${opened.label} lists ${count(entries.length, "matrix", "matrices")}; ${skips.length} that cannot be read`;
    return entries.length > 0
      ? { service, state: "ok", says, advice: null }
      : { service, state: "note", says, advice: adviceOn(opened, skips) };
  };
  const { kind } = matrix.source;
  const answers = [await diagnose(service, source, WHERE[kind], ask, kind === "local")];
  const { targetBucket } = matrix;
  if (targetBucket === null) return answers;
  const target = await diagnose(service, `s3://${targetBucket}`, TARGET, async () => {
    const bucket = await effects.openBucket(targetBucket, { isPublicRead: false });
    for await (const _object of bucket.list(signal)) break;
    return { service, state: "ok", says: `${bucket.uri} can be listed`, advice: null };
  });
  return [...answers, target];
}

/** Says what a source without a matrix has instead, and what it takes. */
function adviceOn({ fits }: MatrixSource, skips: readonly MatrixSkip[]): string {
  const [first] = skips;
  const check = fits ?? "Check MATRIX_SOURCE and what goes with it.";
  return first === undefined ? check : `${first.message} ${check}`;
}
