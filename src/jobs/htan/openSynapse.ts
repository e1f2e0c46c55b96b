// Synapse as the dashboard uses it: the client, with the settings' token.

import type { Effects } from "../../effects.ts";
import { HdashError } from "../../error.ts";
import type { SynapseClient } from "../../sources/synapseClient.ts";
import type { HtanSettings } from "./settings.ts";

/** Opens the client; throws a config error where there is no token. */
export async function openSynapse(
  effects: Effects,
  { endpoint, token, user }: HtanSettings,
): Promise<SynapseClient> {
  if (token === null) {
    throw new HdashError("config", "SYNAPSE_PASSWORD is not set, but Synapse has to be read");
  }
  const { makeSynapse } = await import("../../sources/synapse.ts");
  const http = await effects.http();
  const { log, patience } = effects;
  return makeSynapse({ endpoint, token, userName: user, http, log, ...patience });
}
