// hdash trust: somebody's word that a step's code gives what it gave before, so that what is known stays known.

import type { Command } from "commander";

import { HdashError } from "../../../error.ts";
import { oneLine } from "../../../format.ts";
import { readDocument, userUses } from "../../../lineage/document.ts";
import { meant } from "../../../settings/nearest.ts";
import { EXIT, type Shell } from "../../../shell.ts";
import type { Trust } from "../../../store/ancestry.ts";
import type { Db } from "../../../store/schema.ts";
import type { Opened, OpenedStep } from "../opened.ts";
import { voidTrusted } from "../voiding.ts";

const HELP = `
Keys of the step are made with the code that its results were made by, as long as its code stays as it is now: what is known is a hit. The word
is kept, with the reason, and \`hdash provenance\` shows it. \`hdash verify\` of a result runs the code of now; where it gives something else,
the word is withdrawn, and the next run does the step.

Examples:
  hdash trust ./kmer.ts merge --because "only the log text changed"
  hdash trust ./kmer.ts merge --withdraw
  hdash trust --list
`;

interface Flags {
  readonly because?: string;
  readonly withdraw?: boolean;
  readonly list?: boolean;
  readonly json?: boolean;
}

/** Adds the command to hdash; `names` are those of its own jobs. */
export function addTrust(program: Command, shell: Shell, names: readonly string[]): void {
  program
    .command("trust")
    .description(
      "say that a step's changed code gives what it gave before, so that nothing is done again",
    )
    .argument("[file]", "the pipeline's module, e.g. ./kmer.ts")
    .argument("[step]", "the step's name")
    .option("--because <reason>", "why that is so")
    .option("--withdraw", "take the word back; --because may say why")
    .option("--list", "list all words that were given, and what became of them")
    .option("--json", "as JSON lines (docs/schemas/trust.schema.json)")
    .addHelpText("after", HELP)
    .action(async (path: string | undefined, step: string | undefined, flags: Flags) =>
      shell.exit(await trust(shell, names, { path, step }, flags)),
    );
}

async function trust(
  shell: Shell,
  names: readonly string[],
  { path, step: name }: { readonly path: string | undefined; readonly step: string | undefined },
  flags: Flags,
): Promise<number> {
  const isOfStep = path !== undefined && name !== undefined;
  if (flags.list !== true && !isOfStep) {
    throw new HdashError(
      "usage",
      "whose code is to be trusted? A pipeline's file and a step's name are missing",
      {
        hint: "hdash trust ./kmer.ts merge --because …, or hdash trust --list",
      },
    );
  }
  const because = flags.because?.trim() ?? "";
  if (isOfStep && flags.list !== true && flags.withdraw !== true && because === "") {
    throw new HdashError(
      "usage",
      `--because is missing: why does ${name} give what it gave before?`,
    );
  }
  const config = shell.config(["database"]);
  return shell.withEffects(config, shell.log(config), async (effects) => {
    const { db } = await effects.database();
    const at = effects.clock();
    const words = isOfStep
      ? await sayOfStep(db, await openStep(path, name, names, shell.signal), {
          ...flags,
          because,
          at,
        })
      : await listWords(db);
    for (const word of words) {
      shell.print(flags.json === true ? JSON.stringify(word) : lineOf(word));
    }
    if (words.length === 0 && flags.json !== true) shell.print("no code is trusted");
    return EXIT.ok;
  });
}

async function listWords(db: Db): Promise<readonly Trust[]> {
  const { listAllTrust } = await import("../../../store/trust.ts");
  return listAllTrust(db);
}

interface Meant {
  readonly opened: Opened;
  readonly step: OpenedStep;
}

