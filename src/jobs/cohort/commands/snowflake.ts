// hdash cohort snowflake: the statements by which Snowflake loads the datasets, printed or written as files. Names of columns, never a value.

import type { Command } from "commander";

import type { Effects } from "../../../effects.ts";
import { HdashError } from "../../../error.ts";
import { quoted } from "../../../format.ts";
import { EXIT, type Shell } from "../../../shell.ts";
import type { SnowflakeTarget } from "../data/snowflake.ts";
import type { CohortSettings } from "../settings.ts";

/** Opens what a command looks at, by its flags; gives its exit code. */
export type OpenCohort = (
  flags: Readonly<Record<string, string | boolean | undefined>>,
  act: (effects: Effects, settings: CohortSettings) => Promise<number>,
) => Promise<number>;

type Flags = Readonly<Record<string, string | undefined>>;

const URL_FORM = /^s3(gov|china|compat)?:\/\/[^/\s]+(\/\S*)?$/;
const ROLE_FORM = /^arn:aws[\w-]*:iam::\d{12}:role\/\S+$/;

/** Gives the command its options and what it does. */
export function addSnowflake(command: Command, shell: Shell, open: OpenCohort): void {
  command
    .option("--out <folder>", "write files there; without it they are printed")
    .option("--database <name>", "where the tables are to be (the session's)")
    .option("--schema <name>", "the same (the session's)")
    .option("--stage <name>", "the stage over the namespace (STAGE)")
    .option("--stage-url <url>", "its address (the namespace's folder in COHORT_PROCESSED)")
    .option("--integration <name>", "the storage integration that reads there (HDASH)")
    .option("--role-arn <arn>", "make that integration, for this role of AWS")
    .action(async (flags: Flags) => {
      const asked = readTarget(flags);
      shell.exit(
        await open(flags, (effects, settings) =>
          tell(shell, effects, settings, asked, flags["out"] ?? null),
        ),
      );
    });
}

/** Reads the flags. Throws usage where one is empty, or has no such form. */
function readTarget(flags: Flags): Partial<SnowflakeTarget> {
  for (const [name, value] of Object.entries(flags)) {
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (value?.trim() === "") throw new HdashError("usage", `--${flag} is empty`);
  }
  const { stageUrl, roleArn, integration } = flags;
  if (stageUrl !== undefined && !URL_FORM.test(stageUrl)) {
    throw new HdashError("usage", `--stage-url is ${quoted(stageUrl)}, and no s3://bucket/prefix/`);
  }
  if (roleArn !== undefined && !ROLE_FORM.test(roleArn)) {
    throw new HdashError(
      "usage",
      `--role-arn is ${quoted(roleArn)}, and no role of AWS: arn:aws:iam::ACCOUNT:role/NAME`,
    );
  }
  const { database, schema, stage } = flags;
  return {
    ...(database === undefined ? {} : { database }),
    ...(schema === undefined ? {} : { schema }),
    ...(stage === undefined ? {} : { stage }),
    ...(stageUrl === undefined ? {} : { url: stageUrl }),
    ...(integration === undefined ? {} : { integration }),
    ...(roleArn === undefined ? {} : { roleArn }),
  };
}

async function tell(
  shell: Shell,
  effects: Effects,
  settings: CohortSettings,
  asked: Partial<SnowflakeTarget>,
  out: string | null,
): Promise<number> {
  const { openToRead } = await import("../bind.ts");
  const { emptyOf } = await import("../buildPlan.ts");
  const { bucketUrl, SESSION, snowflakeFiles } = await import("../data/snowflake.ts");
  const { byText } = await import("../data/text.ts");
  const { loadSchemas } = await import("../schemas.ts");
  const { readState } = await import("../state.ts");
  const processed = await openToRead(effects, settings.processed, "COHORT_PROCESSED");
  const { current } = await readState(processed, shell.signal);
  const schemas = await loadSchemas((await effects.artifacts()).dir);
  const declared = emptyOf(schemas.of(null), settings.dropped);
  const datasets =
    current?.datasets ?? [...declared].sort((one, other) => byText(one.name, other.name));
  const target = { ...SESSION, url: bucketUrl(processed.uri), ...asked };
  const files = snowflakeFiles(datasets, current?.build ?? null, target);
  if (out === null) {
    for (const { name, text } of files) {
      shell.print(`-- ${name}`);
      for (const line of text.split("\n")) shell.print(line);
    }
    return EXIT.ok;
  }
  for (const path of await writeFiles(out, files)) shell.print(path);
  return EXIT.ok;
}

/** Writes files into a folder, which is made where it is not there. */
async function writeFiles(
  out: string,
  files: readonly { readonly name: string; readonly text: string }[],
): Promise<readonly string[]> {
  const { mkdir, writeFile } = await import("node:fs/promises");
  const { join } = await import("node:path");
  const paths: string[] = [];
  try {
    await mkdir(out, { recursive: true });
    for (const { name, text } of files) {
      const path = join(out, name);
      await writeFile(path, text);
      paths.push(path);
    }
  } catch (error) {
    const { messageOf } = await import("../../../error.ts");
    throw new HdashError("usage", `--out is ${quoted(out)}: ${messageOf(error)}`, { cause: error });
  }
  return paths;
}
