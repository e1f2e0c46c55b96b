// hdash cohort: the parts of a run alone, and where exports and datasets stand, with their proof. Counts and names of exports, never a value.

import { type Command, InvalidArgumentError } from "commander";

import type { Effects } from "../../effects.ts";
import { HdashError } from "../../error.ts";
import { count, number } from "../../format.ts";
import type { Job, RunJob } from "../../job.ts";
import { EXIT, type Shell } from "../../shell.ts";
import type { AuditedExport } from "./data/proof.ts";
import type { ReportFinding } from "./data/report.ts";
import type { CohortSettings } from "./settings.ts";

/** Flags that all of them take, and the variable that each stands for. */
const SHARED = [
  ["--namespace <name>", "the namespace that is meant", "NAMESPACE"],
  ["--cohort <names>", "only exports of these, separated by commas", "COHORT_ONLY"],
  ["--since <day>", "only exports of this day, YYYY-MM-DD, or later", "COHORT_SINCE"],
  ["--type <names>", "only datasets of these data types, separated by commas", "COHORT_TYPES"],
] as const;

type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** Adds the commands to hdash. */
export function addCohortCommands(
  program: Command,
  shell: Shell,
  job: Job<CohortSettings>,
  run: RunJob,
): void {
  const cohort = program
    .command("cohort")
    .description(
      "digital-health exports: read them, build their datasets, prove that nothing was lost",
    );
  const add = (name: string, description: string): Command => {
    const command = cohort.command(name).description(description);
    for (const [flags, says] of SHARED) command.option(flags, says);
    return command;
  };
  add("ingest", "read exports: copies, staged rows, reports")
    .option("--all", "every export that has not been read in its present version")
    .option("--export <keys>", "only these, by COHORT/EXPORT, separated by commas", collect)
    .option("--again", "read them once more, even where that was done")
    .action(async (flags: Flags) => {
      const { all, since, again } = flags;
      if (all !== true && since === undefined && flags["export"] === undefined) {
        throw new HdashError("usage", "say which exports: --all, --since DATE or --export KEY");
      }
      const own = {
        COHORT_EXPORTS: text(flags["export"]),
        COHORT_AGAIN: again === true ? "1" : undefined,
      };
      shell.exit(await run({ ...overrides(flags), ...own, COHORT_PART: "ingest" }));
    });
  add("sync", "find copies that are missing, short or changed, and make just them again").action(
    async (flags: Flags) => shell.exit(await run({ ...overrides(flags), COHORT_PART: "sync" })),
  );
  add("build", "build the datasets whose records have changed, and switch readers to them").action(
    async (flags: Flags) => shell.exit(await run({ ...overrides(flags), COHORT_PART: "build" })),
  );
  add("status", "tell where each export and each data type stands")
    .option("--json", "as JSON, for programs")
    .action(async (flags: Flags) =>
      shell.exit(
        await withCohort(shell, job, flags, (effects, settings) =>
          status(shell, effects, settings, flags["json"] === true),
        ),
      ),
    );
  add("audit", "prove that every record was written or set aside, and compare with the manifests")
    .option("--json", "as JSON, for programs")
    .action(async (flags: Flags) =>
      shell.exit(
        await withCohort(shell, job, flags, (effects, settings) =>
          audit(shell, effects, settings, flags["json"] === true),
        ),
      ),
    );
}

function collect(value: string): string {
  if (value.trim() === "") throw new InvalidArgumentError("It names no export.");
  return value;
}

