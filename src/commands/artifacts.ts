// hdash artifacts: what a namespace's deployment reads from its bucket, put there, listed, and removed with all that the namespace has.

import type { Command } from "commander";

import type { Build } from "../artifacts/build.ts";
import type { Effects } from "../effects.ts";
import { HdashError } from "../error.ts";
import { bytes, count, instant } from "../format.ts";
import type { ConfigFile } from "../job.ts";
import type { Config } from "../settings/config.ts";
import { checkNamespace, placesOf, PRODUCTION } from "../settings/namespace.ts";
import { EXIT, type Shell } from "../shell.ts";
import type { S3Bucket } from "../store/s3Bucket.ts";

const EXAMPLES = `
Examples:
  hdash artifacts upload --namespace my-branch              this checkout's views/ and config/
  hdash artifacts upload --namespace my-branch --from DIR   with the files of DIR/views and DIR/config instead of the same here
  hdash artifacts list --namespace my-branch
  hdash artifacts remove --namespace my-branch              all that the namespace has in its buckets, after asking
  hdash artifacts remove --namespace my-branch --only-work  the same in the work bucket alone

They lie in HDASH_WORK_BUCKET below <namespace>/artifacts/. Without --namespace the variable NAMESPACE names it.
`;

interface NamespaceFlag {
  readonly namespace?: string;
}

/** What jobs have of it. */
interface OfJobs {
  readonly lists: readonly ConfigFile[];
  /** Variables that name private places, of which a namespace has the folder of its name. */
  readonly places: readonly string[];
}

/** Adds the commands about artifacts to a program. */
export function addArtifactCommands(
  program: Command,
  shell: Shell,
  { lists, places }: OfJobs,
): void {
  const artifacts = program
    .command("artifacts")
    .description("look after the views and lists that a namespace's deployment uses")
    .addHelpText("after", EXAMPLES);
  const subcommand = (name: string, description: string): Command =>
    artifacts
      .command(name)
      .description(description)
      .option("--namespace <name>", "which deployment (default: the variable NAMESPACE)");

  subcommand("upload", "put what changed, delete what is gone")
    .option(
      "--from <dir>",
      "a folder with config/ and/or views/: its files instead of the same here",
    )
    .option("--dry-run", "only say what would be done")
    .action(async (flags: NamespaceFlag & { from?: string; dryRun?: boolean }) =>
      shell.exit(await upload(shell, lists, flags)),
    );
  subcommand("list", "say what is there, and whether it equals this checkout")
    .option("--json", "as JSON")
    .action(async (flags: NamespaceFlag & { json?: boolean }) =>
      shell.exit(await list(shell, lists, flags)),
    );
  subcommand(
    "remove",
    "delete everything that a namespace has in the work bucket, in the site's and in private places",
  )
    .option("--only-work", "leave the site's bucket and private places alone")
    .option("--yes", "do not ask (needed without a terminal)")
    .action(async (flags: NamespaceFlag & { onlyWork?: boolean; yes?: boolean }) =>
      shell.exit(await remove(shell, places, flags)),
    );
}

/** What a subcommand works with. */
interface Place {
  readonly effects: Effects;
  readonly namespace: string;
  /** What lies below the namespace's artifacts. */
  readonly bucket: S3Bucket;
}

async function withPlace(
  shell: Shell,
  flags: NamespaceFlag,
  work: (place: Place) => Promise<number>,
): Promise<number> {
  const config = shell.config(["artifacts"]);
  const namespace = namespaceOf(flags, config);
  return shell.withEffects(config, shell.log(config), async (effects) => {
    const bucket = await effects.openWorkBucket(placesOf(namespace).artifacts);
    return work({ effects, namespace, bucket });
  });
}

