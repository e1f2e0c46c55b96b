// hdash why: what was different from the last time, field by field, through steps that ran only because another did.

import type { Command } from "commander";

import { canonicalJson } from "../digest.ts";
import type { Effects } from "../effects.ts";
import { HdashError } from "../error.ts";
import type { Found } from "../lineage/find.ts";
import type { Because, Explained, Explaining } from "../lineage/why.ts";
import { EXIT, type Shell } from "../shell.ts";
import type { Db } from "../store/schema.ts";

interface WhyFlags {
  readonly against?: string;
  readonly json?: boolean;
}

const HELP = `
Examples:
  hdash why kmer.merged[1]      why that result was made, against the run before
  hdash why 5d41402a            the same, by 8 digits of a key
  hdash why 17                  why the steps of run 17 ran
  hdash why kmer --against 12   what the last good run of kmer had done against run 12
`;

/** Adds the command to hdash. */
export function addWhy(program: Command, shell: Shell): void {
  program
    .command("why")
    .description("say why a result was made: what was different from the last time")
    .argument("<result>", "PIPELINE.NAME, a run, a key, a digest, an address or a path")
    .option(
      "--against <run>",
      "the run to compare with; default: the last one before that ended well",
    )
    .option("--json", "as one JSON object")
    .addHelpText("after", HELP)
    .action(async (word: string, flags: WhyFlags) => shell.exit(await why(shell, word, flags)));
}

async function why(shell: Shell, word: string, flags: WhyFlags): Promise<number> {
  const config = shell.config(["database"]);
  return shell.withEffects(config, shell.log(config), async (effects: Effects) => {
    const { json: isJson = false, against } = flags;
    const asked = { isJson, signal: shell.signal, ...(against === undefined ? {} : { against }) };
    for (const line of await whyLines(effects, word, asked)) shell.print(line);
    return EXIT.ok;
  });
}

/** Says why a result was made, or why the steps of a run ran. Throws usage where the word means nothing. */
export async function whyLines(
  effects: Effects,
  word: string,
  asked: { readonly isJson: boolean; readonly signal: AbortSignal; readonly against?: string },
): Promise<readonly string[]> {
  const { findResult } = await import("../lineage/find.ts");
  const { db } = await effects.database();
  const { signal } = asked;
  const found = await findResult(db, word, { siteUrl: effects.config.siteUrl, signal });
  const against = await againstOf(db, asked.against);
  const { plainAccess } = await import("../engine/blobAccess.ts");
  const access = plainAccess(await effects.blobs(), signal);
  return tell({ db, access, against }, found, asked.isJson);
}

async function againstOf(db: Db, word: string | undefined): Promise<string | null> {
  if (word === undefined) return null;
  const { readLedgerRun } = await import("../store/lineage.ts");
  const run = await readLedgerRun(db, word);
  if (run !== null) return run.id;
  throw new HdashError("usage", `--against: there is no run ${JSON.stringify(word)}`, {
    hint: "`hdash runs` lists those there are.",
  });
}

async function tell(
  explaining: Explaining,
  found: Found,
  isJson: boolean,
): Promise<readonly string[]> {
  const { explain, explainRun } = await import("../lineage/why.ts");
  const { whyRunText, whyText } = await import("../lineage/whyText.ts");
  if (found.kind === "run") {
    const { findLastGoodRun, listRunCalls } = await import("../store/lineage.ts");
    const { db } = explaining;
    const { run } = found;
    const than =
      explaining.against ?? (await findLastGoodRun(db, run.pipeline, run.id))?.id ?? null;
    const steps = await listRunCalls(db, run.id);
    const explained = await explainRun(explaining, run, steps);
    if (!isJson) return whyRunText(run.id, than, explained);
    return [JSON.stringify({ run: run.id, against: than, steps: explained.map(jsonOf) })];
  }
  if (found.value !== undefined) {
    const value = canonicalJson(found.value);
    return isJson
      ? [JSON.stringify({ value: found.value })]
      : [`${found.asked} is a value of the plan, made by no step: ${value}`];
  }
  const explained = await explain(explaining, found.result);
  return isJson ? [JSON.stringify(jsonOf(explained))] : whyText(explained);
}

function jsonOf({ attempt, reasons, seenIn, ...explained }: Explained): object {
  return {
    ...explained,
    seenIn: seenIn === null ? null : { run: seenIn.runId, state: seenIn.state },
    attempt:
      attempt === null
        ? null
        : { n: attempt.n, runner: attempt.runner, machine: attempt.machine, end: attempt.end },
    reasons: reasons.map(reasonJson),
  };
}

function reasonJson({ from, ran, ...reason }: Because): object {
  return {
    ...reason,
    from:
      from === null
        ? null
        : { step: from.step, label: from.label, port: from.port, run: from.runId },
    ran: ran === null ? null : jsonOf(ran),
  };
}
