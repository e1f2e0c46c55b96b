// hdash cohort: the parts of a run alone, and where exports and datasets stand, with their proof. Counts and names of exports, never a value.

import type { Command } from "commander";

import type { Effects } from "../../effects.ts";
import { HdashError } from "../../error.ts";
import { count, number, oneLine } from "../../format.ts";
import type { Job, RunJob } from "../../job.ts";
import type { Environment } from "../../settings/config.ts";
import { EXIT, type Shell } from "../../shell.ts";
import { addSnowflake, type OpenCohort } from "./commands/snowflake.ts";
import { addSynapse } from "./commands/synapse.ts";
import { readMemberName } from "./data/memberName.ts";
import type { AuditedExport } from "./data/proof.ts";
import type { ExportReport, ReportFinding } from "./data/report.ts";
import type { CohortSettings, Part } from "./settings.ts";

/** Flags, what they say, and the variable that each stands for. */
const FLAGS = {
  namespace: ["--namespace <name>", "the namespace that is meant", "NAMESPACE"],
  cohort: ["--cohort <names>", "only exports of these, separated by commas", "COHORT_ONLY"],
  since: ["--since <day>", "only exports of this day, YYYY-MM-DD, or later", "COHORT_SINCE"],
  type: ["--type <names>", "only what is of these data types, separated by commas", "COHORT_TYPES"],
  newest: ["--newest <n>", "only the n exports whose names are the latest", "COHORT_NEWEST"],
  from: ["--from <namespace>", "read the exports of another namespace", "COHORT_FROM"],
  export: [
    "--export <keys>",
    "only these exports, by COHORT/EXPORT, separated by commas",
    "COHORT_EXPORTS",
  ],
} as const;
type FlagName = keyof typeof FLAGS;

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
  const add = (name: string, description: string, own: readonly FlagName[]): Command => {
    const command = cohort.command(name).description(description);
    for (const flag of own) command.option(FLAGS[flag][0], FLAGS[flag][1]);
    return command;
  };
  const start = async (
    parts: readonly Part[],
    flags: Flags,
    own: Environment = {},
  ): Promise<void> => {
    const said = readFlags(flags);
    shell.exit(await run({ ...own, ...said.overrides, COHORT_PART: parts.join(",") }, said.flags));
  };
  const look = (command: Command, act: Look): void => {
    command.option("--json", "as JSON, for programs").action(async (flags: Flags) => {
      const isJson = flags["json"] === true;
      shell.exit(await withCohort(shell, job, flags, (...about) => act(shell, about, isJson)));
    });
  };
  add("ingest", "read exports: copies, staged rows, reports", [
    ...(["export", "cohort", "since", "newest", "from", "namespace"] as const),
  ])
    .option("--all", "every export that has not been read in its present version")
    .option("--again", "read them once more, even where that was done")
    .action(async (flags: Flags) => {
      const { all, since, newest, export: keys, again } = flags;
      if (all !== true && [since, newest, keys].every((flag) => flag === undefined)) {
        const which = "--all, --since DAY, --newest N or --export KEY";
        throw new HdashError("usage", `say which exports: ${which}`);
      }
      // What the command line says is meant, and not also what the environment says of a run by schedule.
      const none = { COHORT_SINCE: "", COHORT_EXPORTS: "", COHORT_NEWEST: "" };
      await start(["ingest"], flags, { ...none, COHORT_AGAIN: again === true ? "1" : "0" });
    });
  add(
    "sync",
    "find copies and datasets that are missing, short or changed, and make just them again",
    ["namespace"],
  ).action((flags: Flags) => start(["sync", "build"], flags));
  add("build", "build the datasets whose records have changed, and switch readers to them", [
    "type",
    "namespace",
  ]).action((flags: Flags) => start(["build"], flags));
  add("validate", "check what the current build's datasets hold, and say what came of each check", [
    ...(["type", "namespace"] as const),
  ])
    .option("--json", "as JSON, for programs")
    .action(async (flags: Flags) => {
      const said = readFlags(flags);
      const code = await run({ ...said.overrides, COHORT_PART: "validate" }, said.flags);
      if (code !== EXIT.ok && code !== EXIT.degraded) return shell.exit(code);
      const { showChecks } = await import("./showChecks.ts");
      const isJson = flags["json"] === true;
      shell.exit(
        await withCohort(shell, job, flags, (...about) => showChecks(shell, about, isJson)),
      );
    });
  const chosen = ["cohort", "since", "type", "namespace"] as const;
  look(add("status", "tell where each export and each data type stands", chosen), status);
  look(
    add(
      "audit",
      "prove that every record was written or set aside, and compare with the manifests",
      chosen,
    ),
    audit,
  );
  add("compare", "compare the datasets of two namespaces or builds: STAGING with MAIN", [
    ...(["type", "namespace"] as const),
  ])
    .argument("<staging>", "NAMESPACE, NAMESPACE@BUILD or @BUILD: what is new")
    .argument("<main>", "the same: what it is compared with")
    .option("--dataset <name>", "only this dataset")
    .option("--all", "all rows of MAIN (of two builds of one namespace the default)")
    .option("--filter", "of MAIN the rows of exports that STAGING holds (else the default)")
    .option("--out <folder>", "a folder for what is found, which is private")
    .option("--json", "counts as JSON, for programs")
    .action(async (staging: string, main: string, flags: Flags) => {
      const { compare, readCompareFlags } = await import("./compare/command.ts");
      const asked = readCompareFlags([staging, main], flags);
      shell.exit(
        await withCohort(shell, job, flags, (effects, settings) =>
          compare(shell, effects, settings, asked),
        ),
      );
    });
  const open: OpenCohort = (flags, act) => withCohort(shell, job, flags, act);
  const tellSnowflake = "print or write the statements by which Snowflake loads the datasets";
  addSnowflake(add("snowflake", tellSnowflake, ["namespace"]), shell, open);
  const leadFolder = "have a folder of Synapse lead to the datasets, or to the exports";
  addSynapse(add("synapse", leadFolder, ["namespace"]), shell, open);
}

