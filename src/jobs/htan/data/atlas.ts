// The atlas registry's row, and the names that all of this room uses.

/** One atlas: a Synapse project that is watched. */
export interface Atlas {
  /** e.g. "HTA3". */
  readonly atlasId: string;
  /** The Synapse project, e.g. "syn22124336". */
  readonly projectId: string;
  readonly name: string;
  /** Who to talk to; "" where nobody is named. */
  readonly liaison: string;
}
