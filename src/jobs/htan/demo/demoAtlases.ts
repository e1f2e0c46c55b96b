// The eight atlases of the demo and how each of them fares in its week.

import type { AtlasPlan, Story } from "./worldPlan.ts";

/** Little happens, and what happens is in order. */
const CLEAN: Story = {
  activeDays: [3, 6],
  startShare: 0.9,
  lateShare: 0.1,
  faultRate: 0,
  mendedShare: 0,
  brokenLaterShare: 0,
  annotated: [0.97, 1],
  filled: [0.9, 0.95],
};

/** Faults from the past, mended day by day. */
const MENDING: Story = {
  activeDays: [2, 3, 4, 5, 6, 7],
  startShare: 0.85,
  lateShare: 0.15,
  faultRate: 0.028,
  mendedShare: 0.92,
  brokenLaterShare: 0.1,
  annotated: [0.72, 0.96],
  filled: [0.62, 0.81],
};

/** Grows fast; a batch on the fifth day is bad, and about half of that is mended by the end. */
const SURGING: Story = {
  activeDays: [2, 4, 5, 6, 7],
  startShare: 0.55,
  lateShare: 0.2,
  faultRate: 0.004,
  surge: { day: 5, faultRate: 0.13 },
  mendedShare: 0.55,
  brokenLaterShare: 0,
  annotated: [0.8, 0.9],
  filled: [0.7, 0.76],
};

/** Many faults, more coming than going. */
const TROUBLED: Story = {
  activeDays: [2, 3, 5, 7],
  startShare: 0.75,
  lateShare: 0.25,
  faultRate: 0.07,
  mendedShare: 0.15,
  brokenLaterShare: 0.45,
  annotated: [0.4, 0.55],
  filled: [0.41, 0.46],
};

/** Finished long ago; a few faults that nobody mends. */
const STILL: Story = {
  activeDays: [],
  startShare: 1,
  lateShare: 0,
  faultRate: 0.005,
  mendedShare: 0,
  brokenLaterShare: 0,
  annotated: [0.93, 0.93],
  filled: [0.84, 0.84],
};

/** The atlases, in the order of their ids. No name is that of a real one. */
export const DEMO_ATLASES: readonly AtlasPlan[] = [
  {
    atlasId: "HTA1",
    name: "Synthetic Breast Pre-Cancer Atlas",
    liaison: "Robin Example",
    participants: 96,
    organ: "breast",
    series: ["single_cell_rnaseq", "imaging", "bulk_wes", "pathology"],
    filesPerParticipant: 16,
    story: MENDING,
  },
  {
    atlasId: "HTA2",
    name: "Synthetic Colorectal Polyp Atlas",
    liaison: "Kim Sample",
    participants: 64,
    organ: "colon",
    series: ["single_cell_rnaseq", "single_cell_atacseq", "bulk_rnaseq"],
    filesPerParticipant: 14,
    story: CLEAN,
    flatFolders: true,
  },
  {
    atlasId: "HTA3",
    name: "Synthetic Lung Atlas",
    liaison: "Sasha Muster",
    participants: 120,
    organ: "lung",
    series: ["single_cell_rnaseq", "bulk_wes", "bulk_rnaseq", "mass_spectrometry"],
    filesPerParticipant: 16,
    story: SURGING,
    noEntityColumn: ["MassSpectrometryLevel3", 5, 7],
  },
  {
    atlasId: "HTA4",
    name: "Synthetic Paediatric Brain & Nerve Atlas",
    liaison: "Alex Specimen",
    participants: 72,
    organ: "brain",
    series: ["single_cell_rnaseq", "hi_c", "bulk_methylation", "visium"],
    filesPerParticipant: 14,
    story: TROUBLED,
    unknownComponent: [2, 6],
    noEntityColumn: ["HI-C-seqLevel2", 1, 8],
    flatFolders: true,
  },
  {
    atlasId: "HTA5",
    name: "Synthetic Melanoma Atlas",
    liaison: "",
    participants: 44,
    organ: "skin",
    series: ["imaging", "pathology", "single_cell_rnaseq"],
    filesPerParticipant: 16,
    story: STILL,
  },
  {
    atlasId: "HTA6",
    name: 'Synthetic Pancreas Atlas <pilot>, "Phase I & II"',
    liaison: "Toni O'Placeholder, PhD <toni@example.org>",
    participants: 38,
    organ: "pancreas",
    series: ["slide_seq", "electron_microscopy", "bulk_rnaseq", "other_assay"],
    filesPerParticipant: 14,
    story: { ...MENDING, activeDays: [3, 4, 7], faultRate: 0.02 },
    awkward: true,
  },
  {
    atlasId: "HTA7",
    name: "Synthetic Childhood Leukaemia Atlas",
    liaison: "Jo Beispiel",
    participants: 24,
    organ: "blood",
    series: ["single_cell_rnaseq", "bulk_rnaseq"],
    filesPerParticipant: 18,
    story: { ...CLEAN, activeDays: [2, 3, 4, 5, 6], startShare: 0.6, faultRate: 0.012 },
    // Joins: first some clinical data, the participants themselves and their specimens on the third day, assays after that.
    starts: {
      Demographics: 3,
      Biospecimen: 3,
      single_cell_rnaseq: 4,
      bulk_rnaseq: 6,
    },
  },
  {
    atlasId: "HTA8",
    name: "Synthetic Ovarian Atlas",
    liaison: "Ari Vzorek",
    participants: 80,
    organ: "ovary",
    series: ["visium", "mass_spectrometry", "imaging", "single_cell_rnaseq"],
    filesPerParticipant: 17,
    story: { ...MENDING, activeDays: [2, 4, 5, 6], faultRate: 0.01, annotated: [0.15, 0.93] },
    flatFolders: true,
  },
];