/** What is looked at: the world, and the settings. */
type About = readonly [effects: Effects, settings: CohortSettings];
type Look = (shell: Shell, about: About, isJson: boolean) => Promise<number>;

/** The variables that flags of a command line stand for, and which flag it was. */
function readFlags(flags: Flags): {
  readonly overrides: Readonly<Record<string, string>>;
  readonly flags: Readonly<Record<string, string>>;
} {
  const overrides: Record<string, string> = {};
  const written: Record<string, string> = {};
  for (const [name, [option, , variable]] of Object.entries(FLAGS)) {
    const value = flags[name];
    if (typeof value !== "string") continue;
    const [flag = option] = option.split(" ");
    // Empty, it would mean all; a variable that is not set to a shell is empty.
    if (value.trim() === "") throw new HdashError("usage", `${flag} is empty`);
    overrides[variable] = value;
    written[variable] = flag;
  }
  return { overrides, flags: written };
}

/** Opens what a command looks at; nothing of a database is needed for that. */
async function withCohort(
  shell: Shell,
  job: Job<CohortSettings>,
  flags: Flags,
  look: (...about: About) => Promise<number>,
): Promise<number> {
  const said = readFlags(flags);
  const config = shell.config([], said.overrides, [job.name], said.flags);
  return shell.withEffects(config, shell.log(config), async (effects) => {
    const settings = config.of(job);
    if (settings === null) throw new HdashError("config", `${job.title} is not configured`);
    return look(effects, settings);
  });
}

