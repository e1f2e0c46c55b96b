// hdash-util init: the list of atlases into the registry. hdash-util components: what the component table lacks of a data model.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Command } from "commander";

import { HdashError, messageOf } from "../../error.ts";
import { count } from "../../format.ts";
import { EXIT, type Shell } from "../../shell.ts";

/** Adds the command to hdash-util. */
export function addInit(program: Command, shell: Shell): void {
  program
    .command("init")
    .description("load the atlas list into the registry; says what was added, changed and removed")
    .argument(
      "[file]",
      "the list to load (default: config/htan_projects.csv of the namespace's artifacts, or of hdash)",
    )
    .option("--file <csv>", "the same")
    .action(async (file: string | undefined, options: { file?: string }) => {
      if (file !== undefined && options.file !== undefined && file !== options.file) {
        throw new HdashError("usage", `init is given two lists: ${file} and ${options.file}`);
      }
      shell.exit(await init(shell, file ?? options.file));
    });
}

/** Adds the command that holds the component table against a release of HTAN's data model. */
export function addComponents(program: Command, shell: Shell): void {
  program
    .command("components")
    .description("say what the component table lacks of a data model (HTAN.model.csv of a release)")
    .argument("<model>", "the model's CSV")
    .option("--table <json>", "the table", join("config", "htan_components.json"))
    .option("--labels <json>", "the list of labels", join("config", "htan_labels.json"))
    .action(async (model: string, options: { table: string; labels: string }) => {
      shell.exit(await compareWithModel(shell, model, options));
    });
}

async function compareWithModel(
  shell: Shell,
  model: string,
  { table, labels }: { readonly table: string; readonly labels: string },
): Promise<number> {
  const { compareLabels, compareModel, draftEntry, readModel } = await import("./data/model.ts");
  const { readComponents } = await import("./data/components.ts");
  const { readLabels } = await import("./data/labels.ts");
  const read = readModel(await readText(model, "the data model"));
  const { templates } = read;
  const components = readComponents(await readJson(table, "the component table"));
  const others = compareLabels(read, readLabels(await readJson(labels, "the list of labels")));
  const { lacking, differing, gone } = compareModel(templates, components);
  shell.print(`${count(templates.length, "template")} in ${model}`);
  for (const template of lacking) shell.print(`lacking   ${draftEntry(template)}`);
  for (const { component, what } of differing) shell.print(`differs   ${component}: ${what}`);
  for (const component of gone) shell.print(`only here ${component}`);
  for (const { column, lacking: values } of others) {
    if (values === null) shell.print(`no values of ${column} in the model`);
    else for (const value of values) shell.print(`label     ${column}: ${value}`);
  }
  const isWhole = lacking.length === 0 && differing.length === 0;
  const labelsLacking = others.flatMap(({ lacking: values }) => values ?? []).length;
  shell.print(
    isWhole
      ? "the table lacks nothing of the model"
      : `${table} lacks ${count(lacking.length, "component")} and differs in ${count(differing.length, "component")}`,
  );
  if (labelsLacking > 0) shell.print(`${labels} lacks ${count(labelsLacking, "value")}`);
  return isWhole && labelsLacking === 0 ? EXIT.ok : EXIT.failed;
}

async function readJson(path: string, what: string): Promise<unknown> {
  const text = await readText(path, what);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HdashError("usage", `${what} ${path} is no JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function readText(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new HdashError("usage", `${what} ${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function init(shell: Shell, given: string | undefined): Promise<number> {
  const config = shell.config(["database"]);
  const log = shell.log(config);
  return shell.withEffects(config, log, async (effects) => {
    const { givenAtlases, loadAtlasFile } = await import("./registry/atlasList.ts");
    const { saveAtlases } = await import("./registry/atlasTable.ts");
    const { from, isOther, atlases } =
      given === undefined
        ? await givenAtlases(effects)
        : { from: given, isOther: false, atlases: await loadAtlasFile(given) };
    if (isOther) {
      // hdash's own list in the place of the namespace's would go unnoticed.
      throw new HdashError(
        "config",
        `the atlas list of ${config.namespace ?? ""} is of another build of hdash; nothing was registered`,
        { hint: "`hdash artifacts upload` from this build's checkout, or name a file." },
      );
    }
    const { db } = await effects.database();
    const saved = await saveAtlases(db, atlases);
    for (const [what, names] of Object.entries({
      added: saved.added,
      changed: saved.changed,
      removed: saved.removed,
    })) {
      if (names.length > 0) shell.print(`${what.padEnd(9)} ${names.join(", ")}`);
    }
    shell.print(
      `${count(atlases.length, "atlas", "atlases")} registered from ${from}: ${saved.added.length} added, ` +
        `${saved.changed.length} changed, ${saved.unchanged.length} unchanged, ${saved.removed.length} removed`,
    );
    return EXIT.ok;
  });
}