function text(value: string | boolean | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The variables that the shared flags of a command line stand for. */
function overrides(flags: Flags): Record<string, string | undefined> {
  return Object.fromEntries(
    SHARED.map(([option, , variable]) => [
      variable,
      text(flags[/^--(\w+)/.exec(option)?.[1] ?? ""]),
    ]),
  );
}

/** Opens what a command looks at; nothing of a database is needed for that. */
async function withCohort(
  shell: Shell,
  job: Job<CohortSettings>,
  flags: Flags,
  look: (effects: Effects, settings: CohortSettings) => Promise<number>,
): Promise<number> {
  const given = Object.entries(overrides(flags)).filter(([, value]) => value !== undefined);
  const config = shell.config([], Object.fromEntries(given), [job.name]);
  return shell.withEffects(config, shell.log(config), async (effects) => {
    const settings = config.of(job);
    if (settings === null) throw new HdashError("config", `${job.title} is not configured`);
    return look(effects, settings);
  });
}

async function status(
  shell: Shell,
  effects: Effects,
  settings: CohortSettings,
  isJson: boolean,
): Promise<number> {
  const { openExports, openPlaces } = await import("./bind.ts");
  const { loadSchemas } = await import("./schemas.ts");
  const { readState } = await import("./state.ts");
  const { isMeant, sortListing } = await import("./data/catalog.ts");
  const { exportStands, typeStands } = await import("./data/proof.ts");
  const { allInputs } = await import("./data/typeInput.ts");
  const schemas = await loadSchemas((await effects.artifacts()).dir);
  const { catalog, current } = await readState(
    (await openPlaces(effects, settings)).processed,
    shell.signal,
  );
  const source = await openExports(effects, settings);
  const listing = sortListing(await source.list(shell.signal), schemas.cohorts);
  const exports = exportStands(catalog, listing).filter(({ key }) => isMeant(key, settings.choice));
  const inputs = allInputs(catalog, schemas.of(null), settings.dropped);
  const types = typeStands(current, inputs).filter(
    ({ type }) => settings.types?.includes(type) ?? true,
  );
  if (isJson) {
    shell.print(JSON.stringify({ build: current?.build ?? null, exports, types }));
    return EXIT.ok;
  }
  shell.print(`exports (${source.label})`);
  for (const { key, stand, members, superseded, findings } of exports) {
    const more = superseded > 0 ? `, ${superseded} sent again later` : "";
    const what =
      members > 0 ? `${count(members, "member")}${more}, ${count(findings, "finding")}` : "";
    shell.print(`  ${stand.padEnd(18)} ${key}  ${what}`.trimEnd());
  }
  if (exports.length === 0) shell.print("  none");
  shell.print(`datasets (build ${current?.build ?? "none"})`);
  for (const { type, stand, datasets } of types) {
    const rows = datasets.map((one) => `${one.name} ${number(one.rows)}`).join(", ");
    shell.print(`  ${stand.padEnd(8)} ${type}  ${rows}`.trimEnd());
  }
  return EXIT.ok;
}

async function audit(
  shell: Shell,
  effects: Effects,
  settings: CohortSettings,
  isJson: boolean,
): Promise<number> {
  const { openPlaces } = await import("./bind.ts");
  const { readState } = await import("./state.ts");
  const { exportKey, isMeant } = await import("./data/catalog.ts");
  const { auditCatalog } = await import("./data/proof.ts");
  const { catalog } = await readState(
    (await openPlaces(effects, settings)).processed,
    shell.signal,
  );
  const meant = catalog.exports.filter(({ report }) => isMeant(exportKey(report), settings.choice));
  const found = auditCatalog({ ...catalog, exports: meant });
  if (isJson) shell.print(JSON.stringify({ ...found, reports: meant.map(({ report }) => report) }));
  else {
    for (const one of found.exports) printAudited(shell, one);
    const { members, read, written, quarantined, findings } = found.total;
    shell.print(
      `${count(found.exports.length, "export")}, ${count(members, "member")}: ${number(read)} records read = ${number(written)} written + ${number(quarantined)} set aside; ${count(findings, "finding")}`,
    );
  }
  if (!found.isWhole) return EXIT.failed;
  return found.total.findings > 0 ? EXIT.degraded : EXIT.ok;
}

function printAudited(
  shell: Shell,
  { key, outcome, why, sums, findings, broken }: AuditedExport,
): void {
  const { read, written, quarantined, manifest } = sums;
  const counted = `read ${number(read)} = written ${number(written)} + set aside ${number(quarantined)}, manifest ${number(manifest)}`;
  shell.print(outcome === "read" ? `${key}  ${counted}` : `${key}  ${outcome}: ${why ?? ""}`);
  for (const member of broken) shell.print(`  does not add up: ${member}`);
  for (const one of findings) shell.print(`  ${findingLine(one)}`);
}

function findingLine({ code, member, manifest, read, why }: ReportFinding): string {
  const numbers = read === undefined ? "" : `, manifest ${manifest ?? "none"}, read ${read}`;
  return `${code}${member === null ? "" : ` ${member}`}${numbers}${why === undefined ? "" : `: ${why}`}`;
}
