// What is deployed, and where to: stage, namespace and image, as the variables of a make target say it.

import { HdashError } from "../src/error.ts";
import { checkNamespace, PRODUCTION } from "../src/settings/namespace.ts";

export const STAGES = ["develop", "prod"] as const;
export type Stage = (typeof STAGES)[number];

export interface Target {
  readonly stage: Stage;
  readonly namespace: string;
  /** Tag of the image in the stage's repository. */
  readonly tag: string;
}

/** What a registry takes as a tag. */
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** Returns `text` where it is a stage. */
export function checkStage(text: string): Stage {
  const stage = STAGES.find((one) => one === text);
  if (stage !== undefined) return stage;
  throw new HdashError(
    "usage",
    `STAGE is ${JSON.stringify(text)}, but must be ${STAGES.join(" or ")}`,
  );
}

/** Returns `text` where it can be an image's tag. */
export function checkTag(text: string): string {
  if (TAG.test(text)) return text;
  throw new HdashError(
    "usage",
    `TAG is ${JSON.stringify(text)}, which cannot name an image: letters, digits, dots, hyphens and underscores, at most 128`,
  );
}

/** Reads STAGE, NAMESPACE and TAG; each must be given. */
export function readTarget(env: Readonly<Record<string, string | undefined>>): Target {
  return {
    stage: checkStage(env["STAGE"] ?? ""),
    namespace: checkNamespace(env["NAMESPACE"] ?? ""),
    tag: checkTag(env["TAG"] ?? ""),
  };
}

/** Tells whether a deployment is kept when somebody slips: its stack refuses to be deleted, its logs stay. */
export function isProtected({ stage, namespace }: Pick<Target, "stage" | "namespace">): boolean {
  return stage === "prod" || namespace === PRODUCTION;
}
