// Does steps once more, each alone: with nothing but its key's document, the blobs of its inputs and the hints it was given.

import { sql } from "kysely";

import type { Digest, Json } from "../../src/digest.ts";
import { decode } from "../../src/engine/codec.ts";
import { type AnyStep, mapValues, storeOutputs } from "../../src/engine/ports.ts";
import { makeScratch } from "../../src/engine/scratch.ts";
import type { Codec, Pipeline, Plan, Ports } from "../../src/engine/step.ts";
import { SILENT } from "../../src/log.ts";
import { digestFacts, makeFacts } from "../../src/store/facts.ts";
import { identifyProcess } from "../../src/store/processIdentity.ts";
import type { World } from "../engine/world.ts";

/** What a test needs of a step, whatever its types. */
interface LooseStep {
  readonly kind: "step" | "observation";
  readonly name: string;
  readonly version: number;
  readonly uses?: Json;
  readonly outputs: Ports;
}

/** Step and params → the hints that the plan gave. */
export type Hints = Map<string, Json>;

/** A pipeline that notes the hints which its plan gives. */
export function notingHints<P extends Json>(pipeline: Pipeline<P>, hints: Hints): Pipeline<P> {
  const noting = (plan: Plan): Plan => ({
    ...plan,
    do(step, args) {
      hints.set(nameOf(step.name, args.params), args.hints ?? null);
      return plan.do(step, args);
    },
    scope: (name, fn) => plan.scope(name, (scope) => fn(noting(scope))),
  });
  return { ...pipeline, plan: (plan, params) => pipeline.plan(noting(plan), params) };
}

function nameOf(step: string, params: Json): string {
  return `${step} ${JSON.stringify(params, (_key, value: unknown) => sorted(value))}`;
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

interface Document {
  readonly kind: string;
  readonly step: string;
  readonly version: number;
  readonly params: Json;
  readonly pin: Json;
  readonly uses?: Json;
  readonly inputs: Readonly<Record<string, Digest | readonly Digest[]>>;
}

interface Row {
  readonly document: string;
  readonly outputs: Readonly<Record<string, { digest: Digest; bytes: number; codec: Codec }>>;
  readonly facts_digest: string | null;
}

/** What a step came to: in the run, and alone. */
export interface Repeated {
  readonly step: string;
  readonly uses: Json | undefined;
  readonly outputs: Readonly<Record<string, Digest>>;
  readonly facts: string | null;
}

/**
 * Does every step of the ledger again, the last one first, so that none can lean on what was done before it.
 * @param makeSteps makes steps with closures of their own: it is called anew for each of them.
 */
export async function repeatAlone(
  world: World,
  makeSteps: () => Promise<Readonly<Record<string, LooseStep>>>,
  hints: Hints,
): Promise<{ readonly inRun: readonly Repeated[]; readonly alone: readonly Repeated[] }> {
  const { rows } = await sql<Row>`
    select document, outputs, facts_digest from step_result order by created_at desc, step_key`.execute(
    world.database.db,
  );
  const codecs = new Map<Digest, Codec>();
  for (const { outputs } of rows)
    for (const { digest, codec } of Object.values(outputs)) codecs.set(digest, codec);
  const access = {
    blobs: world.blobs,
    withLedger: <T>(_subject: string, use: () => Promise<T>) => use(),
  };
  const scratch = await makeScratch(
    world.scratch,
    { runId: "0", attempt: 1 },
    identifyProcess(),
    SILENT,
  );
  const inRun: Repeated[] = [];
  const alone: Repeated[] = [];
  try {
    for (const { document, outputs, facts_digest: facts } of rows) {
      const { kind, ...asked } = JSON.parse(document) as Document;
      if (kind !== "step") continue;
      const digests = mapValues(outputs, ({ digest }) => digest);
      inRun.push({ step: asked.step, uses: asked.uses, outputs: digests, facts });
      const declared = Object.values(await makeSteps()).find(({ name }) => name === asked.step);
      if (declared === undefined) throw new Error(`there is no step ${asked.step}`);
      // Its types were checked where the plan was written; here it gets what the ledger has.
      const step = declared as LooseStep & { run: (...args: unknown[]) => Promise<never> };
      const folder = scratch.newFolder();
      const read = (digest: Digest) =>
        // What no step put out is a value of the plan.
        decode(access, { digest, bytes: 0, codec: codecs.get(digest) ?? "json" }, () =>
          folder.make(),
        );
      const inputs: Record<string, unknown> = {};
      for (const [name, input] of Object.entries(asked.inputs))
        inputs[name] = Array.isArray(input)
          ? await Promise.all(input.map((digest) => read(digest as Digest)))
          : await read(input as Digest);
      const findings: Parameters<typeof makeFacts>[0][number][] = [];
      const measures: Parameters<typeof makeFacts>[1][number][] = [];
      const ctx = {
        signal: new AbortController().signal,
        workDir: () => folder.make(),
        progress() {},
        find: (found: typeof findings) => void findings.push(...found),
        measure: (subject: string, name: string, value: number) =>
          void measures.push({ subject, name, value }),
        attempt: 1,
        resources: {},
        log() {},
        take: <T>(_more: unknown, work: () => Promise<T>) => work(),
        wait: <T>(work: () => Promise<T>) => work(),
        hints: hints.get(nameOf(asked.step, asked.params)) ?? null,
      };
      const values = await step.run(inputs, asked.params, ctx, asked.pin);
      const { name, version } = step;
      const any = { name, version, outputs: step.outputs } as unknown as AnyStep;
      const stored = await storeOutputs(access, any, values);
      alone.push({
        step: name,
        uses: step.uses,
        outputs: mapValues(stored, ({ digest }) => digest),
        facts: digestFacts(makeFacts(findings, measures)),
      });
      await folder.remove();
    }
  } finally {
    await scratch.remove();
  }
  return { inRun, alone };
}