/** Never guessed: what is removed has to have been named. */
function namespaceOf(flags: NamespaceFlag, config: Config): string {
  const name = flags.namespace ?? config.namespace;
  if (name !== null) return checkNamespace(name);
  throw new HdashError("usage", "no namespace is named", {
    hint: "Say which: --namespace NAME, or the variable NAMESPACE. `make namespace` prints the one of this checkout's branch.",
  });
}

/** What this hdash's files belong to: an image knows its commit, a checkout asks git. */
async function buildOf({ root, madeFrom }: Effects): Promise<Build> {
  const { checkoutRevision } = await import("../artifacts/build.ts");
  const revision = madeFrom.revision ?? (await checkoutRevision(root));
  return { version: madeFrom.version, revision };
}

async function upload(
  shell: Shell,
  lists: readonly ConfigFile[],
  flags: NamespaceFlag & { readonly from?: string; readonly dryRun?: boolean },
): Promise<number> {
  return withPlace(shell, flags, async ({ effects, namespace, bucket }) => {
    const { readArtifactSet } = await import("../artifacts/artifactSet.ts");
    const { nameBuild } = await import("../artifacts/build.ts");
    const { uploadArtifacts } = await import("../artifacts/upload.ts");
    const set = await readArtifactSet(effects.root, flags.from ?? null, lists);
    for (const path of set.leftOut) shell.print(`left out  ${path}: hdash does not read it`);
    const isDry = flags.dryRun === true;
    const build = await buildOf(effects);
    const { clock } = effects;
    const prefix = placesOf(namespace).artifacts;
    const done = await uploadArtifacts({
      ...{ bucket, prefix, set, build, clock, isDry },
      signal: shell.signal,
    });
    const would = isDry ? "would " : "";
    for (const path of done.put) {
      shell.print(`${would}put     ${path} (${bytes(set.files.get(path)?.bytes ?? 0)})`);
    }
    for (const path of done.deleted) shell.print(`${would}delete  ${path}`);
    const outcome = `${done.put.length} put, ${done.deleted.length} deleted, ${done.unchanged} unchanged`;
    shell.print(
      isDry
        ? `${bucket.uri} was left as it is; without --dry-run: ${outcome}`
        : `${bucket.uri}: ${outcome}; ${done.isChanged ? `of hdash ${nameBuild(build)}` : "nothing to do"}`,
    );
    return EXIT.ok;
  });
}

async function list(
  shell: Shell,
  lists: readonly ConfigFile[],
  flags: NamespaceFlag & { readonly json?: boolean },
): Promise<number> {
  return withPlace(shell, flags, async ({ effects, namespace, bucket }) => {
    const { readArtifactSet } = await import("../artifacts/artifactSet.ts");
    const { inspectArtifacts } = await import("../artifacts/inspect.ts");
    const { nameBuild } = await import("../artifacts/build.ts");
    const own = await readArtifactSet(effects.root, null, lists);
    const build = await buildOf(effects);
    const { manifest, files, verdict, isEqual } = await inspectArtifacts(
      bucket,
      own.files,
      build,
      shell.signal,
    );
    const code = verdict.kind === "broken" ? EXIT.failed : EXIT.ok;
    if (flags.json === true) {
      const { version = null, revision = null, uploadedAt = null } = manifest ?? {};
      const facts = { namespace, uri: bucket.uri, version, revision, uploadedAt };
      shell.print(JSON.stringify({ ...facts, verdict: verdict.kind, isEqual, files }));
      return code;
    }
    if (verdict.kind === "none") {
      shell.print(`${bucket.uri} is empty; \`hdash artifacts upload\` puts this checkout's there`);
      return code;
    }
    for (const { path, bytes: size, state } of files) {
      shell.print(
        `${state.padEnd(10)}  ${(size === null ? "" : bytes(size)).padStart(7)}  ${path}`,
      );
    }
    const there = files.filter(({ bytes: size }) => size !== null);
    const total = there.reduce((sum, { bytes: size }) => sum + (size ?? 0), 0);
    const origin =
      manifest === null
        ? "without a manifest"
        : `of hdash ${nameBuild(manifest)}, uploaded ${instant(manifest.uploadedAt)}`;
    const said = {
      broken: "not whole: runs fail until they are uploaded again",
      otherBuild: `not used by hdash ${nameBuild(build)}, which this checkout is`,
      usable: isEqual ? "the same as this checkout's" : "not the same as this checkout's",
    }[verdict.kind];
    shell.print(
      `${bucket.uri}: ${count(there.length, "file")}, ${bytes(total)}, ${origin}; ${said}`,
    );
    return code;
  });
}

