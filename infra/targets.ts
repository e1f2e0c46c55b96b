// The make targets that deploy: reads STAGE, NAMESPACE, TAG, PIPELINE and COMMAND, checks them, and lets cdk or aws do the work.

import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";

import { HdashError, messageOf } from "../src/error.ts";
import { JOBS } from "../src/jobList.ts";
import { checkNamespace, makeNamespace, PRODUCTION, STAGING } from "../src/settings/namespace.ts";
import { makeAws } from "./awsCli.ts";
import { emptyBuckets } from "./emptyBuckets.ts";
import { baseStackName, namespaceStackName, privateBucketName } from "./names.ts";
import { rotate } from "./rotate.ts";
import { runTask, splitCommand } from "./runTask.ts";
import { namespacesOf, readOutputs } from "./stackOutputs.ts";
import { checkStage, checkTag, readTarget, type Stage, type Target } from "./target.ts";

/** A variable of make that is set to nothing counts as not set; NAMESPACE does not, see namespaceOf. */
const given = (name: string): string | undefined => process.env[name]?.trim() || undefined;
/** Stacks that were synthesised before, in a job without keys: what is deployed then is what was looked at. */
const app = given("CDK_APP");
const CDK = given("CDK") ?? join(import.meta.dirname, "node_modules", ".bin", "cdk");
/** Nobody is there to answer: in CI, or when YES=1 says so. */
const isUnattended = given("CI") !== undefined || given("YES") !== undefined;

