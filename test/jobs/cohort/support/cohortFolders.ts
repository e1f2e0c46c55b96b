// Cohorts with folders for places, as commands are told of them.

import { join } from "node:path";

/** The variables by which exports come from the folder "in" of another, and are kept in its "raw", "intermediate" and "processed". */
export function cohortFolders(dir: string) {
  return {
    COHORT_SOURCE: join(dir, "in"),
    COHORT_RAW: join(dir, "raw"),
    COHORT_INTERMEDIATE: join(dir, "intermediate"),
    COHORT_PROCESSED: join(dir, "processed"),
  };
}
