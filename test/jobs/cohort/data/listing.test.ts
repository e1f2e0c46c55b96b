import { describe, expect, test } from "vitest";

import { sortListing } from "../../../../src/jobs/cohort/data/catalog.ts";
import { listingFindings, listingWarnings } from "../../../../src/jobs/cohort/data/listing.ts";

const FACTS = { label: "s3://exports/main", namespace: "main", cohorts: ["adults_v1"] };
const NO_EXPORTS =
  "s3://exports/main lists 0 exports of adults_v1. Exports lie at NAMESPACE/COHORT/EXPORT below COHORT_SOURCE; the namespace is main.";

const sorted = (...keys: readonly string[]) =>
  sortListing(
    keys.map((key) => ({ key, bytes: 1, etag: "e" })),
    FACTS.cohorts,
  );

describe("what is said of a listing", () => {
  test("is nothing where all of it is read or ignored", () => {
    const listing = sorted("adults_v1/a", "owner.txt", "adults_v1/b/c");
    expect(listingFindings(listing, FACTS)).toEqual([]);
    expect(listingWarnings(listing, FACTS)).toEqual([]);
  });

  test("is that there is no export", () => {
    const listing = sorted("owner.txt");
    expect(listingFindings(listing, FACTS)).toMatchObject([
      { rule: "no_exports", severity: "warning", subject: "", message: NO_EXPORTS },
    ]);
    expect(listingWarnings(listing, FACTS)).toEqual([NO_EXPORTS]);
  });

  test("names objects on one line", () => {
    const listing = sorted("adults_v1/a", "el\nders/a\u202e");
    const message = "el\\nders/a\\u{202e} is not read: the schema has no cohort el\\nders.";
    expect(listingFindings(listing, FACTS)).toMatchObject([
      { rule: "unknown_cohort", severity: "error", subject: "el\\nders/a\\u{202e}", message },
    ]);
    expect(listingWarnings(listing, FACTS)).toEqual([
      "1 object of s3://exports/main cannot be read: el\\nders/a\\u{202e} (the schema has no cohort el\\nders). hdash cohort audit lists them all.",
    ]);
  });

  test("names a hundred objects of a kind, and a few in the log", () => {
    const listing = sorted("adults_v1/a", ...Array.from({ length: 250 }, (_none, at) => `x/${at}`));
    const found = listingFindings(listing, FACTS);
    expect(found).toHaveLength(101);
    expect(found.at(-1)).toMatchObject({
      subject: "",
      message: "150 more objects: unknown_cohort.",
    });
    expect(listingWarnings(listing, FACTS).join()).toMatch(/x\/4 \(.*\) and 245 more\. hdash/);
  });
});
