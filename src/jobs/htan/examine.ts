// The dashboard's lines of the doctor: the token, the view, the registry of atlases.

import type { Effects } from "../../effects.ts";
import { count } from "../../format.ts";
import { diagnose, type Diagnosis } from "../../job.ts";
import { openSynapse } from "./openSynapse.ts";
import type { HtanSettings } from "./settings.ts";

const service = "Synapse";
const WHERE = "SYNAPSE_ENDPOINT_URL";

/** Asks Synapse who the token belongs to and what the view has, and the ledger which atlases are registered. */
export async function examineHtan(
  effects: Effects,
  settings: HtanSettings | null,
  signal: AbortSignal,
): Promise<readonly Diagnosis[]> {
  const { given } = effects.config;
  const isForOthers = !given.includes("htan") && given.length > 0;
  if (settings === null || isForOthers) {
    const isShared = (settings?.token ?? null) !== null;
    const why = isShared ? "SYNAPSE_… is set for another job" : "no SYNAPSE_… variable is set";
    const says = `${why}: the HTAN dashboard is not made`;
    return [{ service, state: "note", says, advice: null }];
  }
  return [...(await askSynapse(effects, settings, signal)), await askRegistry(effects)];
}

async function askSynapse(
  effects: Effects,
  settings: HtanSettings,
  signal: AbortSignal,
): Promise<readonly Diagnosis[]> {
  const { token, user, endpoint, masterView } = settings;
  if (token === null) {
    return [
      {
        service,
        state: "bad",
        says: "SYNAPSE_PASSWORD is not set",
        advice:
          "Make a personal access token in Synapse with the scopes view and download, and set it.",
      },
    ];
  }
  const synapse = await openSynapse(effects, settings);
  const who = await diagnose(service, `${endpoint} as the token's owner`, WHERE, async () => {
    const { userName } = await synapse.whoAmI(signal);
    if (user !== null && user !== userName) {
      return {
        service,
        state: "note",
        says: `the token belongs to ${userName}, but SYNAPSE_USER is ${user}`,
        advice: "Set SYNAPSE_USER to the token's owner, or use the other user's token.",
      };
    }
    const says = `${endpoint} took the token of ${userName}`;
    return { service, state: "ok", says, advice: null };
  });
  if (who.state === "bad") return [who];
  const view = await diagnose(service, `view ${masterView}`, WHERE, async () => {
    const state = await synapse.viewState(masterView, "type = 'file'", signal);
    const says = `view ${masterView} is readable: ${count(state.count, "file")}`;
    return { service, state: "ok", says, advice: null };
  });
  return [who, view];
}

async function askRegistry(effects: Effects): Promise<Diagnosis> {
  const registry = "Registry";
  const isHere = effects.config.database.kind === "embedded";
  const where = isHere ? "HDASH_HOME" : "HDASH_DB_HOST and HDASH_DB_PORT";
  const ask = async (): Promise<Diagnosis> => {
    const { listAtlases } = await import("./registry/atlasTable.ts");
    const { db } = await effects.database();
    const atlases = await listAtlases(db);
    const says = `${count(atlases.length, "atlas", "atlases")} registered`;
    if (atlases.length > 0) return { service: registry, state: "ok", says, advice: null };
    const advice =
      "Run `hdash-util init` to register the atlases; the first run does it from the bundled list.";
    return { service: registry, state: "note", says, advice };
  };
  return diagnose(registry, "the registry", where, ask, isHere);
}
