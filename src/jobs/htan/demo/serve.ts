// The dashboard's part of the demo: a look-alike Synapse that serves a world of files, of the user's own or the bundled story's days.

import { stat } from "node:fs/promises";
import { join } from "node:path";

import { HdashError } from "../../../error.ts";
import type { DemoPart } from "../../../job.ts";
import { startSynapse } from "../../../lookalikes/synapse/synapseServer.ts";
import { loadAtlasFile } from "../registry/atlasList.ts";
import { DEMO_DAYS, demoWorld } from "./world.ts";

/** What the look-alike takes for a token; it opens nothing else. */
const TOKEN = "demo-token";

/** Throws usage where a folder is no world. */
export async function checkWorld(world: string): Promise<void> {
  for (const name of ["atlases.csv", "master.csv", "files"]) {
    const found = await stat(join(world, name)).catch(() => null);
    if (found !== null) continue;
    throw new HdashError("usage", `${world} is not a world: there is no ${name} in it`, {
      hint: "A world is a folder with atlases.csv, master.csv and files/<synapse id>.csv.",
    });
  }
}

/** Serves a world, or the days of the bundled story one after the other. */
export async function serveAtlases(home: string, own: string | null): Promise<DemoPart> {
  const story = join(home, "story");
  const synapse = await startSynapse({
    world: own ?? (await makeDay(story, 1)),
    tokens: { [TOKEN]: "demo" },
  });
  return {
    variables: {
      SYNAPSE_ENDPOINT_URL: synapse.url,
      SYNAPSE_USER: "demo",
      SYNAPSE_PASSWORD: TOKEN,
    },
    days: own === null ? DEMO_DAYS : null,
    async prepare(effects, day) {
      const world = own ?? (await makeDay(story, day));
      if (own === null) await synapse.setWorld(world);
      const { saveAtlases } = await import("../registry/atlasTable.ts");
      const { db } = await effects.database();
      await saveAtlases(db, await loadAtlasFile(join(world, "atlases.csv")));
    },
    close: () => synapse.close(),
  };
}

/** Writes a day of the bundled story, unless it lies there from an earlier demo: then nothing has moved, and the run shows it. */
async function makeDay(story: string, day: number): Promise<string> {
  const dir = join(story, String(day));
  if ((await stat(join(dir, "master.csv")).catch(() => null)) === null) await demoWorld(dir, day);
  return dir;
}
