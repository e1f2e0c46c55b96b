// Doing a step again off the record: in a folder of its own, on stored inputs. What it gives is digested where it lies; nothing is stored,
// claimed or noted.

import { createHash } from "node:crypto";

import { type Digest, digestOf, type Json } from "../digest.ts";
import { isSetup } from "../error.ts";
import { type BlobError, type BlobStore } from "../store/blobs.ts";
import { readFilePieces } from "../store/filePieces.ts";
import type { StoredOutput } from "../store/results.ts";
import { limitTime } from "./attemptTime.ts";
import { type BlobAccess, plainAccess } from "./blobAccess.ts";
import { encode } from "./codec.ts";
import { type InputRecord, readInputs } from "./ports.ts";
import type { WorkFolder } from "./scratch.ts";
import type { Ports, Resources, Step, StepContext } from "./step.ts";

/** What a step has given this time. It can be read until its folder is removed. */
export interface Redone {
  readonly outputs: Readonly<Record<string, StoredOutput>>;
  readonly blobs: RedoneBlobs;
}

/** Blobs of what was given this time. */
export interface RedoneBlobs {
  stream(digest: Digest): AsyncIterable<Uint8Array>;
}

/** How it is done. */
export interface Redoing {
  readonly blobs: BlobStore;
  readonly signal: AbortSignal;
  /** Gives an attempt at it another folder. */
  readonly newFolder: () => WorkFolder;
  /** What it is given of what it asks for. */
  readonly resources: (asked: Resources) => Resources;
}

/** What came of it. unread: an input could not be read, so that nothing is known. */
export type RedoneOrNot =
  | { readonly kind: "done"; readonly redone: Redone }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "unread"; readonly error: BlobError };

/** Does a step again, as often as it is tried in a run. Throws where a setting is missing, and where it is told to stop. */
export async function redo<P extends Json, I, O extends Ports>(
  step: Step<P, I, O>,
  { params, inputs }: { readonly params: P; readonly inputs: InputRecord },
  redoing: Redoing,
): Promise<RedoneOrNot> {
  const { resources = {}, attempts = 1 } = step;
  for (let attempt = 1; ; attempt++) {
    const asked = typeof resources === "function" ? resources(attempt, null) : resources;
    const unread: BlobError[] = [];
    const folder = redoing.newFolder();
    const given = redoing.resources(asked);
    const time = limitTime(step.name, given.minutes, redoing.signal);
    try {
      const access = readOnly(redoing);
      const ctx = contextOf({ attempt, resources: given, signal: time.signal, folder });
      const doing = (async () => {
        const values = await readInputs(
          access,
          inputs,
          folder,
          (_ref, error) => void unread.push(error),
        );
        // decode() gives for each input what its port's type says.
        return step.run(values as I, params, ctx, null);
      })();
      // What is late may still fail, and then nobody waits for it.
      doing.catch(() => {});
      const values = await Promise.race([doing, time.over]);
      return { kind: "done", redone: await digestOutputs(step, values, access) };
    } catch (error) {
      redoing.signal.throwIfAborted();
      const [damaged] = unread;
      if (damaged !== undefined) return { kind: "unread", error: damaged };
      if (isSetup(error)) throw error;
      if (attempt >= attempts) return { kind: "failed", error };
    } finally {
      time.end();
    }
  }
}

/** What a step may use; of what it tells nothing is kept. */
function contextOf({
  folder,
  ...rest
}: Pick<StepContext, "attempt" | "resources" | "signal"> & {
  readonly folder: WorkFolder;
}): StepContext<null> {
  return {
    ...rest,
    hints: null,
    workDir: () => folder.make(),
    progress() {},
    find() {},
    measure() {},
    report() {},
    log() {},
    take: (_more, work) => work(),
    wait: (work) => work(),
  };
}

/** Access whose puts only digest. */
interface Digesting extends BlobAccess {
  readonly given: RedoneBlobs;
}

function readOnly({ blobs, signal }: Redoing): Digesting {
  const texts = new Map<Digest, Uint8Array>();
  const files = new Map<Digest, string>();
  return {
    ...plainAccess(blobs, signal),
    blobs: {
      ...blobs,
      put(bytes) {
        const digest = digestOf(bytes);
        texts.set(digest, bytes);
        return Promise.resolve({ digest, bytes: bytes.byteLength });
      },
      async putFile(path) {
        const hash = createHash("sha256");
        let bytes = 0;
        for await (const piece of readFilePieces(path)) {
          signal.throwIfAborted();
          hash.update(piece);
          bytes += piece.length;
        }
        const digest = hash.digest("hex") as Digest;
        files.set(digest, path);
        return { digest, bytes };
      },
    },
    given: {
      async *stream(digest) {
        const path = files.get(digest);
        const text = texts.get(digest);
        if (path !== undefined) yield* readFilePieces(path);
        else if (text !== undefined) yield text;
      },
    },
  };
}

async function digestOutputs<O extends Ports>(
  { name, outputs: ports }: Pick<Step<Json, never, O>, "name" | "outputs">,
  values: object,
  access: Digesting,
): Promise<Redone> {
  const outputs: Record<string, StoredOutput> = {};
  const given: Readonly<Record<string, unknown>> = { ...values };
  for (const [port, { codec, visibility }] of Object.entries(ports)) {
    const blob = await encode(access, `${name}.${port}`, codec, given[port]);
    outputs[port] = { ...blob, codec, visibility };
  }
  return { outputs, blobs: access.given };
}
