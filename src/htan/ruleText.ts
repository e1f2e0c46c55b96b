// What each rule means and how to mend what it finds, in words for those who submit data.

/** A rule in words. */
export interface RuleText {
  readonly title: string;
  readonly meaning: string;
  readonly remedy: string;
}

/** The checks of the dashboard, in the order in which they run. */
export const CHECKS = [
  "H_CATEGORIES",
  "H_DEM",
  "H_NON_DEM",
  "H_BIOSPEC",
  "H_ID_SPEC",
  "H_LINKS",
  "H_ENTITY_ID",
  "H_FILE_NAMES",
] as const;

const TEXT: Readonly<Record<string, RuleText>> = {
  H_CATEGORIES: {
    title: "Known components",
    meaning: "Every manifest is of a component that the HTAN data model knows.",
    remedy:
      "Submit the manifest with a current template; if the component is new to HTAN, tell the data coordinating centre.",
  },
  H_DEM: {
    title: "Demographics present",
    meaning: "The atlas has a Demographics manifest, the list of its participants.",
    remedy: "Submit a Demographics manifest that names every participant.",
  },
  H_NON_DEM: {
    title: "Participants have demographics",
    meaning: "Every participant in a clinical manifest is listed in Demographics.",
    remedy:
      "Add the participant to Demographics, or correct the participant id in the clinical manifest.",
  },
  H_BIOSPEC: {
    title: "Biospecimens present",
    meaning: "The atlas has a Biospecimen or SRRSBiospecimen manifest.",
    remedy: "Submit a Biospecimen manifest that names every specimen and its parent.",
  },
  H_ID_SPEC: {
    title: "Identifiers well formed and unique",
    meaning:
      "Ids in assay manifests have the form of an HTAN id, and no record's id is used twice in the atlas.",
    remedy:
      "Correct the id (HTA3_8001 for a participant, HTA3_8001_12 for a specimen or data file); give repeated records ids of their own.",
  },
  H_LINKS: {
    title: "Links lead to records",
    meaning: "Every parent and adjacent id is a record of this atlas, and no record is its own parent.",
    remedy:
      "Correct the parent or adjacent id, or submit the manifest that holds the record it names.",
  },
  H_ENTITY_ID: {
    title: "Files have Synapse ids",
    meaning: "Every assay record names the Synapse entity of its file.",
    remedy: "Fill in entityId with the file's Synapse id (syn and digits); resubmitting usually does.",
  },
  H_FILE_NAMES: {
    title: "Safe file names",
    meaning:
      "File names hold only letters, digits, dot, hyphen and underscore, as the Cancer Data Service asks.",
    remedy: "Rename the file in Synapse and in its manifest; replace spaces and other characters by _.",
  },
};

/** Puts a rule in words; a rule that is not a check (a manifest that cannot be read well) explains itself by its findings. */
export function ruleText(rule: string, title: string): RuleText {
  return (
    TEXT[rule] ?? {
      title,
      meaning: "A manifest or the file view could not be read as it should be; each finding says where.",
      remedy: "Open the manifest named by the finding, correct it and submit it again.",
    }
  );
}
