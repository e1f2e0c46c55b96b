// Where exports come from: objects that are listed, and read in ranges of the version that was listed.

import { HdashError } from "../../../error.ts";
import { oneLine } from "../../../format.ts";
import type { RangeSource } from "../../../formats/rangeSource.ts";
import type { Bucket, ObjectHead } from "../../../store/bucket.ts";
import type { FoundExport, ListedObject } from "../data/catalog.ts";

/** A source of exports of one namespace. */
export interface ExportSource {
  /** For messages and pages, without credentials. */
  readonly label: string;
  /** Lists what is below the namespace, all of it, in one go. */
  list(signal: AbortSignal): Promise<readonly ListedObject[]>;
  /** Opens the version that was listed; a source that has another by now is a transient error when it is read. */
  open(found: FoundExport, signal: AbortSignal): Promise<RangeSource>;
  close(): Promise<void>;
}

/** A part of a bucket as a source. */
export function bucketExports(bucket: Bucket): ExportSource {
  return {
    label: bucket.uri,
    async list(signal) {
      const objects: ListedObject[] = [];
      for await (const object of bucket.list(signal)) objects.push(object);
      return objects;
    },
    async open({ key, bytes, etag }) {
      const isIt = (object: ObjectHead | null): boolean =>
        object !== null && object.etag === etag && object.bytes === bytes;
      return {
        bytes,
        async *read(from, to, signal) {
          const opened = await bucket.open(key, { from, to }, signal);
          if (opened === null || !isIt(opened)) throw moved(key);
          try {
            yield* opened.body;
          } catch (error) {
            const isLasting = error instanceof HdashError && error.kind === "permanent";
            throw isLasting && !isIt(await bucket.head(key, signal)) ? moved(key) : error;
          }
        },
      };
    },
    close: () => Promise.resolve(),
  };
}

/** Says that an export is another one than was listed. The next run lists it anew. */
export function moved(key: string): HdashError {
  return new HdashError(
    "transient",
    `export ${oneLine(key)} has changed, or gone, since it was listed`,
  );
}
