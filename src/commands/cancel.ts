// hdash cancel: ends a run for good that nobody wants any more.

import type { Command } from "commander";

import { HdashError } from "../error.ts";
import { instant } from "../format.ts";
import { EXIT, type Shell } from "../shell.ts";
import { type Asked, askLedger, findRun, heldText, stopText } from "./asking.ts";

interface CancelFlags {
  readonly because?: string;
  readonly json?: boolean;
}

/** Adds the command to hdash. */
export function addCancel(program: Command, shell: Shell): void {
  program
    .command("cancel")
    .description(
      "end a run that is queued or goes on; its worker stops what it does within seconds",
    )
    .argument("<run>", "its number, or a pipeline's name: its newest run")
    .option("--because <text>", "why, for those who look at it later")
    .option("--json", "as JSON (docs/schemas/cancel.schema.json)")
    .addHelpText("after", '\nExample: hdash cancel 17 --because "the sheet was an old one"')
    .action(async (word: string, flags: CancelFlags) =>
      shell.exit(
        await askLedger(
          shell,
          (asked) => cancel(shell, asked, word, flags),
          (error) => {
            const hint = `Only that process can stop what it does. ${stopText(error)} Its run is handed back then: \`hdash cancel ${word}\` ends it, \`hdash resume ${word}\` goes on with it.`;
            throw new HdashError("busy", heldText(error), { cause: error, hint });
          },
        ),
      ),
    );
}

async function cancel(
  shell: Shell,
  asked: Asked,
  word: string,
  { because, json }: CancelFlags,
): Promise<number> {
  const { db, effects } = asked;
  const { cancelRun } = await import("../store/queue.ts");
  const { id, status: before, worker, pipeline } = await findRun(asked, word);
  const why = because === undefined ? "cancelled" : `cancelled: ${because}`;
  const status = (await cancelRun(db, id, why, effects.clock())) ?? before;
  // Between both looks it may have ended by itself.
  const isEnded = before === "cancelled" || status !== "cancelled";
  const run = isEnded ? await findRun(asked, id) : null;
  const finishedAt = run?.finishedAt?.toISOString() ?? null;
  if (json === true) {
    const isCancelled = status === "cancelled";
    shell.print(
      JSON.stringify({
        run: Number(id),
        pipeline,
        status,
        isCancelled,
        wasEnded: isEnded,
        finishedAt,
      }),
    );
  } else if (isEnded) {
    const when = finishedAt === null ? "" : ` on ${instant(finishedAt)}`;
    shell.print(`run ${id} of ${pipeline} had ended already: it ${ENDED[status] ?? status}${when}`);
  } else {
    const stops =
      before === "running" && worker !== null
        ? `; ${worker} stops what it does within seconds`
        : "";
    shell.print(`run ${id} of ${pipeline} is cancelled${stops}`);
  }
  // Who wants it cancelled, and finds it so, has what they want.
  return status === "cancelled" ? EXIT.ok : EXIT.failed;
}

const ENDED: Readonly<Record<string, string>> = {
  succeeded: "succeeded",
  degraded: "ended degraded",
  failed: "failed",
  cancelled: "was cancelled",
};