async function remove(
  shell: Shell,
  places: readonly string[],
  flags: NamespaceFlag & { readonly onlyWork?: boolean; readonly yes?: boolean },
): Promise<number> {
  // Before anything else is looked at: whatever is configured, the answer is the same.
  if ((flags.namespace ?? shell.environment()["NAMESPACE"])?.trim() === PRODUCTION) {
    throw new HdashError("usage", `${PRODUCTION} is production: nothing removes it`, {
      hint: "Whoever really wants to end it empties the buckets by hand.",
    });
  }
  return withPlace(shell, flags, async ({ effects, namespace }) => {
    const { config } = effects;
    const isWhole = flags.onlyWork !== true;
    if (isWhole && config.site.kind !== "s3") {
      throw new HdashError(
        "usage",
        `what ${namespace} has in the site's bucket would stay: S3_BUCKET_NAME is not set`,
        { hint: "Set it, or say --only-work if only the work bucket is meant." },
      );
    }
    const isSure = flags.yes === true;
    if (!isSure && !shell.isTerminal) {
      throw new HdashError(
        "usage",
        `remove deletes everything that ${namespace} has, and there is no terminal to ask on`,
        { hint: "Say --yes if that is what you want." },
      );
    }
    const { findHoldings, removeHolding } = await import("../artifacts/remove.ts");
    const { prefix } = placesOf(namespace);
    const buckets = [await effects.openWorkBucket(prefix)];
    if (isWhole && config.site.kind === "s3" && config.site.bucket !== config.workBucket) {
      buckets.push(await effects.openBucket(config.site.bucket, { prefix }));
    }
    if (isWhole) buckets.push(...(await openPlaces(shell, effects, places, namespace)));
    const holdings = await findHoldings(buckets, shell.signal);
    if (holdings.length === 0) {
      shell.print(`${namespace} has nothing in ${buckets.map(({ uri }) => uri).join(" and ")}`);
      return EXIT.ok;
    }
    for (const { place, objects, bytes: size } of holdings) {
      shell.print(`${place}  ${count(objects, "object")}, ${bytes(size)}`);
    }
    if (!isSure) {
      const answer = await shell.ask(`Delete all of this? Type the namespace's name: `);
      if (answer.trim() !== namespace) {
        shell.print("nothing was deleted");
        return EXIT.failed;
      }
    }
    for (const holding of holdings) {
      const deleted = await removeHolding(holding, shell.signal);
      shell.print(`${holding.place}  ${count(deleted, "object")} deleted`);
    }
    return EXIT.ok;
  });
}

/** Opens what a namespace has in the private places that the environment names; a folder is said to be left. */
async function openPlaces(
  shell: Shell,
  effects: Effects,
  variables: readonly string[],
  namespace: string,
): Promise<readonly S3Bucket[]> {
  const opened: S3Bucket[] = [];
  for (const variable of variables) {
    const value = shell.environment()[variable]?.trim() ?? "";
    const [, bucket, path = ""] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(value) ?? [];
    if (bucket !== undefined) {
      const prefix = `${path.replace(/\/+$/, "")}/${placesOf(namespace).prefix}`;
      opened.push(await effects.openBucket(bucket, { prefix, variable }));
    } else if (value !== "") {
      shell.print(`left alone  ${variable}: ${value} is no bucket`);
    }
  }
  return opened;
}
