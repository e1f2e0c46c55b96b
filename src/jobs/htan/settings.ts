// The settings of the HTAN dashboard: how Synapse is reached, and the view that it reads.

import type { JobSettings } from "../../settings/jobSettings.ts";
import { checked } from "../../settings/rules.ts";
import {
  readSynapseAccess,
  SYNAPSE_CONFIDENTIAL,
  SYNAPSE_RULES,
  SYNAPSE_VARIABLES,
  type SynapseAccess,
} from "../../settings/synapseAccess.ts";
import { variable } from "../../settings/variables.ts";

export interface HtanSettings extends SynapseAccess {
  /** The file view, e.g. "syn20446927". */
  readonly masterView: string;
}

const VIEW = "syn20446927";

export const SETTINGS: JobSettings<HtanSettings> = {
  variables: [
    ...SYNAPSE_VARIABLES,
    variable(
      "SYNAPSE_MASTER_VIEW",
      "Synapse",
      "syn20446927",
      "syn20446927",
      "Entity view with one row per file and folder",
    ),
  ],
  rules: {
    ...SYNAPSE_RULES,
    SYNAPSE_MASTER_VIEW: checked(/^syn\d+$/, "a Synapse id")({ default: VIEW }),
  },
  confidential: SYNAPSE_CONFIDENTIAL,
  isGiven: (names) => names.some((name) => name.startsWith("SYNAPSE_")),
  read(values) {
    return {
      ...readSynapseAccess(values, "Synapse has to be read"),
      masterView: values.text("SYNAPSE_MASTER_VIEW") ?? VIEW,
    };
  },
};
