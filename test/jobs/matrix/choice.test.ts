import { describe, expect, test } from "vitest";

import {
  chooseEntries,
  type EntryChoice,
  makeWanted,
  missingTargets,
} from "../../../src/jobs/matrix/choice.ts";
import type { MatrixEntry, MatrixListing, MatrixSkip } from "../../../src/jobs/matrix/source.ts";

const [A, B, C, D] = ["a", "b", "c", "d"].map(
  (digit) => `${digit.repeat(8)}-0000-4000-8000-000000000000`,
);
if (A === undefined || B === undefined || C === undefined || D === undefined)
  throw new Error("four");

function entry(projectId: string, species: string | null, bytes: number | null): MatrixEntry {
  const id = species === null ? projectId : `${projectId}.${species}`;
  return {
    id,
    projectId,
    species,
    title: `Title of ${id}`,
    fileName: `${id}.mtx.zip`,
    bytes,
    version: {},
    sha256: null,
    approaches: [],
    cells: null,
    pageUrl: null,
    locator: "",
  };
}

const SKIP: MatrixSkip = { id: D, projectId: D, title: "D", why: "format", message: "No." };
const LISTING: MatrixListing = {
  entries: [
    entry(A, "mus_musculus", 5),
    entry(A, "homo_sapiens", 7),
    entry(B, null, 9),
    entry(C, null, null),
  ],
  skips: [SKIP],
};

function choose(blacklist: readonly string[] | null, targets: readonly string[] | null) {
  const set = blacklist === null ? null : new Set(blacklist);
  const { entries, skips } = chooseEntries(LISTING, { blacklist: set, targets });
  return { ids: entries.map(({ id }) => id), skips };
}

function whys(skips: readonly MatrixSkip[]): unknown {
  return skips.map(({ id, why }) => [id, why]);
}

describe("chooseEntries(listing, choice)", () => {
  test("takes everything, largest first, where nothing is said", () => {
    const ids = [B, `${A}.homo_sapiens`, `${A}.mus_musculus`, C];
    expect(choose(null, null)).toEqual({ ids, skips: [SKIP] });
    expect(choose([], null)).toEqual({ ids, skips: [SKIP] });
  });

  test("leaves out what the blacklist names, by project or by whole id, in any case", () => {
    const { ids, skips } = choose([` ${A.toUpperCase()}`, C, ""], null);
    expect(ids).toEqual([B]);
    expect(skips).toEqual([
      SKIP,
      ...[`${A}.mus_musculus`, `${A}.homo_sapiens`, C].map((id) => ({
        id,
        projectId: id.slice(0, 36),
        title: `Title of ${id}`,
        why: "blacklisted",
        message: `${id} is on the blacklist.`,
      })),
    ]);
    expect(choose([`${A}.homo_sapiens`], null).ids).toEqual([B, `${A}.mus_musculus`, C]);
  });

  test("takes only what is asked for, and says so of the rest", () => {
    const { ids, skips } = choose(null, [`${A}.mus_musculus`, C.toUpperCase()]);
    expect(ids).toEqual([`${A}.mus_musculus`, C]);
    expect(whys(skips)).toEqual([
      [D, "format"],
      [`${A}.homo_sapiens`, "not asked for"],
      [B, "not asked for"],
    ]);
    expect(choose(null, [A]).ids).toEqual([`${A}.homo_sapiens`, `${A}.mus_musculus`]);
    expect(choose(null, []).ids).toEqual([]);
  });

  test("lets the blacklist win over a target", () => {
    const { ids, skips } = choose([B], [B]);
    expect([ids, whys(skips.filter(({ projectId }) => projectId === B))]).toEqual([
      [],
      [[B, "blacklisted"]],
    ]);
  });

  test("knows an entry by its title where that is its name, however its letters are encoded", () => {
    const named = { ...entry("K-ln-two", null, 1), title: "Köln two".normalize("NFD") };
    const listing = { entries: [named, entry(B, null, 1)], skips: [SKIP] };
    const [typed, other] = ["KÖLN two".normalize("NFC"), "köln"];
    const idsOf = (choice: Partial<EntryChoice>) =>
      chooseEntries(listing, { blacklist: null, targets: null, ...choice }).entries.map(
        ({ id }) => id,
      );
    expect([
      idsOf({ targets: [typed], isByTitle: true }),
      idsOf({ targets: [typed] }),
      idsOf({ blacklist: new Set([typed]), isByTitle: true }),
    ]).toEqual([["K-ln-two"], [], [B]]);
    const targets = [typed, D, other];
    expect([
      missingTargets(listing, { blacklist: null, targets, isByTitle: true }),
      missingTargets(listing, { blacklist: null, targets }),
    ]).toEqual([[other], ["köln two", other]]);
  });

  test("lets what may not be read fail only where it is wanted", () => {
    const skip = { ...SKIP, why: "unreadable" };
    const listing = { entries: [], skips: [skip] };
    const whyOf = (blacklist: ReadonlySet<string> | null, targets: readonly string[] | null) =>
      chooseEntries(listing, { blacklist, targets }).skips.map(({ id, why }) => [id, why]);
    expect([
      whyOf(null, null),
      whyOf(null, [D.toUpperCase()]),
      whyOf(new Set([D]), null),
      chooseEntries(listing, { blacklist: null, targets: [A] }).skips[0],
    ]).toEqual([
      [[D, "unreadable"]],
      [[D, "unreadable"]],
      [[D, "blacklisted"]],
      { ...skip, why: "not asked for", message: `${D} is not among the matrices asked for.` },
    ]);
  });

  test("names a target that is not there once, but not one that was skipped for another reason", () => {
    const { skips } = choose(null, [D, "../../Etc", "../../Etc", "", "..."]);
    expect(skips.filter(({ why }) => why === "not found")).toEqual([
      {
        id: "etc",
        projectId: "etc",
        title: "etc",
        why: "not found",
        message: "etc was asked for, but the source has no matrix of it.",
      },
      {
        id: "unnamed",
        projectId: "unnamed",
        title: "unnamed",
        why: "not found",
        message: "unnamed was asked for, but the source has no matrix of it.",
      },
    ]);
  });

  test("changes nothing of what it was given", () => {
    const before = structuredClone(LISTING);
    choose([A], [B]);
    expect(LISTING).toEqual(before);
  });
});

describe("makeWanted(choice)", () => {
  test.each([
    [null, null, [`${A}.mus_musculus`, `${A}.homo_sapiens`, B, C]],
    [[` ${A.toUpperCase()}`, ""], null, [B, C]],
    [null, [`${A}.HOMO_SAPIENS`, C], [`${A}.homo_sapiens`, C]],
    [[C], [B, C], [B]],
    [[], [], []],
  ])("wants what is chosen where %j is blacklisted and %j is asked for", (no, only, ids) => {
    const choice = { blacklist: no === null ? null : new Set(no), targets: only };
    const wanted = LISTING.entries.filter(makeWanted(choice)).map(({ id }) => id);
    expect(wanted).toEqual(ids);
    expect([...wanted].sort()).toEqual([...choose(no, only).ids].sort());
  });
});
