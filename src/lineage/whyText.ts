// Why a result was made, as people read it.

import { count, duration, instant, listFew, number, oneLine } from "../format.ts";
import type { Attempt } from "../store/stepAttempts.ts";
import { callInScope, callName } from "./callName.ts";
import type { Because, Explained } from "./why.ts";

/** So many names that did not change are told. */
const MOST_SAME = 12;

/** Writes why a result was made, and below each difference why what is there now was made. */
export function whyText(explained: Explained): readonly string[] {
  const { seenIn, redone, runId, call } = explained;
  const lines = [`${headText(explained)}${againstText(explained)}`];
  lines.push(...bodyText(explained, "  "));
  if (seenIn?.state === "ran") {
    const why = redone === null ? "" : `: ${CAUSES[redone]}`;
    lines.push(`Run ${seenIn.runId} has done it again, with the same result${why}.`);
  } else if (seenIn !== null) {
    lines.push(
      `Run ${seenIn.runId} has found it: ${callInScope(call)} has not run since run ${runId ?? "–"}.`,
    );
  }
  return lines;
}

function headText({ call, runId, madeAt, ms, attempt }: Explained): string {
  const where = runId === null ? "in a run that is forgotten" : `in run ${runId}`;
  return `${callInScope(call)} ran ${instant(madeAt)} ${where} (${attemptText(attempt, ms)})`;
}

function attemptText(attempt: Attempt | null, ms: number): string {
  if (attempt === null) return duration(ms);
  const { n, runner, machine } = attempt;
  const on = machine === null ? [] : [`${number(machine.cpus)} vCPU ${machine.arch}`];
  return [`attempt ${n}`, duration(ms), runner, ...on].join(", ");
}

function againstText({ against, isNew, before, isSame, cause }: Explained): string {
  if (cause !== null) return `: ${CAUSES[cause]}`;
  if (against === null) return ": no run before it has ended well";
  if (isNew) return `: there was no such call in run ${against}`;
  const same = isSame ? ", with the same result as before" : "";
  const called = before === null ? "" : `, where it was ${callInScope(before)}`;
  return `${same}; against run ${against}${called}:`;
}

const FORGOTTEN = "what was known of it was forgotten";

const CAUSES = {
  forced: "its result was known, and somebody insisted (--force)",
  gone: "its result was known, but its blob was gone",
  damaged: "its result was known, but its blob was refused: damaged",
} as const;

function bodyText(
  { reasons, same, cause, voided, isNew, against }: Explained,
  indent: string,
): readonly string[] {
  if (cause !== null || isNew || against === null) return [];
  if (reasons.length === 0) {
    return [`${indent}nothing in its key has changed: ${voided ?? FORGOTTEN}`];
  }
  const width = Math.min(28, Math.max(...reasons.map(({ field }) => field.length)));
  const lines = reasons.flatMap((reason) => reasonLines(reason, width, indent));
  if (voided !== null) lines.push(`${indent}another result of its key does not count: ${voided}`);
  if (same.length > 0) {
    const more = same.length - MOST_SAME;
    const named = same.slice(0, MOST_SAME).join(", ");
    lines.push(`${indent}not changed: ${named}${more > 0 ? `, ${count(more, "other")}` : ""}`);
  }
  return lines;
}

function reasonLines(reason: Because, width: number, indent: string): readonly string[] {
  const { field, says, offset, ran, from } = reason;
  const at = offset === null ? "" : `; bytes differ from offset ${number(offset)} on`;
  const line = `${indent}${field.padEnd(width)}   ${withoutField(says, field)}${at}`;
  if (ran === null) {
    return from !== null && from.runId !== null && from.label !== null && !says.includes(from.label)
      ? [line, `${indent}  made by ${callName(from)} in run ${from.runId}`]
      : [line];
  }
  const because = ran.isSame ? " (its result is the same as before)" : "";
  return [
    line,
    `${indent}  ${callInScope(ran.call)} ran${because}${ranText(ran)}`,
    ...bodyText(ran, `${indent}    `),
  ];
}

/** What is said behind the name of the field need not name it again. */
function withoutField(says: string, field: string): string {
  const words = [`its input ${field} changed: `, `${field} changed: `, `${field} is `];
  const prefix = words.find((word) => says.startsWith(word));
  return prefix === undefined ? says : says.slice(prefix.length);
}

function ranText({ cause, isNew, against }: Explained): string {
  if (cause !== null) return `: ${CAUSES[cause]}`;
  if (against === null) return "";
  return isNew ? `: there was no such call in run ${against}` : ", because:";
}

/** Writes why the steps of a run ran: a line for each, those of one step with one reason together. */
export function whyRunText(
  runId: string,
  against: string | null,
  explained: readonly Explained[],
): readonly string[] {
  if (explained.length === 0)
    return [`Run ${runId} has run no step: it has found all it asked for.`];
  const than = against === null ? "" : `, against run ${against}`;
  const groups = Map.groupBy(explained, (one) => JSON.stringify([one.call.step, shortText(one)]));
  return [
    `Run ${runId} has run ${count(explained.length, "step")}${than}:`,
    ...[...groups.values()].map((group) => {
      const [first] = group;
      if (first === undefined) return "";
      const labels = group
        .map(({ call }) =>
          oneLine(
            [call.label ?? "", call.scope === "" ? "" : `in ${call.scope}`]
              .filter(Boolean)
              .join(" "),
          ),
        )
        .sort();
      const name =
        group.length === 1 ? callInScope(first.call) : `${first.call.step} × ${group.length}`;
      const which = group.length === 1 ? "" : ` (${listFew(labels)})`;
      return `  ${name}: ${shortText(first)}${which}`;
    }),
  ];
}

/** Why one ran, in a line. */
function shortText({ cause, voided, isNew, against, reasons }: Explained): string {
  if (cause !== null) return CAUSES[cause];
  if (against === null) return "no run before it has ended well";
  if (isNew) return "there was no such call before";
  if (reasons.length === 0) return voided ?? FORGOTTEN;
  return reasons
    .map(({ says, ran }) => (ran === null ? says : `${says}, which ran`))
    .slice(0, 3)
    .join("; ");
}
