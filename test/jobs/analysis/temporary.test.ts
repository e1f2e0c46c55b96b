// Temporary outputs of users' pipelines: their bytes go when a run has ended well, and are made again where a step needs them.

import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { type Digest, digestOf } from "../../../src/digest.ts";
import { hdash } from "../../support/command.ts";
import { LEDGER_KINDS } from "../../support/ledger.ts";
import { LONG_MS, tally } from "./support/pipelineRuns.ts";
import { openUserRuns, type UserRuns } from "./support/userRuns.ts";

const BOOK = "call me ishmael\nsome years ago\n";

describe.each(LEDGER_KINDS)("a step that gives temporary files, on %s", (kind) => {
  let runs: UserRuns;
  beforeEach(async () => {
    runs = await openUserRuns(kind);
    await writeFile(join(runs.dir, "book.txt"), BOOK);
  });
  afterEach(() => runs.close());

  const run = (options: Readonly<Record<string, string>> = {}) =>
    runs.run("temporary.ts", { book: join(runs.dir, "book.txt"), lanes: "5", ...options });

  /** Contents that lanes have on the way. */
  const bam = (n: number): Digest => digestOf(`${n}\n${BOOK}`.repeat(3));
  const count = (digests: readonly Digest[]): Promise<number> =>
    runs.inLedger(async (_db, blobs) => {
      const found = await Promise.all(digests.map((digest) => blobs.has(digest)));
      return found.filter(Boolean).length;
    });
  const bams = [0, 1, 2, 3, 4].map(bam);

  test(
    "loses their bytes, is a hit without them, and makes again exactly what is needed",
    async () => {
      const out = join(runs.dir, "out");
      const first = await run({ out });
      expect(first.code, first.stderr).toBe(0);
      // An import, a split, five lanes aligned and sorted, a merge, a measure, and the results.
      expect(tally(first)).toBe("0 hits, 15 ran, 0 failed");
      // Five aligned, five sorted, two parts.
      expect(first.stderr).toMatch(
        /temporary dropped 12 temporary files, .*B: they are made again/,
      );
      expect(await count(bams)).toBe(0);
      expect(await count([digestOf("cal"), digestOf("go\n")])).toBe(0);
      const merged = await readFile(join(out, "merged"), "utf8");

      await rm(out, { recursive: true });
      const second = await run({ out });
      expect(tally(second)).toBe("15 hits, 0 ran, 0 failed");
      expect(second.stderr).not.toMatch(/dropped|again/);
      expect(await readFile(join(out, "merged"), "utf8")).toBe(merged);

      // Another unit needs one file of the folder: it is split again, and nothing is aligned.
      const unit = await run({ unit: "signs" });
      expect(unit.code, unit.stderr).toBe(0);
      expect(tally(unit)).toBe("12 hits, 3 ran, 0 failed");
      expect(unit.stderr).toMatch(/measure: the bytes of 1 temporary input were dropped; it is/);
      expect(unit.stderr).toContain("dropped 2 temporary files");

      // Another note needs all: lists of files, a folder, and what those were made from.
      const note = await run({ note: "second", out });
      expect(note.code, note.stderr).toBe(0);
      expect(tally(note)).toBe("2 hits, 13 ran, 0 failed");
      expect(note.stderr).toMatch(/merge: the bytes of 6 temporary inputs were dropped; they are/);
      expect(note.stderr).toContain("dropped 12 temporary files");
      expect(await readFile(join(out, "merged"), "utf8")).toBe(merged.replace("first", "second"));
      expect(await count(bams)).toBe(0);
    },
    2 * LONG_MS,
  );

  test(
    "keeps them after a run that has failed, and says so where they cannot be dropped",
    async () => {
      const source = await readFile(join(runs.dir, "temporary.ts"), "utf8");
      const broken = source.replace("return { told: `", "throw new Error('no'); return { told: `");
      await writeFile(join(runs.dir, "temporary.ts"), broken);
      const failed = await run();
      expect(failed.code).toBe(1);
      expect(await count(bams)).toBe(5);
      await writeFile(join(runs.dir, "temporary.ts"), source);
      const moved = (from: string, to: string) =>
        runs.inLedger((db) =>
          sql`alter table ${sql.table(from)} rename to ${sql.table(to)}`.execute(db),
        );
      await moved("publication", "elsewhere");
      const ended = await run();
      expect(ended.code, ended.stderr).toBe(0);
      expect(ended.stderr).toMatch(
        /temporary files of temporary could not be dropped: .*publication/,
      );
      expect(await count(bams)).toBe(5);
      await moved("elsewhere", "publication");
      // As after a run that was killed before it came to it: the next one does it.
      const next = await run();
      expect(tally(next)).toBe("15 hits, 0 ran, 0 failed");
      expect(next.stderr).toContain("dropped 12 temporary files");
      expect(await count(bams)).toBe(0);
    },
    2 * LONG_MS,
  );

  test(
    "can be asked about without its bytes: by gc, du, provenance and export, and import takes what is there",
    async () => {
      const made = await run();
      expect(made.code, made.stderr).toBe(0);
      const out = join(runs.dir, "archive");
      const ask = (...words: string[]) => hdash(words, runs.env);
      const exported = await ask("export", "temporary.merged", out);
      expect(exported.code, exported.stderr).toBe(0);
      expect(exported.stdout).toMatch(
        /12 temporary files left out, whose bytes have gone, e\.g\. sha/,
      );
      const [pipeline, book] = [join(runs.dir, "temporary.ts"), join(runs.dir, "book.txt")];
      const given = [pipeline, "--book", book, "--lanes", "5"];
      expect((await ask("plan", ...given)).stdout).toContain("13 steps: 13 are hits");
      const planned = await ask("plan", ...given, "--unit", "signs");
      expect(planned.code, planned.stderr).toBe(0);
      // The measure, and the split that it needs a part of.
      expect(planned.stdout).toMatch(/13 steps: 2 would run, 11 are hits/);
      expect(planned.stdout).toMatch(
        /split .* its bytes were dropped: made again for measure signs/,
      );
      const all = await ask("plan", ...given, "--note", "second");
      expect(all.stdout).toMatch(/13 steps: 12 would run, 1 is a hit/);
      for (const words of [
        ["gc", "--dry-run"],
        ["du"],
        ["provenance", "temporary.merged"],
        ["why", "temporary.merged"],
      ]) {
        const asked = await ask(...words);
        expect(asked.code, asked.stderr).toBe(0);
      }
      const elsewhere = { HDASH_HOME: join(runs.dir, "elsewhere") };
      const imported = await hdash(["import", out], elsewhere);
      expect(imported.code, imported.stderr).toBe(0);
      const again = await hdash(["run", ...given], elsewhere);
      // Only what leads to the one result that was exported, and its name, came along: what else there is needs a part, and that is made again.
      expect(again.code, again.stderr).toBe(0);
      expect(tally(again)).toBe("13 hits, 2 ran, 0 failed");
    },
    2 * LONG_MS,
  );
});
