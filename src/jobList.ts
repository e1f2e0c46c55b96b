// The one list of jobs, in the order in which a run of everything does them. It hands one job what it shows of another.

import type { Job } from "./job.ts";
import { makeCohortJob } from "./jobs/cohort/job.ts";
import { makeHtanJob } from "./jobs/htan/job.ts";
import { atlasFigures, PAGES as DASHBOARD } from "./jobs/htan/pages/pageFrame.ts";
import { makeMatrixJob } from "./jobs/matrix/job.ts";

/** The jobs that hdash has: commands, the stack (infra/) and docs read it. The dashboard shows figures, so these are made before it. */
export const JOBS: readonly Job[] = [
  makeMatrixJob({
    atlasPath: (atlasId, { places }) =>
      places.some(({ path }) => path === DASHBOARD.places[0].path) ? atlasFigures(atlasId) : null,
  }),
  makeHtanJob({
    galleries: async (effects, site) => {
      const { openGalleries } = await import("./jobs/matrix/galleries.ts");
      return openGalleries(effects, site);
    },
  }),
  makeCohortJob(),
];
