// Words of trust: a step's code counts as other code, so that what is known by that is found.

import type { Digest } from "../../digest.ts";
import type { Trust } from "../../store/ancestry.ts";
import type { Opened, OpenedStep } from "./opened.ts";

/** Has steps count as the code that theirs is trusted to give the same as. Of `words` those count that hold. */
export function withTrust(opened: Opened, words: readonly Trust[]): Opened {
  if (words.length === 0) return opened;
  const made = new Map<OpenedStep, OpenedStep>();
  const trusted = (step: OpenedStep): OpenedStep => {
    const known = made.get(step) ?? trustedStep(step, words);
    made.set(step, known);
    return known;
  };
  return {
    ...opened,
    steps: opened.steps.map(trusted),
    stepOf: (declared) => trusted(opened.stepOf(declared)),
  };
}

/** The words that a step's code, as it is now, stands under. */
export function wordsOf({ declared, code, uses }: OpenedStep, words: readonly Trust[]): Trust[] {
  return words.filter(
    (one) => one.step === declared.name && (one.code === code || one.code === uses),
  );
}

function trustedStep(step: OpenedStep, words: readonly Trust[]): OpenedStep {
  const own = new Map(wordsOf(step, words).map((one) => [one.code, one.standsFor as Digest]));
  if (own.size === 0) return step;
  const { code, uses } = step;
  return {
    ...step,
    code: own.get(code) ?? code,
    uses: uses === null ? null : (own.get(uses) ?? uses),
  };
}
