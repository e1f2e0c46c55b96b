// A user's pipeline bound to the world: its code digested, its files at hand, its programs run on this machine.

import { AsyncLocalStorage } from "node:async_hooks";
import { basename, dirname, join, resolve } from "node:path";

import type { Json } from "../../digest.ts";
import type { Effects } from "../../effects.ts";
import type { Plan, Ref } from "../../engine/step.ts";
import { HdashError } from "../../error.ts";
import { bytes as bytesText, duration } from "../../format.ts";
import type { BoundPipeline, ReadMenu } from "../../job.ts";
import { type MostCost, openBudget } from "../../lineage/spending.ts";
import type { Log } from "../../log.ts";
import { PATIENT } from "../../retry.ts";
import { meant } from "../../settings/nearest.ts";
import { noteListings } from "../../store/codeListings.ts";
import { makeContentDigests } from "../../store/contentDigests.ts";
import { readDigests, writeDigests } from "../../store/rememberedDigests.ts";
import { listHolding } from "../../store/trust.ts";
import { copyResults, makeOutFolder } from "./copying.ts";
import { makeFar, makeGiven } from "./giving.ts";
import type { Opened } from "./opened.ts";
import { originOf } from "./origin.ts";
import { makeUserPipeline, nameOfRuns, type Playing, type Result } from "./plan.ts";
import { makeRunnable } from "./runnable.ts";
import { LEAST_SECRET, type Secrets } from "./secrets.ts";
import type { AnalysisSettings } from "./settings.ts";
import { fetchData } from "./sources/fetchData.ts";
import { giveValue, lookThrough } from "./sources/given.ts";
import { openSteps } from "./sources/openSteps.ts";
import { type Bringing, givesTemporary, isStubbed, makeImportSteps } from "./steps.ts";
import type { Told } from "./told.ts";
import { withTrust, wordsOf } from "./trusting.ts";
import { dataName, dataOf } from "./writing/data.ts";
import type { DeclaredPipeline } from "./writing/pipeline.ts";

/** Digests of files of this machine, over runs. */
const REMEMBERED = "input-digests.json";

export async function bindAnalysis(
  effects: Effects,
  { values, secrets, out, told }: AnalysisSettings,
  readMenu: ReadMenu,
  of: { readonly path: string; readonly cwd: string; readonly pipeline: DeclaredPipeline },
): Promise<BoundPipeline> {
  const { cwd } = of;
  const copyTo = out === null ? null : resolve(cwd, out);
  const file = resolve(cwd, of.path);
  const remembered = join(effects.config.home, REMEMBERED);
  const known = await readDigests(remembered);
  const contents = makeContentDigests(known);
  const { signal } = new AbortController();
  const opened = await openTrusted(effects, { ...of, file }, { contents, signal }, told);
  const { isStub, only, forced } = told;
  const { hidden, stepsOf } = makeRunnable(effects, opened, secrets);
  refuseGiven(values, hidden);
  warnOfShort(secrets, effects.log);
  const steps = stepsOf(isStub);
  const imports = makeImportSteps({
    bring: makeFetch(effects, dirname(file)),
    look: async (path, stop) => lookThrough(path, path, contents, stop),
    far: makeFar(effects),
  });
  const scopes = new AsyncLocalStorage<Plan>();
  const playing: Playing = {
    ...{ opened, isStub, only, secrets: hidden },
    stepOf: steps,
    async fetchData(plan, { url, sha256 }) {
      const args = {
        params: { sha256 },
        inputs: {},
        hints: { url },
        label: basename(dataName(url)),
      };
      return (await plan.do(imports.fetchData, args)).file;
    },
    scopePlan: () => scopes.getStore() ?? null,
    inScope: (plan, part) => scopes.run(plan, part),
    async takes(plan, handle) {
      if (plan.isDry !== true) {
        await noteListings((await effects.database()).db, opened.listings);
        // What cannot be copied out is said before all is done for it.
        if (copyTo !== null) await makeOutFolder(copyTo);
      }
      const handles = makeGiven(plan, imports, { handle, isLazy: only !== null });
      const given: Record<string, unknown> = {};
      for (const [name, { shape }] of Object.entries(opened.pipeline.takes)) {
        const note = (text: string): void => effects.log.warn(text);
        const places = { base: cwd, digests: contents, signal, note };
        const one = { at: `--${name}`, ...places, ...handles };
        given[name] = await giveValue(shape, values[name], one);
      }
      await writeDigests(remembered, known);
      return given;
    },
    async give(plan, results) {
      const refs = results.flatMap(({ value, isRef }) => (isRef ? [value as Ref<unknown>] : []));
      const named = results.map(({ name, value, isRef }) => {
        if (!isRef) return { name, value: value as Json };
        const { digest, bytes, codec } = value as Ref<unknown>;
        return { name, digest, bytes, codec };
      });
      await plan.do(imports.results, { params: { results: named }, inputs: { found: refs } });
      if (plan.isDry === true) return;
      tellResults(effects.log, results);
      if (copyTo !== null) await copyResults(plan, copyTo, results);
    },
  };
  return {
    pipeline: makeUserPipeline(playing),
    params: paramsOf(values, told),
    origin: originOf({ file, cwd, out: copyTo, isStub, isPublished: told.isPublished, only }),
    forcedSteps: forced,
    listings: opened.listings,
    ...(told.most === null ? {} : { budget: openBudgetOf(effects, told.most) }),
    hasTemporary: opened.steps.some(({ declared }) => givesTemporary(declared)),
    publisher: null,
    siteUrl: null,
    ...(told.isPublished
      ? {
          async publishRun(runId: string, stop: AbortSignal) {
            const { publishRun } = await import("./publishing.ts");
            return publishRun(effects, of.pipeline.name, runId, { readMenu, signal: stop });
          },
        }
      : {}),
  };
}

