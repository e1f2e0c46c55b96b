// hdash-util init: the list of atlases into the registry.

import type { Command } from "commander";

import { HdashError } from "../../error.ts";
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
