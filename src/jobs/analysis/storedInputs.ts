// The inputs of a result, by its document: what was a handle when it was made is found by its content.

import type { Digest } from "../../digest.ts";
import type { StepDocument } from "../../engine/key.ts";
import type { Codec, Ref } from "../../engine/step.ts";
import type { BlobStore } from "../../store/blobs.ts";
import { describeContents, type LedgerResult, readResults } from "../../store/lineage.ts";
import type { Db } from "../../store/schema.ts";
import type { Skeleton } from "./data/skeleton.ts";
import type { CallParams } from "./steps.ts";
import type { Kinds, Shape } from "./writing/kinds.ts";

const ALL: readonly Codec[] = ["json", "file", "folder", "files", "folders"];

/** As what a step may be given something where its declaration has this; what is most likely comes first. */
function codecsOf(shape: Shape): readonly Codec[] {
  switch (shape.kind) {
    case "file":
      return ["file", "files"];
    case "folder":
      return ["folder", "folders"];
    case "optional":
      return codecsOf(shape.of);
    case "list":
      if (shape.of.kind === "file") return ["files"];
      return shape.of.kind === "folder" ? ["folders"] : ["json"];
    case "json":
      return ALL;
    case "table":
    case "text":
    case "integer":
    case "number":
    case "boolean":
    case "choice":
      return ["json"];
  }
}

/** Notes for each input that a value names, by number, as what it may be given. */
function noteCodecs(shape: Shape, skeleton: Skeleton, found: (readonly Codec[])[]): void {
  if (skeleton[0] === "input") found[skeleton[1]] = codecsOf(shape);
  else if (shape.kind === "optional") noteCodecs(shape.of, skeleton, found);
  else if (skeleton[0] === "list") {
    const of: Shape = shape.kind === "list" ? shape.of : shape;
    for (const one of skeleton[1]) noteCodecs(of, one, found);
  } else if (skeleton[0] === "row") {
    for (const [name, cell] of Object.entries(skeleton[1])) {
      const of = shape.kind === "table" ? shape.columns[name] : undefined;
      noteCodecs(of ?? { kind: "json" }, cell, found);
    }
  }
}

/** Finds what a result was made of: by take, in the order in which its values name them. */
export async function findInputs(
  { db, blobs }: { readonly db: Db; readonly blobs: BlobStore },
  takes: Kinds,
  document: StepDocument,
): Promise<Readonly<Record<string, readonly Ref<unknown>[]>>> {
  const { values } = document.params as CallParams;
  const listed = Object.entries(document.inputs).map(
    ([name, digests]) => [name, typeof digests === "string" ? [digests] : digests] as const,
  );
  const known = await describeContents(
    db,
    listed.flatMap(([, digests]) => digests),
  );
  const results = await readResults(db, [
    ...new Set([...known.values()].map((one) => one.resultId)),
  ]);
  const makers = new Map(results.map((result) => [result.id, result]));
  const inputs: Record<string, readonly Ref<unknown>[]> = {};
  for (const [name, digests] of listed) {
    const codecs: (readonly Codec[])[] = [];
    const [take, skeleton] = [takes[name], values[name]];
    if (take !== undefined && skeleton !== undefined) noteCodecs(take.shape, skeleton, codecs);
    const refs: Ref<unknown>[] = [];
    for (const [at, digest] of digests.entries()) {
      const maker = makers.get(known.get(digest)?.resultId ?? "");
      const output = asOutput(maker, digest, codecs[at] ?? ALL);
      refs.push(output ?? (await measured(blobs, digest, codecs[at] ?? ALL)));
    }
    inputs[name] = refs;
  }
  return inputs;
}

function asOutput(
  maker: LedgerResult | undefined,
  digest: Digest,
  codecs: readonly Codec[],
): Ref<unknown> | null {
  for (const { codec: own, ...output } of Object.values(maker?.outputs ?? {})) {
    const codec = codecs.find((one) => one === own);
    if (output.digest !== digest || codec === undefined) continue;
    return { digest, bytes: output.bytes, codec, visibility: "private" };
  }
  return null;
}

/** What no step has given by itself is a file of a folder, or a value of the plan. */
async function measured(
  blobs: BlobStore,
  digest: Digest,
  [codec = "file"]: readonly Codec[],
): Promise<Ref<unknown>> {
  let bytes = 0;
  for await (const piece of blobs.stream(digest)) bytes += piece.length;
  return { digest, bytes, codec, visibility: "private" };
}