function openBudgetOf(effects: Effects, most: MostCost): NonNullable<BoundPipeline["budget"]> {
  return async (runId) => openBudget((await effects.database()).db, runId, most);
}

/** Makes what brings the data that a pipeline names by its digest. @param base the folder that its paths are seen from. */
function makeFetch(effects: Effects, base: string): Bringing["bring"] {
  return async (url, sha256, ctx) =>
    fetchData(
      {
        blobs: () => effects.blobs(),
        http: () => effects.http(),
        bucket: (name) => effects.openBucket(name),
        policy: effects.patience.policy ?? PATIENT,
        onRetry: ({ subject, reason, delayMs }) =>
          effects.log.warn(`${subject}: ${reason}; it is tried again in ${duration(delayMs)}`),
        base,
      },
      {
        ...{ url, sha256, dir: await ctx.workDir(), signal: ctx.signal },
        onProgress: (done, total) => ctx.progress(done, total, { unit: "bytes" }),
      },
    );
}

/** Refuses a value of the command line that is a secret: runs are known by their values, which are kept. */
function refuseGiven(values: Readonly<Record<string, unknown>>, secrets: Secrets): void {
  for (const [name, value] of Object.entries(values)) {
    const held = secrets.nameIn(JSON.stringify(value) ?? "");
    if (held === null) continue;
    throw new HdashError("config", `--${name} holds the secret ${held}, and would be kept`, {
      hint: `Steps get a secret by its name: secrets: ["${held}"].`,
    });
  }
}

function warnOfShort(secrets: Readonly<Record<string, string | null>>, log: Log): void {
  for (const [name, value] of Object.entries(secrets)) {
    if (value === null || value === "" || Buffer.byteLength(value) >= LEAST_SECRET) continue;
    log.warn(
      `the secret ${name} is shorter than ${LEAST_SECRET} bytes: it is hidden in logs, but what steps give is not searched for it`,
    );
  }
}

/** Opens the steps, and tells what there is to know of them; what is trusted to give what other code gave counts as that code. */
async function openTrusted(
  effects: Effects,
  { file, pipeline }: { readonly file: string; readonly pipeline: DeclaredPipeline },
  reading: Parameters<typeof openSteps>[2],
  told: Told,
): Promise<Opened> {
  const opened = await openSteps(file, pipeline, reading);
  for (const note of opened.notes) effects.log.warn(note);
  checkForced(opened, told.forced);
  if (told.isStub) effects.log.info(stubText(opened));
  const runsAs = nameOfRuns(pipeline.name, told);
  const words = await listHolding((await effects.database()).db, runsAs);
  for (const one of opened.steps) {
    const [word] = wordsOf(one, words);
    if (word === undefined) continue;
    const { step, because } = word;
    effects.log.info(`${step}: its code is trusted to give what it gave before: ${because}`);
  }
  return withTrust(opened, words);
}

function tellResults(log: Log, results: readonly Result[]): void {
  for (const { name, value, isRef } of results) {
    log.info(`${name}: ${isRef ? refText(value as Ref<unknown>) : JSON.stringify(value)}`);
  }
}

function refText({ digest, bytes, codec }: Ref<unknown>): string {
  return `${codec} ${digest.slice(0, 12)}, ${bytesText(bytes)}`;
}

/** What names a run of the pipeline: the same values are the same run, which goes on where it was stopped. */
function paramsOf(values: Readonly<Record<string, unknown>>, { only }: Told): Json {
  // Of a file that is known by its digest, that: its address may be secret.
  const named = Object.entries(values).map(([name, value]) => {
    const file = dataOf(value);
    return [name, file === null ? value : { sha256: file.sha256 }] as const;
  });
  return JSON.parse(JSON.stringify({ ...Object.fromEntries(named), ...onlyOf(only) })) as Json;
}

/** No flag of a pipeline, and so nothing that it takes, has this name. */
function onlyOf(only: readonly string[] | null): { readonly only?: readonly string[] } {
  return only === null ? {} : { only };
}

/** Throws usage where none of the steps has a name that is to be done again. */
function checkForced({ steps }: Opened, forced: readonly string[]): void {
  const names = steps.map(({ declared }) => declared.name);
  const strange = forced.find((name) => !names.includes(name));
  if (strange === undefined) return;
  throw new HdashError("usage", `--force: there is no step ${JSON.stringify(strange)}`, {
    hint: meant(strange, names),
  });
}

/** Says that a run is one with stubs, and of which steps. */
function stubText({ pipeline, steps }: Opened): string {
  const names = (isSo: boolean): string =>
    steps
      .flatMap(({ declared: one }) => (isStubbed(one, true) === isSo ? [one.name] : []))
      .join(", ");
  const [by, not] = [names(true), names(false)];
  const whole = not === "" ? "" : `; done as they are: ${not}`;
  return `${pipeline.name} runs with stubs, under the name ${nameOfRuns(pipeline.name, { isStub: true })}: ${by || "none has one"}${whole}`;
}
