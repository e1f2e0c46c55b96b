// hdash cohort synapse: a folder of Synapse by which people with rights there get at datasets or exports. What Synapse gives as credentials is
// never told.

import type { Command } from "commander";

import type { Effects } from "../../../effects.ts";
import { HdashError } from "../../../error.ts";
import { list, quoted } from "../../../format.ts";
import { EXIT, type Shell } from "../../../shell.ts";
import type { BucketPlace } from "../../../sources/synapseStorage.ts";
import type { CohortSettings, Place, SynapsePlace } from "../settings.ts";
import type { WantedFolder } from "../synapseFolder.ts";
import type { OpenCohort } from "./snowflake.ts";

type Flags = Readonly<Record<string, string | undefined>>;

/** What may be shown by a folder: the variable of its place, and what of the namespace there. */
const SHOWN = {
  datasets: { variable: "COHORT_PROCESSED", below: "parquet" },
  exports: { variable: "COHORT_SOURCE", below: "" },
} as const;
type Shown = keyof typeof SHOWN;

interface Asked {
  readonly folder: WantedFolder;
  readonly shown: Shown;
  readonly owners: readonly string[];
}

const ID = /^syn\d+$/;
/** Ids of principals, and names of users: what a list with commas can hold. */
const OWNER = /^[\w.@+-]+$/;

/** Gives the command its options and what it does. */
export function addSynapse(command: Command, shell: Shell, open: OpenCohort): void {
  command
    .option("--folder <id>", "the folder, which is empty or leads there already")
    .option("--parent <id>", "in place of --folder: the project or folder that has it")
    .option("--name <name>", "and what it is called there; it is made where there is none")
    .option("--of <what>", "datasets or exports (datasets)")
    .option("--owners <names>", "principals whom owner.txt names, too, separated by commas")
    .action(async (flags: Flags) => {
      const asked = readAsked(flags);
      shell.exit(await open(flags, (effects, settings) => lead(shell, effects, settings, asked)));
    });
}

/** Reads the flags. Throws usage where they are wrong, or do not go together. */
function readAsked({ folder, parent, name, of = "datasets", owners }: Flags): Asked {
  const isOne = folder !== undefined && parent === undefined && name === undefined;
  const isNamed = folder === undefined && parent !== undefined && name !== undefined;
  if (!isOne && !isNamed) {
    throw new HdashError("usage", "say which folder: --folder ID, or --parent ID and --name NAME");
  }
  for (const [flag, id] of [["--folder", folder] as const, ["--parent", parent] as const]) {
    if (id === undefined || ID.test(id)) continue;
    throw new HdashError("usage", `${flag} is ${quoted(id)}, and no id like syn123`);
  }
  if (name?.trim() === "") throw new HdashError("usage", "--name is empty");
  if (of !== "datasets" && of !== "exports") {
    throw new HdashError("usage", `--of is ${quoted(of)}, and neither datasets nor exports`);
  }
  const others = (owners ?? "").split(",").map((one) => one.trim());
  const named = owners === undefined ? [] : others;
  const strange = named.find((one) => !OWNER.test(one));
  if (strange !== undefined) {
    throw new HdashError(
      "usage",
      `--owners has ${quoted(strange)}, which is neither the id nor the name of a principal`,
    );
  }
  const wanted = isOne ? { id: folder } : { parentId: parent ?? "", name: name ?? "" };
  return { folder: wanted, shown: of, owners: named };
}

async function lead(
  shell: Shell,
  effects: Effects,
  settings: CohortSettings,
  { folder, shown, owners }: Asked,
): Promise<number> {
  const { variable, below } = SHOWN[shown];
  const place = shown === "datasets" ? settings.processed : settings.source;
  const { namespaceOf, openToRead } = await import("../bind.ts");
  const to = bucketPlace(place, variable, [namespaceOf(effects), below]);
  const { endpoint, token, user } = settings.synapse;
  if (token === null) {
    throw new HdashError(
      "config",
      "SYNAPSE_PASSWORD is not set, but a folder of Synapse is asked for",
    );
  }
  const { makeSynapse } = await import("../../../sources/synapse.ts");
  const { makeSynapseStorage } = await import("../../../sources/synapseStorage.ts");
  const { leadFolder } = await import("../synapseFolder.ts");
  const { log, patience } = effects;
  const http = await effects.http();
  const options = { endpoint, token, userName: user, http, log, ...patience };
  const bucket = await openToRead(effects, to.place, variable);
  const key = below === "" ? "owner.txt" : `${below}/owner.txt`;
  const request = { folder, place: to, owner: { bucket, key }, owners };
  const { folderId, locationId, added, isMade, isSet } = await leadFolder(
    makeSynapse(options),
    makeSynapseStorage(options),
    request,
    shell.signal,
  );
  shell.print(
    `${bucket.uri}/${key}: ${added.length === 0 ? "names its owners already" : `names ${list(added)} now`}`,
  );
  shell.print(`storage location ${locationId}: s3://${to.bucket}/${to.baseKey}`);
  const how = isMade
    ? "made, and leads there now"
    : isSet
      ? "leads there now"
      : "leads there already";
  shell.print(`folder ${folderId}: ${how}`);
  return EXIT.ok;
}

/** What a folder leads to. Throws usage where that is no bucket. */
function bucketPlace(
  place: Place | SynapsePlace,
  variable: string,
  below: readonly string[],
): BucketPlace & { readonly place: Place } {
  if (place.kind !== "s3") {
    const what = place.kind === "folder" ? `a folder (${place.dir})` : "in Synapse itself";
    throw new HdashError("usage", `${variable} is ${what}, and Synapse can only lead to a bucket`);
  }
  const baseKey = [place.prefix, ...below].filter((part) => part !== "").join("/");
  return { bucket: place.bucket, baseKey, place };
}
