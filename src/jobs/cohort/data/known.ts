// What is known of a namespace: its exports, the build that readers use, and the segments that this consists of.

import type { Catalog } from "./catalog.ts";
import type { Current } from "./current.ts";
import type { TypeSegments } from "./segments.ts";
import type { Validation } from "./validation.ts";

export interface CohortState {
  readonly catalog: Catalog;
  /** Null where nothing has been built. */
  readonly current: Current | null;
  /** By type. What is not known of is built whole. */
  readonly segments: Readonly<Record<string, TypeSegments>>;
  /** What checks have found of the build; null where none have looked at it. */
  readonly validation: Validation | null;
}
