// The worlds that the bench measures on: 15 atlases × 600 participants, and ten times that.

import type { SeriesName } from "../src/jobs/htan/demo/worldAssays.ts";
import type { OrganName } from "../src/jobs/htan/demo/worldParts.ts";
import type { AtlasPlan, Story } from "../src/jobs/htan/demo/worldPlan.ts";

/** Nothing moves in a bench: what is measured twice must be the same twice. */
const STORY: Story = {
  activeDays: [],
  startShare: 1,
  lateShare: 0,
  faultRate: 0.01,
  mendedShare: 0,
  brokenLaterShare: 0,
  annotated: [0.85, 0.85],
  filled: [0.72, 0.72],
};

const ORGANS: readonly OrganName[] = [
  ...([
    "breast",
    "colon",
    "lung",
    "brain",
    "skin",
    "pancreas",
    "blood",
    "ovary",
    "prostate",
  ] as const),
];

/** Ten or eleven levels of assays for each atlas, so that it has some twenty manifests. */
const SERIES: readonly (readonly SeriesName[])[] = [
  ["single_cell_rnaseq", "imaging", "bulk_wes", "pathology"],
  ["single_cell_rnaseq", "single_cell_atacseq", "bulk_rnaseq"],
  ["single_cell_rnaseq", "bulk_wes", "mass_spectrometry", "other_assay"],
  ["bulk_methylation", "hi_c", "visium", "electron_microscopy"],
  ["slide_seq", "imaging", "bulk_rnaseq", "pathology"],
];

/** Plans the world of the given scale: 1, or 10 for ten times the participants. */
export function benchPlans(scale: number): AtlasPlan[] {
  return Array.from({ length: 15 }, (_, i): AtlasPlan => {
    const atlasId = `HTA${i + 1}`;
    const organ = ORGANS[i % ORGANS.length] ?? "lung";
    return {
      atlasId,
      name: `Bench Atlas ${i + 1}`,
      liaison: "",
      participants: 600 * scale,
      organ,
      series: SERIES[i % SERIES.length] ?? [],
      filesPerParticipant: 10.55,
      // One atlas without a fault, and one with many.
      story: { ...STORY, faultRate: i === 1 ? 0 : i === 3 ? 0.05 : STORY.faultRate },
      flatFolders: i % 2 === 1,
      awkward: i === 6,
      ...(i === 14 ? { srrs: true, series: ["srrs_imaging"] } : {}),
      ...(i === 5 ? { noEntityColumn: ["ImagingLevel4", 1, 8] as const } : {}),
      ...(i === 8 ? { unknownComponent: [1, 8] as const } : {}),
    };
  });
}
