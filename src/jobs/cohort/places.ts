// Where exports come from, and the three private places that copies and datasets go to, as settings name them.

import { statSync } from "node:fs";
import { join, resolve } from "node:path";

import { quoted } from "../../format.ts";
import type { ValueReader } from "../../settings/jobSettings.ts";
import { bucketProblem } from "../../settings/rules.ts";
import { readSynapseAccess, type SynapseAccess } from "../../settings/synapseAccess.ts";

/** A prefix of a bucket, or a folder. */
export type Place =
  | { readonly kind: "s3"; readonly bucket: string; readonly prefix: string }
  | { readonly kind: "folder"; readonly dir: string };

/** A project or folder of Synapse. */
export interface SynapsePlace {
  readonly kind: "synapse";
  readonly id: string;
  readonly access: SynapseAccess;
}

/** Everything that settings say of places. */
export interface CohortPlaces {
  readonly source: Place | SynapsePlace;
  readonly raw: Place;
  readonly intermediate: Place;
  readonly processed: Place;
}

const SOURCE = "COHORT_SOURCE";
/** Why each place has to be named: what goes there. */
const GOES = {
  COHORT_RAW: "copies of what was sent go there",
  COHORT_INTERMEDIATE: "transformed records go there",
  COHORT_PROCESSED: "datasets go there",
} as const;
const IN_SYNAPSE = /^synapse:(syn\d+)$/;

/** Tells whether a text names a place in Synapse. */
export function isInSynapse(text: string): boolean {
  return IN_SYNAPSE.test(text.trim());
}

/** Reads them all, and reports what is wrong with each; null where one is missing or wrong. */
export function readPlaces(values: ValueReader): CohortPlaces | null {
  if (values.isAsked) values.need(SOURCE, "exports are read from it");
  const source = readSource(values);
  const [raw, intermediate, processed] = (Object.keys(GOES) as (keyof typeof GOES)[]).map(
    (name) => {
      if (values.isAsked) values.need(name, GOES[name]);
      return readPlace(name, values, "s3://bucket/prefix nor a folder");
    },
  );
  const all: NamedPlace[] = [];
  if (source !== null && source.kind !== "synapse") all.push([SOURCE, source]);
  if (raw) all.push(["COHORT_RAW", raw]);
  if (intermediate) all.push(["COHORT_INTERMEDIATE", intermediate]);
  if (processed) all.push(["COHORT_PROCESSED", processed]);
  checkApart(all, values);
  checkHidden(all, values);
  if (source === null || !raw || !intermediate || !processed) return null;
  return { source, raw, intermediate, processed };
}

type NamedPlace = readonly [variable: string, place: Place];

function readSource(values: ValueReader): CohortPlaces["source"] | null {
  const [, id] = IN_SYNAPSE.exec(values.text(SOURCE) ?? "") ?? [];
  if (id !== undefined) {
    const access = readSynapseAccess(values, `${SOURCE} is in Synapse`);
    return { kind: "synapse", id, access };
  }
  const place = readPlace(SOURCE, values, "s3://bucket/prefix, a folder nor synapse:syn123");
  // What a run reads has to be there: an empty listing would look like a study in which nothing was sent.
  if (values.isAsked && place?.kind === "folder") checkFolder(place.dir, values);
  return place;
}

function readPlace(name: string, values: ValueReader, forms: string): Place | null {
  const value = values.text(name);
  if (value === null) return null;
  const [, bucket, prefix = ""] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(value) ?? [];
  if (bucket !== undefined) {
    const problem = bucketProblem(bucket);
    if (problem !== null) values.report(name, `is ${quoted(value)}: behind s3:// ${problem}`);
    return { kind: "s3", bucket, prefix: prefix.replace(/\/+$/, "") };
  }
  if (/^[a-z][a-z0-9+.-]*:/i.test(value)) {
    values.report(name, `is ${quoted(value)}, which is neither ${forms}`);
    return null;
  }
  return { kind: "folder", dir: resolve(value) };
}

function checkFolder(dir: string, { report }: ValueReader): void {
  const found = statSync(dir, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return;
  const why = found === undefined ? "there is no such folder" : "it is no folder";
  report(SOURCE, `is ${quoted(dir)}: ${why}`);
}

/** Places are told apart so that none is another's, or within it: what one removes would be the other's. */
function checkApart(places: readonly NamedPlace[], { report }: ValueReader): void {
  for (const [at, [name, place]] of places.entries()) {
    for (const [other, before] of places.slice(0, at)) {
      const [one, two] = [uriOf(place), uriOf(before)];
      if (!one.startsWith(two) && !two.startsWith(one)) continue;
      report(name, `is ${quoted(one)}, which is not apart from ${other}: ${quoted(two)}`);
    }
  }
}

/** Nothing of a participant may lie where everybody reads: in the site's bucket, in its folder, or around that. */
function checkHidden(places: readonly NamedPlace[], { text, report }: ValueReader): void {
  const site = text("S3_BUCKET_NAME");
  const home = resolve(text("HDASH_HOME") ?? ".hdash");
  const dir = `${resolve(text("HDASH_SITE_DIR") ?? join(home, "site"))}/`;
  for (const [name, place] of places) {
    const isShown =
      place.kind === "s3"
        ? place.bucket === site
        : site === null && (uriOf(place).startsWith(dir) || dir.startsWith(uriOf(place)));
    if (!isShown) continue;
    const where = site === null ? `folder ${dir}` : `bucket ${site}`;
    const what = `is ${quoted(uriOf(place))}, which is not apart from the site`;
    report(name, `${what}: everybody may read the ${where}`);
  }
}

/** A place by its address; it ends with a slash, so that "raw" is not where "raw-2" is. */
function uriOf(place: Place): string {
  const path = place.kind === "s3" ? `s3://${place.bucket}/${place.prefix}` : place.dir;
  return `${path.replace(/\/+$/, "")}/`;
}
