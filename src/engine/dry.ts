// A plan played dry: every call is asked what would become of it, and nothing is done. It is the same walk as a run's; where it reads what
// only a step's work would tell, it stands still.

import { setImmediate } from "node:timers/promises";

import { canonicalJson, type Digest, digestOf, type Json } from "../digest.ts";
import { HdashError, messageOf, publicMessageOf } from "../error.ts";
import type { BlobStore } from "../store/blobs.ts";
import type { Db } from "../store/schema.ts";
import { ask } from "./asking.ts";
import { type BlobAccess, plainAccess } from "./blobAccess.ts";
import { decode, readManifest } from "./codec.ts";
import { type Asking, type DryCall, openDryCalls } from "./dryCalls.ts";
import { withLocal } from "./localContent.ts";
import type { Pipeline, Plan, Ref, ScopeOutcome, StoredFolder } from "./step.ts";

/** What a dry play came to. */
export interface DryPlay {
  readonly calls: readonly DryCall[];
  /** Calls of which the plan wanted to read what they give: what it would call then is not known. Empty where all of it was played. */
  readonly unread: readonly DryCall[];
  /** Output, by digest → the call that gives it, as far as that is known. */
  readonly makers: ReadonlyMap<Digest, DryCall>;
  /** Scopes that would fail, with why. */
  readonly failedScopes: Readonly<Record<string, string>>;
}

/** What a dry play is made of. */
export interface DrySpec<P extends Json> extends Pick<Asking, "before" | "isForced"> {
  readonly pipeline: Pipeline<P>;
  readonly params: P;
  readonly db: Db;
  readonly blobs: BlobStore;
  readonly build: string;
  readonly clock: () => Date;
  readonly signal: AbortSignal;
  /** A folder for copies of files that the plan reads; the caller removes it. */
  readonly dir: () => Promise<string>;
}

/** So many turns of the event loop without anything going on, and with somebody waiting for what is not known: nothing will come any more. */
const QUIET_TURNS = 8;

/** What Node calls a read or another work on files that is under way: a plan may be reading a file that it was given. */
const FILE_WORK = /^(?:FS|FileHandle|CloseReq|DirHandle)/;

/** The run that this would be has no number yet; what is done in every run is no hit by it. */
const NEXT_RUN = "next";

/** Plays a plan without doing anything. Throws what the plan throws. */
export async function playDry<P extends Json>(spec: DrySpec<P>): Promise<DryPlay> {
  const play = openPlay(spec);
  const playing = spec.pipeline.plan(play.planOf(""), spec.params);
  // What a plan throws while it stands still is nobody's.
  playing.catch(() => {});
  await Promise.race([playing, play.quiet, whenAborted(spec.signal)]);
  await play.temporaries.remakeDropped();
  return {
    // What stands still may go on when nobody looks.
    calls: [...play.calls],
    unread: [...play.unread],
    makers: play.makers,
    failedScopes: Object.fromEntries(play.failedScopes),
  };
}

/** What goes on while a plan is played. */
function openPlay<P extends Json>({ pipeline, db, blobs, signal, ...spec }: DrySpec<P>) {
  const local = withLocal(blobs, signal);
  const access = plainAccess(local.blobs, signal);
  const { before, isForced } = spec;
  const asking = openDryCalls({
    ...{ pipeline: pipeline.name, db, access, signal, before, isForced },
  });
  const unread = new Set<DryCall>();
  const failedScopes = new Map<string, string>();
  const values = new Map<Digest, Json>();
  const { promise: quiet, resolve: beQuiet } = Promise.withResolvers<void>();
  let active = 0;

  /** Counts work that goes on; where none does and somebody waits for what is not known, the play is over. */
  async function counted<T>(work: () => Promise<T>): Promise<T> {
    active++;
    try {
      return await work();
    } finally {
      if (--active === 0 && unread.size > 0) void watch();
    }
  }
  async function watch(): Promise<void> {
    for (let turn = 0; turn < QUIET_TURNS; turn++) {
      await setImmediate();
      if (active > 0) return;
      if (process.getActiveResourcesInfo().some((name) => FILE_WORK.test(name))) turn = 0;
    }
    beQuiet();
  }

  function planOf(scope: string): Plan {
    return {
      isDry: true,
      run: { id: NEXT_RUN, startedAt: spec.clock().toISOString(), build: spec.build },
      do(step, args) {
        const going = counted(async () => {
          const asked = ask(step, args);
          const hints = args.hints ?? null;
          const foretold = step.foretell?.(asked.params as never, hints as never) ?? {};
          for (const { digest, local: content } of Object.values(foretold)) {
            if (content !== undefined) local.note(digest, content);
          }
          return asking.call(scope, asked, hints, foretold);
        });
        // makeRefs and unknownRefs give a ref for each of the step's ports.
        return going as ReturnType<Plan["do"]> as never;
      },
      async read<Out>(ref: Ref<Out>): Promise<Out> {
        let waits = asking.readableAfter(ref);
        return counted(async () => {
          waits ??= await asking.temporaries.droppedBy(ref);
          if (waits !== null) {
            unread.add(waits);
            return null;
          }
          if (values.has(ref.digest)) return values.get(ref.digest) as Out;
          return (await decode(access, ref, spec.dir)) as Out;
        }).then((read) => (waits === null ? (read as Out) : new Promise<never>(() => {})));
      },
      fileIn: (folder, path) =>
        counted(async () => {
          const waits = asking.waitsFor(folder);
          if (waits !== null) return asking.fileOf(waits, path);
          const file = await fileOf(access, folder, path);
          if (file !== null) asking.temporaries.notePart(folder, file);
          return file;
        }),
      value: (value) =>
        counted(() => {
          const text = canonicalJson(value as Json);
          const digest = digestOf(text);
          values.set(digest, JSON.parse(text) as Json);
          const bytes = Buffer.byteLength(text);
          return Promise.resolve({ digest, bytes, codec: "json", visibility: "private" } as const);
        }),
      async scope<R>(name: string, fn: (plan: Plan) => Promise<R>): Promise<ScopeOutcome<R>> {
        try {
          return { ok: true, value: await fn(planOf(name)) };
        } catch (error) {
          failedScopes.set(name, messageOf(error));
          return { ok: false, error: messageOf(error), publicly: publicMessageOf(error) };
        }
      },
      history: () => Promise.resolve({ factsDigest: digestOf(""), versions: [], last: null }),
      findings: () => Promise.resolve([]),
      deltas: () => Promise.resolve({}),
      runs: () => Promise.resolve([]),
      say() {},
      site: () => Promise.resolve(),
      publish: () => Promise.resolve(),
    };
  }

  const { calls, makers, temporaries } = asking;
  return { planOf, temporaries, calls, unread, makers, failedScopes, quiet };
}

async function fileOf(
  access: BlobAccess,
  folder: Ref<StoredFolder>,
  path: string,
): Promise<Ref<never, "private"> | null> {
  const { files } = await readManifest(access, folder.digest);
  const found = files.find((file) => file.path === path);
  if (found === undefined) return null;
  const { digest, bytes } = found;
  return { digest, bytes, codec: "file", visibility: "private" };
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = (): void =>
      reject(new HdashError("aborted", "told to stop", { cause: signal.reason }));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