/** Asks git; null where there is no answer. */
function git(...args: readonly string[]): string | null {
  try {
    const output = execFileSync("git", args, {
      cwd: import.meta.dirname,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return output.trim() || null;
  } catch {
    return null;
  }
}

/**
 * The namespace that is meant. What is set to nothing was meant to be something, as by a workflow whose input is missing: it is never
 * guessed then, nor where nobody is there to see what was guessed.
 */
function namespaceOf(stage: Stage): string {
  const said = process.env["NAMESPACE"];
  if (said !== undefined) return checkNamespace(said.trim());
  if (isUnattended) {
    throw new HdashError("usage", "NAMESPACE is not set, and nobody is there to ask", {
      hint: "In CI, and with YES=1, say which: NAMESPACE=foo",
    });
  }
  return namespaceOfCheckout(stage);
}

/** The namespace of this checkout: what CI deploys its branch as. */
function namespaceOfCheckout(stage: Stage): string {
  const branch = git("symbolic-ref", "--short", "HEAD");
  if (branch === null) {
    throw new HdashError("usage", "NAMESPACE is not set, and this checkout is on no branch", {
      hint: "Say which: NAMESPACE=foo",
    });
  }
  if (branch !== PRODUCTION) return makeNamespace(branch);
  return stage === "prod" ? PRODUCTION : STAGING;
}

function stageOf(): Stage {
  return checkStage(given("STAGE") ?? "develop");
}

function targetOf(): Target {
  const stage = stageOf();
  return readTarget({
    STAGE: stage,
    NAMESPACE: namespaceOf(stage),
    TAG: given("TAG") ?? git("rev-parse", "--short=12", "HEAD") ?? "",
  });
}

/** The namespace that something is removed of: it is never guessed, and never production. */
function removedOf(): Target {
  if (process.env["NAMESPACE"] === undefined) {
    throw new HdashError("usage", "NAMESPACE is not set; what is removed is not guessed", {
      hint: "Say which: NAMESPACE=foo",
    });
  }
  const target = targetOf();
  if (target.namespace !== PRODUCTION) return target;
  throw new HdashError("usage", `${PRODUCTION} is production, which nothing removes`, {
    hint: "Say which namespace: NAMESPACE=foo",
  });
}

/** What the shared stack is made with: it comes out the same for every namespace and tag. */
function baseTargetOf(): Target {
  return { stage: stageOf(), namespace: STAGING, tag: checkTag(given("TAG") ?? "none") };
}

function cdk(target: Target, ...args: readonly string[]): Promise<number> {
  const { stage, namespace, tag } = target;
  return new Promise((resolve, reject) => {
    const child = spawn(CDK, [...(app === undefined ? [] : ["--app", app]), ...args], {
      cwd: import.meta.dirname,
      env: { ...process.env, STAGE: stage, NAMESPACE: namespace, TAG: tag },
      stdio: "inherit",
    });
    child.on("error", (cause) => {
      reject(new HdashError("permanent", `${CDK} cannot be run`, { cause }));
    });
    child.on("close", (code) => {
      resolve(code ?? 1);
    });
  });
}

const taskEffects = () => ({
  aws: makeAws(given("AWS") ?? "aws"),
  say: (line: string) => console.log(line),
});

/** Answers of people where there are any. */
const deployment = isUnattended ? ["--require-approval", "never"] : [];
const removal = isUnattended ? ["--force"] : [];

const TARGETS: Readonly<Record<string, () => Promise<number>>> = {
  async namespace() {
    const stage = stageOf();
    const said = process.env["NAMESPACE"];
    console.log(said === undefined ? namespaceOfCheckout(stage) : checkNamespace(said.trim()));
    return 0;
  },
  async synth() {
    const target = targetOf();
    const names = [baseStackName(target.stage), namespaceStackName(target)];
    const code = await cdk(target, "synth", "--quiet", ...names);
    for (const name of code === 0 ? names : []) {
      console.log(`infra/cdk.out/${name}.template.json`);
    }
    return code;
  },
  async diff() {
    const target = targetOf();
    return await cdk(target, "diff", "--exclusively", namespaceStackName(target));
  },
  async deploy() {
    const target = targetOf();
    console.log(`deploy: ${target.tag} → ${target.namespace} in ${target.stage}`);
    return await cdk(target, "deploy", "--exclusively", ...deployment, namespaceStackName(target));
  },
  async destroy() {
    const target = removedOf();
    return await cdk(target, "destroy", "--exclusively", ...removal, namespaceStackName(target));
  },
  async diff_base() {
    const target = baseTargetOf();
    return await cdk(target, "diff", "--exclusively", baseStackName(target.stage));
  },
  async deploy_base() {
    const target = baseTargetOf();
    const stack = baseStackName(target.stage);
    return await cdk(target, "deploy", "--exclusively", ...deployment, stack);
  },
  async destroy_base() {
    const target = baseTargetOf();
    if (target.stage === "prod") {
      throw new HdashError("usage", "prod holds production's data, which nothing removes");
    }
    const aws = makeAws(given("AWS") ?? "aws");
    const left = await namespacesOf(aws, target.stage);
    if (left.length > 0) {
      throw new HdashError("usage", `develop still has ${left.join(", ")}`, {
        hint: `First: make destroy STAGE=develop NAMESPACE=${left[0] ?? ""}`,
      });
    }
    if (!isUnattended) {
      // It does not ask: the files would be gone before cdk did.
      throw new HdashError("usage", "this removes develop's files, images and database for good", {
        hint: "Say that you mean it: make destroy_base STAGE=develop YES=1",
      });
    }
    await emptyBuckets(target.stage, { aws, say: (line) => console.log(line) });
    return await cdk(target, "destroy", "--exclusively", "--force", baseStackName(target.stage));
  },
  async places() {
    const outputs = await readOutputs(taskEffects().aws, baseStackName(stageOf()));
    for (const { variable } of JOBS.flatMap(({ deployment }) => deployment.privatePlaces ?? [])) {
      const bucket = outputs.get(privateBucketName(variable));
      // A stack of before the job has none, and nothing in it.
      if (bucket !== undefined) console.log(`${variable}=s3://${bucket}`);
    }
    return 0;
  },
  async task() {
    const pipeline = given("PIPELINE") ?? null;
    const command = splitCommand(given("COMMAND") ?? "");
    if (pipeline === null && command.length === 0) {
      throw new HdashError("usage", "neither PIPELINE nor COMMAND says what is to run", {
        hint: 'For example: make task PIPELINE=htan, or make task COMMAND="hdash doctor"',
      });
    }
    const which = pipeline === null ? "any" : { pipeline };
    return await runTask(
      { stackName: namespaceStackName(targetOf()), which, command },
      taskEffects(),
    );
  },
  async role() {
    const stackName = namespaceStackName(targetOf());
    return await runTask({ stackName, which: "databaseRole", command: [] }, taskEffects());
  },
  async drop_role() {
    const target = removedOf();
    const command = ["hdash-util", "role", "--drop", "--yes"];
    if (!isUnattended) {
      // Nobody can answer a task.
      throw new HdashError("usage", `this removes the ledger of ${target.namespace} for good`, {
        hint: `Say that you mean it: make drop_role NAMESPACE=${target.namespace} YES=1`,
      });
    }
    const stackName = namespaceStackName(target);
    return await runTask({ stackName, which: "databaseRole", command }, taskEffects());
  },
  async rotate() {
    return await rotate(targetOf(), taskEffects());
  },
};

const [name = ""] = process.argv.slice(2);
try {
  const target = Object.hasOwn(TARGETS, name) ? TARGETS[name] : undefined;
  if (target === undefined) {
    throw new HdashError("usage", `there are only ${Object.keys(TARGETS).join(", ")}`);
  }
  process.exitCode = await target();
} catch (error) {
  if (!(error instanceof HdashError)) throw error;
  console.error(`${name}: ${messageOf(error)}`);
  if (error.hint !== null) console.error(error.hint);
  process.exitCode = error.kind === "usage" || error.kind === "config" ? 2 : 1;
}
