// What would become of each call of a plan that is played dry: a hit, work, or not to be known before other work is done.

import type { Digest, Json } from "../digest.ts";
import { messageOf } from "../error.ts";
import type { StoredOutput, StoredResult } from "../store/results.ts";
import type { Db } from "../store/schema.ts";
import { type Asked, keyOf } from "./asking.ts";
import type { BlobAccess } from "./blobAccess.ts";
import type { DryCall } from "./dryCall.ts";
import { openDryTemporaries } from "./dryTemporaries.ts";
import type { StepKey } from "./key.ts";
import { bundled, type Lookup, lookUp } from "./lookup.ts";
import { type AnyStep, type InputRecord, isList, makeRefs, mapValues } from "./ports.ts";
import type { Foretold, Ref } from "./step.ts";

/** What a call has given the last time that somebody made it. */
export interface CallBefore {
  readonly resultId: string;
  readonly outputs: StoredResult["outputs"];
}

export type { DryCall };

/** What a plan's calls are looked up with. */
export interface Asking {
  readonly pipeline: string;
  readonly db: Db;
  readonly access: BlobAccess;
  readonly signal: AbortSignal;
  /** What a call has given the last time; null where nobody knows. */
  readonly before: (call: DryCall) => CallBefore | null;
  /** Tells whether a step is to be done again whatever is known. */
  readonly isForced: (step: string) => boolean;
}

/** Asks for calls, one by one, and remembers what each would give. */
export function openDryCalls({ pipeline, db, access, signal, before, isForced }: Asking) {
  const find = bundled((keys: readonly string[]) => lookUp(db, access, keys));
  const calls: DryCall[] = [];
  const makers = new Map<Digest, DryCall>();
  /** Refs of what is not known → the call that would give it, and what it gave before. */
  const unknown: Unknown = new WeakMap();
  /** Refs of what is known and lies nowhere yet → the call that would bring it. */
  const unread = new WeakMap<object, DryCall>();
  const memory = { unknown, unread, makers };
  /** What would be done, by key → what it gives, as far as that is known. */
  const going = new Map<StepKey, Readonly<Record<string, Ref<unknown>>>>();

  const temporaries = openDryTemporaries(access, calls);

  async function look(key: StepKey): Promise<Lookup> {
    return (await find(key)) ?? { kind: "none" };
  }

  async function call(
    scope: string,
    asked: Asked,
    hints: Json,
    foretold: Readonly<Record<string, Foretold>>,
  ) {
    const { step, inputs } = asked;
    const { name, label, version } = step;
    const own: DryCall = {
      ...{ scope, step: name, label, version, hints, state: "unknown", cause: null },
      ...{
        key: null,
        shape: null,
        document: null,
        found: null,
        waitsFor: [],
        neededBy: null,
        error: null,
      },
    };
    calls.push(own);
    temporaries.noteTaken(own, refsOf(inputs));
    const waits = refsOf(inputs).flatMap((ref) => unknown.get(ref)?.call ?? []);
    own.waitsFor = [...new Set(waits)];
    if (waits.length > 0) {
      own.shape = shapeOf(pipeline, asked, unknown);
      if (isForced(name)) {
        own.state = "run";
        own.cause = "forced";
        return unknownRefs(memory, own, step, {}, before(own)?.outputs ?? null);
      }
      own.found = await suppose(asked);
      return unknownRefs(memory, own, step, {}, own.found?.outputs ?? null);
    }
    if (step.kind === "observation") return unknownRefs(memory, own, step, {}, null);
    try {
      const { key, document } = keyOf(pipeline, asked, (await step.pin?.(signal)) ?? null);
      own.key = key;
      own.shape = key;
      const known = await look(key);
      // A run does equal work once. Nothing is waited for between this and where it is noted.
      const same = going.get(key);
      if (same !== undefined) {
        own.state = "hit";
        return same;
      }
      if (known.kind === "found" && !isForced(name)) {
        own.state = "hit";
        own.found = known.stored;
        const refs = makeRefs(step, known.stored);
        for (const { digest } of Object.values(refs)) makers.set(digest, own);
        temporaries.noteHit(own, known.stored);
        return refs;
      }
      own.state = "run";
      own.document = document;
      own.cause = known.kind === "found" ? "forced" : known.kind === "gone" ? "gone" : null;
    } catch (error) {
      own.state = "failed";
      own.error = messageOf(error);
      throw error;
    }
    const refs = unknownRefs(memory, own, step, foretold, before(own)?.outputs ?? null);
    if (own.key !== null) going.set(own.key, refs);
    return refs;
  }

  /** What would be found if all that is waited for gave what it gave before; null where that is not known, or known to be nothing. */
  async function suppose(asked: Asked): Promise<StoredResult | null> {
    const inputs = asked.step.kind === "observation" ? null : supposedInputs(asked, unknown);
    if (inputs === null) return null;
    try {
      const pin = (await asked.step.pin?.(signal)) ?? null;
      const known = await look(keyOf(pipeline, { ...asked, inputs }, pin).key);
      return known.kind === "found" ? known.stored : null;
    } catch {
      // Whether its source can be asked is told when it is its turn.
      return null;
    }
  }

  return {
    calls,
    makers,
    call,
    temporaries,
    /** The call that would give what a ref stands for; null where its content is known. */
    waitsFor: (ref: object): DryCall | null => unknown.get(ref)?.call ?? null,
    /** The call without which nobody can read what a ref stands for, though it may be known what that is; null where it can be read. */
    readableAfter: (ref: object): DryCall | null =>
      unknown.get(ref)?.call ?? unread.get(ref) ?? null,
    /** A file of a folder that is not known. */
    fileOf(own: DryCall, path: string): Ref<never, "private"> {
      const ref = { digest: NOT_KNOWN, bytes: 0, codec: "file", visibility: "private" } as const;
      unknown.set(ref, { call: own, port: path, before: null });
      return ref;
    },
  };
}

