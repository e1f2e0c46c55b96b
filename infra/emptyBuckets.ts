// Empties the buckets of a stage that is to go: CloudFormation deletes no bucket that holds anything, be it an old version.

import { HdashError, messageOf } from "../src/error.ts";
import type { Aws } from "./awsCli.ts";
import { baseStackName } from "./names.ts";
import { fieldsOf, listOf, readOutputs, textOf } from "./stackOutputs.ts";
import type { Stage } from "./target.ts";

/** Versions that are removed at a time: their names go by the command line, where one argument has 128 KiB at most. */
const AT_ONCE = 100;

/** Removes every version of every file in the buckets of a stage. Refuses prod. */
export async function emptyBuckets(
  stage: Stage,
  effects: { readonly aws: Aws; say(line: string): void },
): Promise<void> {
  if (stage === "prod") throw new HdashError("usage", "the buckets of prod are never emptied");
  const outputs = await readOutputs(effects.aws, baseStackName(stage));
  // A stack that was never made whole has no outputs, and no files.
  const buckets = [...outputs].filter(([key]) => key.endsWith("Bucket"));
  // The bucket of records last: it hears of what is done to the others.
  const isRecords = ([key]: readonly [string, string]): boolean => key === "RecordBucket";
  const ordered = [...buckets.filter((one) => !isRecords(one)), ...buckets.filter(isRecords)];
  for (const [, bucket] of ordered) {
    const count = await emptyBucket(effects.aws, bucket);
    effects.say(`destroy_base: ${bucket}: ${count} files and old versions removed`);
  }
}

async function emptyBucket(aws: Aws, bucket: string): Promise<number> {
  let count = 0;
  for (;;) {
    const versions = await versionsIn(aws, bucket);
    if (versions.length === 0) return count;
    const answer = await aws([
      ...["s3api", "delete-objects", "--bucket", bucket],
      ...["--delete", JSON.stringify({ Objects: versions, Quiet: true })],
    ]);
    // Or the same versions would be found for ever.
    const [failed] = listOf(fieldsOf(answer)["Errors"]);
    if (failed !== undefined) {
      const why = textOf(failed["Message"]) ?? textOf(failed["Code"]) ?? "AWS does not say why";
      throw new HdashError("permanent", `${bucket}/${textOf(failed["Key"]) ?? ""}: ${why}`);
    }
    count += versions.length;
  }
}

/** Lists the first versions that are left; a marker of something deleted is one, too. */
async function versionsIn(aws: Aws, bucket: string): Promise<readonly object[]> {
  let answer: unknown;
  try {
    answer = await aws([
      ...["s3api", "list-object-versions", "--bucket", bucket],
      ...["--max-keys", String(AT_ONCE), "--no-paginate"],
    ]);
  } catch (error) {
    // An attempt before this one got further.
    if (messageOf(error).includes("NoSuchBucket")) return [];
    throw error;
  }
  return [
    ...listOf(fieldsOf(answer)["Versions"]),
    ...listOf(fieldsOf(answer)["DeleteMarkers"]),
  ].map(({ Key, VersionId }) => ({ Key, VersionId }));
}
