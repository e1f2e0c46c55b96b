// The HTAN dashboard as a pipeline: which files each atlas has in Synapse, how complete their metadata is, and what is wrong with it.

import type { Json } from "../digest.ts";
import {
  file,
  json,
  type Pipeline,
  type Plan,
  publicTree,
  type Ref,
  type ScopeHistory,
  type SiteContents,
  type SitePart,
  step,
  type TreeFile,
} from "../engine/step.ts";
import type { AtlasAnalysis, AtlasFiles, ManifestEntry } from "../htan/analysis.ts";
import type { Atlas } from "../htan/atlas.ts";