/** Stands where a digest is not known; such a ref is told by itself, not by this. */
const NOT_KNOWN = "" as Digest;

function refsOf(inputs: InputRecord): readonly Ref<unknown>[] {
  return Object.values(inputs).flatMap((input) => (isList(input) ? input : [input]));
}

/** Refs of what is not known → the call that would give it, and what it gave before. */
type Unknown = WeakMap<
  object,
  { readonly call: DryCall; readonly port: string; readonly before: Digest | null }
>;

/** The key that a call would have if other calls gave their own names. */
function shapeOf(pipeline: string, asked: Asked, unknown: Unknown): Digest {
  const inputs = mapRefs(asked.inputs, (ref) => {
    const of = unknown.get(ref);
    if (of === undefined) return ref;
    const { scope, step, label, shape } = of.call;
    return { ...ref, digest: JSON.stringify([scope, step, label, shape, of.port]) as Digest };
  });
  return keyOf(pipeline, { ...asked, inputs }, null).key;
}

/** Inputs with what was given before in the places of what is not known; null where that is not known either. */
function supposedInputs({ inputs }: Asked, unknown: Unknown): InputRecord | null {
  let isKnown = true;
  const supposed = mapRefs(inputs, (ref) => {
    const of = unknown.get(ref);
    if (of === undefined) return ref;
    if (of.before === null) isKnown = false;
    return { ...ref, digest: of.before ?? ref.digest };
  });
  return isKnown ? supposed : null;
}

function mapRefs(inputs: InputRecord, map: (ref: Ref<unknown>) => Ref<unknown>): InputRecord {
  return mapValues(inputs, (input) => (isList(input) ? input.map(map) : map(input)));
}

interface Memory {
  readonly unknown: Unknown;
  readonly unread: WeakMap<object, DryCall>;
  readonly makers: Map<Digest, DryCall>;
}

/** Makes refs of what a call would give: what is foretold is known, all else waits for its work. */
function unknownRefs(
  { unknown, unread, makers }: Memory,
  own: DryCall,
  step: AnyStep,
  foretold: Readonly<Record<string, Foretold>>,
  last: StoredResult["outputs"] | null,
): Readonly<Record<string, Ref<unknown>>> {
  return mapValues(step.outputs, ({ codec, visibility }, port): Ref<unknown> => {
    const told = foretold[port];
    if (told !== undefined) {
      const { digest, bytes, local } = told;
      makers.set(digest, own);
      const ref = { digest, bytes, codec, visibility };
      if (local === undefined) unread.set(ref, own);
      return ref;
    }
    const known: StoredOutput | undefined = last?.[port];
    const ref = { digest: NOT_KNOWN, bytes: known?.bytes ?? 0, codec, visibility };
    unknown.set(ref, { call: own, port, before: known?.digest ?? null });
    return ref;
  });
}
