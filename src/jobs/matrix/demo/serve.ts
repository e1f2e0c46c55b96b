// The matrix job's part of the demo: a look-alike Azul with the bundled matrices, or a folder of the user's own.

import { stat } from "node:fs/promises";
import { join } from "node:path";

import { HdashError } from "../../../error.ts";
import type { DemoPart } from "../../../job.ts";
import { LOCAL_FITS } from "../sources/matrixName.ts";

/** What the look-alike calls its catalogue. */
const CATALOG = "demo";

/** Throws usage where there is no folder. */
export async function checkFolder(dir: string): Promise<void> {
  const found = await stat(dir).catch(() => null);
  if (found?.isDirectory() === true) return;
  const why = found === null ? ": it is not there" : ", but a file";
  throw new HdashError("usage", `${dir} is not a folder of matrices${why}`, {
    hint: `Name a folder with ${LOCAL_FITS}; what they are called is up to you.`,
  });
}

/** Reads the matrices of a folder. */
export function useFolder(dir: string): DemoPart {
  const variables = { MATRIX_SOURCE: "local", MATRIX_PATH: dir };
  return { variables, days: null, close: () => Promise.resolve() };
}

/** Serves the bundled matrices as Azul does. */
export async function serveMatrices(home: string): Promise<DemoPart> {
  const { demoMatrices } = await import("./matrixWorld.ts");
  const { startAzul } = await import("./azulServer.ts");
  const projects = (await demoMatrices(join(home, "matrices"))).filter(
    ({ isBlacklisted }) => !isBlacklisted,
  );
  const azul = await startAzul({ projects, catalog: CATALOG });
  return {
    variables: {
      MATRIX_SOURCE: "fresh",
      MATRIX_ENDPOINT_URL: azul.url,
      MATRIX_CATALOG: CATALOG,
      MATRIX_ATLASES: projects.map((one) => `${one.atlasId}=${one.projectId}`).join(","),
    },
    days: null,
    close: () => azul.close(),
  };
}
