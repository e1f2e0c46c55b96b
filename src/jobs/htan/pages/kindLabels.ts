// How pages call the kinds of files.

import type { FileKind } from "../data/analysis.ts";

export const KIND_LABELS: Readonly<Record<FileKind, string>> = {
  BAM: "BAM",
  FASTQ: "FASTQ",
  IMAGE: "Image",
  MATRIX: "Matrix",
  OTHER_ASSAY: "Other",
  METADATA: "Metadata",
};
