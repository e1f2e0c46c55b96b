// What each rule means and how to mend what it finds, in words for those who submit data.

import { exampleIds } from "./ids.ts";

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
    meaning: "Every manifest is of a component in this dashboard's list.",
    remedy:
      "Submit the manifest with a current template; if the component is new to HTAN, have it added to the dashboard's list (config/htan_components.json).",
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
      "Ids of specimens and data files have the form of an HTAN id, as have those that data files name, and no id is used twice in the atlas.",
    remedy: "Correct the id ({participant}, {derived}); give repeated records ids of their own.",
  },
  H_LINKS: {
    title: "Links lead to records",
    meaning:
      "Every parent and adjacent id is a record of this atlas, and no record descends from itself.",
    remedy:
      "Correct the parent or adjacent id, or submit the manifest that holds the record it names.",
  },
  H_ENTITY_ID: {
    title: "Files have Synapse ids",
    meaning: "Every assay record names the Synapse entity of its file, which is in this project.",
    remedy:
      "Fill in entityId with the file's own Synapse id (syn and digits); resubmitting usually does.",
  },
  H_FILE_NAMES: {
    title: "Safe file names",
    meaning:
      "File names hold only letters, digits, dot, hyphen and underscore, as the Cancer Data Service asks.",
    remedy:
      "Rename the file in Synapse and in its manifest; replace spaces and other characters by _.",
  },
  M_UNREADABLE: {
    title: "Manifests can be read",
    meaning: "The content of every manifest is in Synapse, and hdash may download it.",
    remedy:
      "Upload the manifest again, or delete it in Synapse if it is of no use; where hdash lacks the right, share it for downloading.",
  },
  M_EMPTY: {
    title: "Manifests have content",
    meaning: "Every manifest has a header and at least one record.",
    remedy: "Submit the manifest again with its records, or delete it in Synapse.",
  },
  M_NOT_CSV: {
    title: "Manifests are CSV files",
    meaning: "Every manifest is a text file with comma-separated values.",
    remedy: "Save the sheet as CSV (UTF-8) and submit that.",
  },
  M_UNCLOSED_QUOTE: {
    title: "Quotes are closed",
    meaning: "Every cell that begins with a quote ends with one, so that rows can be told apart.",
    remedy: "Close the quote in the named row; a program that exports CSV does so by itself.",
  },
  M_NO_COMPONENT: {
    title: "Manifests name their component",
    meaning:
      "Every manifest says of which component it is, as an annotation or in its Component column.",
    remedy: "Fill in the Component column, or annotate the file in Synapse.",
  },
  M_MISSING_COLUMN: {
    title: "Manifests have the columns of their ids",
    meaning:
      "Every manifest has the columns that hold its records' own ids and those of their parents.",
    remedy: "Use the component's current template, which has these columns.",
  },
  M_SECOND_TABLE: {
    title: "A manifest is one table",
    meaning: "A manifest has one row of column names, and all its rows belong to that.",
    remedy: "Submit the sheet that begins in the named row as a manifest of its own.",
  },
  M_COMPONENT_DIFFERS: {
    title: "Manifests and annotations agree",
    meaning:
      "The Component column names, in every row, the component that the file is annotated as in Synapse.",
    remedy: "Correct whichever is wrong; the annotation is what counts until then.",
  },
  M_MIXED_COMPONENTS: {
    title: "Manifests are of one component",
    meaning: "All records of a manifest are of one component.",
    remedy:
      "Correct the Component column, or submit the records of each component as a manifest of their own.",
  },
  M_REPEATED_HEADER: {
    title: "Column names stand in the first row alone",
    meaning: "No row below the first repeats the column names, as joined sheets do.",
    remedy: "Delete the named row; it counts as no record until then.",
  },
  M_SPELLING: {
    title: "Names and ids are spelt as in the template",
    meaning:
      "Column names, components and ids have no blanks around them, no characters that nobody sees, and the template's letter case.",
    remedy:
      "Retype what the finding names; hdash reads it as it was meant, but other programs may not.",
  },
  M_SEPARATOR: {
    title: "Cells are separated by commas",
    meaning: "The cells of a row stand between commas, not between semicolons or tabs.",
    remedy: "Save the sheet as CSV UTF-8 (comma delimited) and submit that.",
  },
  M_DUPLICATE_COLUMN: {
    title: "Columns are there once",
    meaning: "No column name appears twice in a manifest.",
    remedy: "Remove or rename the second column; only the first is read.",
  },
  M_RAGGED_ROWS: {
    title: "Rows are as long as the header",
    meaning:
      "Every row has as many cells as the header, so that values stand in their own columns.",
    remedy: "Look for unquoted commas in the named rows.",
  },
  M_ENCODING: {
    title: "Manifests are UTF-8 text",
    meaning: "Every character of a manifest can be read as UTF-8.",
    remedy: "Save the sheet as CSV UTF-8 and submit that.",
  },
  M_DAYS: {
    title: "Treatments end after they start",
    meaning: "The day on which a treatment ends is not before the day on which it starts.",
    remedy: "Correct the days of the named record; until then the treatment is in no timeline.",
  },
  M_VIEW_ROW: {
    title: "The file view can be read",
    meaning: "Every row of the Synapse file view has the form that a file or folder has.",
    remedy: "Tell the data coordinating centre: the view, not the data, is to be mended.",
  },
};

/** Puts a rule in words, with ids as the atlas has them; a rule that has no words here yet explains itself by its findings. */
export function ruleText(rule: string, title: string, atlasId = "HTA3"): RuleText {
  const { participant, specimen, file } = exampleIds(atlasId);
  const derived =
    specimen === file
      ? `${file} for a specimen or data file`
      : `${specimen} for a specimen, ${file} for a data file`;
  const text = textOf(rule, title);
  const remedy = text.remedy
    .replace("{participant}", `${participant} for a participant`)
    .replace("{derived}", derived);
  return { ...text, remedy };
}

function textOf(rule: string, title: string): RuleText {
  return (
    TEXT[rule] ?? {
      title,
      meaning: "Something could not be read as it should be; each finding says what and where.",
      remedy: "Open what the finding names, correct it and submit it again.",
    }
  );
}