async function openStep(
  path: string,
  name: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Meant> {
  const { loadModule, pipelineOf } = await import("../sources/loadPipeline.ts");
  const { openSteps } = await import("../sources/openSteps.ts");
  const { makeContentDigests } = await import("../../../store/contentDigests.ts");
  const pipeline = pipelineOf(await loadModule(path), path, names);
  const opened = await openSteps(path, pipeline, { contents: makeContentDigests(), signal });
  const step = opened.steps.find(({ declared }) => declared.name === name);
  if (step !== undefined) return { opened, step };
  const known = opened.steps.map(({ declared }) => declared.name);
  throw new HdashError("usage", `${path} has no step ${JSON.stringify(name)}`, {
    hint: meant(name, known),
  });
}

/** Lists, withdraws or gives words for a step, and tells those that are concerned. */
async function sayOfStep(
  db: Db,
  { opened, step }: Meant,
  { list, withdraw, because, at }: Flags & { readonly because: string; readonly at: Date },
): Promise<readonly Trust[]> {
  const { addTrust: add, listAllTrust, withdrawTrust } = await import("../../../store/trust.ts");
  const { noteListings } = await import("../../../store/codeListings.ts");
  const own = { pipeline: opened.pipeline.name, step: step.declared.name };
  const isOwn = (one: Trust): boolean => one.pipeline === own.pipeline && one.step === own.step;
  if (list === true) return (await listAllTrust(db)).filter(isOwn);
  if (withdraw === true) {
    const why = because === "" ? "taken back" : because;
    if ((await withdrawTrust(db, { ...own, codes: null }, { at, why })) === 0) {
      throw new HdashError("usage", `no word holds of ${own.step} of ${own.pipeline}`, {
        hint: "`hdash trust --list` lists those that were given.",
      });
    }
    const all = (await listAllTrust(db)).filter(isOwn);
    const words = all.filter(({ withdrawnAt }) => withdrawnAt?.getTime() === at.getTime());
    await voidTrusted(db, words, why);
    return words;
  }
  const codes = await standFor(db, { opened, step });
  await noteListings(db, opened.listings);
  await add(
    db,
    codes.map((one) => ({ ...own, ...one, because, trustedAt: at })),
  );
  const all = (await listAllTrust(db)).filter(isOwn);
  return all.filter(({ withdrawnAt }) => withdrawnAt === null).slice(-codes.length);
}

/** Which digests of now stand for which of the step's last result. Throws usage where there is nothing to be said, or it would not be true. */
async function standFor(
  db: Db,
  { opened, step }: Meant,
): Promise<readonly Pick<Trust, "code" | "standsFor">[]> {
  const { findLastOfStep } = await import("../../../store/trust.ts");
  const { isSameCode, sayChanged } = await import("../changedCode.ts");
  const { name } = step.declared;
  const { name: pipeline } = opened.pipeline;
  const last = await findLastOfStep(db, pipeline, name);
  const document = last === null ? null : readDocument(last.document);
  const was = document === null ? null : userUses(document);
  if (last === null || document === null || was === null) {
    throw new HdashError(
      "usage",
      `no good run of ${pipeline} has a result of ${name}: nothing is known that could stay known`,
    );
  }
  if (isSameCode(document, step, false)) {
    throw new HdashError(
      "usage",
      `the code of ${name} is that of run ${last.runId}: nothing would be done again`,
    );
  }
  const asThen = {
    ...step,
    code: was.code as OpenedStep["code"],
    uses: step.uses === null ? null : ((was.uses ?? step.uses) as OpenedStep["uses"]),
  };
  if (!isSameCode(document, asThen, false)) {
    const of = { step: { ...asThen }, opened, isStub: false };
    throw new HdashError(
      "usage",
      `only code can be trusted, and ${await sayChanged(db, document, of)} (run ${last.runId})`,
    );
  }
  const pairs: readonly (readonly [string | null, string | null])[] = [
    [step.code, was.code],
    [step.uses, was.uses],
  ];
  return pairs.flatMap(([code, standsFor]) =>
    code === null || standsFor === null || code === standsFor ? [] : [{ code, standsFor }],
  );
}

function lineOf(word: Trust): string {
  const { pipeline, step, code, standsFor, because, trustedAt, withdrawnAt, withdrawnWhy } = word;
  const of = `${pipeline} ${step}: ${code.slice(0, 8)} stands for ${standsFor.slice(0, 8)}`;
  const since = `since ${trustedAt.toISOString().slice(0, 16).replace("T", " ")}, because ${oneLine(because)}`;
  return withdrawnAt === null
    ? `${of} ${since}`
    : `${of} no more (${oneLine(withdrawnWhy ?? "")}); it did ${since}`;
}