/** Reads what is known of the namespace and lists its source; nothing is made or changed. */
async function lookUp(shell: Shell, [effects, settings]: About) {
  const { checkAsked } = await import("./asked.ts");
  const { openExports, openToRead } = await import("./bind.ts");
  const { loadSchemas } = await import("./schemas.ts");
  const { readState } = await import("./state.ts");
  const { sortListing } = await import("./data/catalog.ts");
  const schemas = await loadSchemas((await effects.artifacts()).dir);
  checkAsked(settings, schemas);
  const processed = await openToRead(effects, settings.processed, "COHORT_PROCESSED");
  const { catalog, current } = await readState(processed, shell.signal);
  const source = await openExports(effects, settings);
  try {
    const listing = sortListing(await source.list(shell.signal), schemas.cohorts);
    return { schemas, processed, catalog, current, listing, label: source.label };
  } finally {
    await source.close();
  }
}

async function status(shell: Shell, about: About, isJson: boolean): Promise<number> {
  const { isMeant } = await import("./data/catalog.ts");
  const { exportStands, typeStands } = await import("./data/proof.ts");
  const { allInputs } = await import("./data/typeInput.ts");
  const [, settings] = about;
  const { schemas, catalog, current, listing, label } = await lookUp(shell, about);
  const exports = exportStands(catalog, listing).filter(({ key }) => isMeant(key, settings.choice));
  const inputs = allInputs(catalog, schemas.of(null), settings.dropped);
  const types = typeStands({ catalog, current }, inputs).filter(
    ({ type }) => settings.types?.includes(type) ?? true,
  );
  if (isJson) {
    shell.print(JSON.stringify({ build: current?.build ?? null, exports, types }));
    return EXIT.ok;
  }
  shell.print(`exports (${label})`);
  for (const { key, stand, members, superseded, findings, quarantined } of exports) {
    const parts = [
      ...(members > 0 ? [count(members, "member")] : []),
      ...(superseded > 0 ? [`${number(superseded)} sent again later`] : []),
      ...(members > 0 || findings > 0 ? [count(findings, "finding")] : []),
      ...(quarantined > 0 ? [`${count(quarantined, "line")} set aside`] : []),
    ];
    shell.print(`  ${stand.padEnd(18)} ${oneLine(key)}  ${parts.join(", ")}`.trimEnd());
  }
  if (exports.length === 0) shell.print("  none");
  shell.print(`datasets (build ${current?.build ?? "none"})`);
  if (types.some(({ stand }) => stand === "unread")) {
    shell.print("  nothing has been read yet; `hdash cohort ingest --all` reads every export");
  }
  for (const { type, stand, datasets } of types) {
    const rows = datasets.map((one) => `${one.name} ${number(one.rows)}`).join(", ");
    const held = current?.blocked.find((one) => one.type === type);
    const why =
      held === undefined ? "" : `  held back since ${held.since}: ${held.checks.join(", ")}`;
    shell.print(`  ${stand.padEnd(8)} ${type}  ${rows}${why}`.trimEnd());
  }
  return EXIT.ok;
}

