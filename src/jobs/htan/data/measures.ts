// The numbers of an atlas that are kept for every run: trends and the index are made from them alone.

import { type AtlasAnalysis, FILE_KINDS } from "./analysis.ts";

/**
 * Lists an atlas's measures by name: totalFileSize (bytes), files and files.<kind>, manifests, records, hasMetadata (0 or 1),
 * percentMetadataComplete (a fraction, named as in the published data), errors and warnings (findings).
 */
export function measuresOf(analysis: AtlasAnalysis): Readonly<Record<string, number>> {
  const manifests = Object.values(analysis.manifests);
  const of = (severity: string) =>
    analysis.findings.filter((finding) => finding.severity === severity).length;
  return {
    totalFileSize: analysis.totalFileSize,
    files: FILE_KINDS.reduce((sum, kind) => sum + analysis.fileCounts[kind], 0),
    ...Object.fromEntries(FILE_KINDS.map((kind) => [`files.${kind}`, analysis.fileCounts[kind]])),
    manifests: manifests.length,
    records: manifests.reduce((sum, { records }) => sum + records, 0),
    hasMetadata: manifests.length > 0 ? 1 : 0,
    percentMetadataComplete: analysis.percentMetadataComplete,
    errors: of("error"),
    warnings: of("warning"),
  };
}
