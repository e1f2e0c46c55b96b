// Programs that examples/04-align runs, where steps look for them.

import { existsSync } from "node:fs";
import { join } from "node:path";

const PLACES = ["/usr/local/bin", "/usr/bin"];

/** Says which of the programs are not there; null where all are. */
export function missingPrograms(): string | null {
  const missing = ["bwa", "samtools"].filter(
    (program) => !PLACES.some((place) => existsSync(join(place, program))),
  );
  if (missing.length === 0) return null;
  return `examples/04-align is not run: there is no ${missing.join(" and no ")}; on Debian: sudo apt-get install bwa samtools`;
}