async function audit(shell: Shell, about: About, isJson: boolean): Promise<number> {
  const { exportKey, isMeant } = await import("./data/catalog.ts");
  const { notRead, whyNotRead } = await import("./data/listing.ts");
  const { auditCatalog, shownReport } = await import("./data/proof.ts");
  const [, settings] = about;
  const { processed, catalog, current, listing } = await lookUp(shell, about);
  const others = notRead(listing)
    .filter(({ key }) => isMeant(key, settings.choice))
    .map((other) => ({ key: other.key, outcome: other.outcome, why: whyNotRead(other) }));
  if (catalog.exports.length === 0) {
    if (!isJson) printOthers(shell, others);
    const what = current === null ? "nothing has been read" : "the catalog is lost";
    throw new HdashError("usage", `${what}: ${processed.uri} has no catalog (COHORT_PROCESSED)`, {
      hint: "hdash cohort ingest --all reads every export.",
    });
  }
  const meant = catalog.exports
    .filter(({ report }) => isMeant(exportKey(report), settings.choice))
    .map((entry) => ({ ...entry, report: ofTypes(entry.report, settings.types) }));
  const found = auditCatalog({ ...catalog, exports: meant });
  const setAside = found.exports.filter(({ outcome }) => outcome !== "read").length;
  if (isJson) {
    const reports = meant.map(({ report }) => shownReport(report));
    shell.print(JSON.stringify({ ...found, others, reports }));
  } else {
    for (const [at, one] of found.exports.entries()) {
      printAudited(shell, one, meant[at]?.report);
      const lines = meant[at]?.report.quarantine;
      if (one.sums.quarantined === 0 || !lines) continue;
      shell.print(`  which lines: ${processed.uri}/${lines.key}`);
    }
    printOthers(shell, others);
    const { members, read, written, quarantined, findings } = found.total;
    const more = setAside === 0 ? "" : `, ${setAside} of them set aside`;
    const rest = others.length === 0 ? "" : `; ${count(others.length, "object")} not read`;
    shell.print(
      `${count(found.exports.length, "export")}${more}, ${count(members, "member")}: ${number(read)} records read = ${number(written)} written + ${number(quarantined)} set aside; ${count(findings, "finding")}${rest}`,
    );
  }
  if (!found.isWhole) return EXIT.failed;
  const isClean = found.total.findings === 0 && setAside === 0 && others.length === 0;
  return isClean ? EXIT.ok : EXIT.degraded;
}

/** What the source has and no run reads, with the reason. */
function printOthers(
  shell: Shell,
  others: readonly { readonly key: string; readonly outcome: string; readonly why: string }[],
): void {
  for (const { key, outcome, why } of others) shell.print(`${oneLine(key)}  ${outcome}: ${why}`);
}

/** A report of what is of some data types alone. */
function ofTypes(report: ExportReport, types: readonly string[] | null): ExportReport {
  if (types === null) return report;
  const members = report.members.filter(({ type }) => type !== null && types.includes(type));
  const findings = report.findings.filter(({ member }) => types.includes(typeOf(member) ?? ""));
  return { ...report, members, findings };
}

/** The type of a member, by its own name or by that in a manifest, which has no dates: any will do. */
function typeOf(member: string | null): string | null {
  if (member === null) return null;
  return (readMemberName(member) ?? readMemberName(`${member}_20000101`))?.type ?? null;
}

function printAudited(
  shell: Shell,
  { key, outcome, why, sums, findings, broken }: AuditedExport,
  report: ExportReport | undefined,
): void {
  const { read, written, quarantined, manifest } = sums;
  const isCounted = !findings.some(({ code }) => code === "no_manifest" || code === "bad_manifest");
  const counted = `read ${number(read)} = written ${number(written)} + set aside ${number(quarantined)}, manifest ${isCounted ? number(manifest) : "none"}`;
  const name = oneLine(key);
  shell.print(outcome === "read" ? `${name}  ${counted}` : `${name}  ${outcome}: ${why ?? ""}`);
  for (const member of broken) shell.print(`  does not add up: ${oneLine(member)}`);
  for (const one of findings) shell.print(`  ${findingLine(one)}`);
  for (const ignored of report?.ignored ?? []) {
    shell.print(
      `  no data: ${oneLine(ignored)} (members in folders, and notes of the manifest, are not read)`,
    );
  }
  for (const { name: member, status: of, quarantined: lines } of report?.members ?? []) {
    // Where its name is the reason, that is a finding already.
    if (of !== "ok") continue;
    for (const [reason, lineCount] of Object.entries(lines)) {
      shell.print(`  ${reason} ${oneLine(member)}, ${count(lineCount, "line")} set aside`);
    }
  }
}

function findingLine({ code, member, manifest, read, why }: ReportFinding): string {
  const numbers = read === undefined ? "" : `, manifest ${manifest ?? "none"}, read ${read}`;
  return `${code}${member === null ? "" : ` ${oneLine(member)}`}${numbers}${why === undefined ? "" : `: ${why}`}`;
}
