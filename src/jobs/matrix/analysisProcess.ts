// The process in which a matrix is analysed: started by forkAnalysis.ts, told what to do by one message, ends with its parent.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { HdashError, messageOf } from "../../error.ts";
import { analyseMatrix } from "./analysis.ts";
import { ANALYSIS_FILE, type FromAnalysis, type ToAnalysis } from "./forkAnalysis.ts";

const abort = new AbortController();
// Nobody waits for the answer any more.
process.once("disconnect", () => process.exit(1));
process.once("message", (message) => {
  void analyse(message as ToAnalysis);
});

async function analyse({ request }: ToAnalysis): Promise<void> {
  try {
    const analysis = await analyseMatrix(request, {
      signal: abort.signal,
      onStage: (stage, fraction) => tell({ kind: "stage", stage, fraction }),
    });
    await writeFile(join(request.scratchDir, ANALYSIS_FILE), JSON.stringify(analysis));
    tell({ kind: "done" });
  } catch (error) {
    const known = error instanceof HdashError ? error : null;
    tell({
      kind: "failed",
      errorKind: known?.kind ?? "permanent",
      message: messageOf(error),
      hint: known?.hint ?? null,
      publicly: known?.publicly ?? null,
    });
  }
}

function tell(message: FromAnalysis): void {
  // A parent that is gone cannot be told; the handler above ends us.
  process.send?.(message, undefined, undefined, () => {
    if (message.kind !== "stage") process.disconnect();
  });
}
