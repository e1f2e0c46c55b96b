// What artifacts a namespace is said to have: as they compare with this checkout, and as a run would judge them.

import { describe, expect, test } from "vitest";

import { readArtifactSet } from "../../src/artifacts/artifactSet.ts";
import { inspectArtifacts } from "../../src/artifacts/inspect.ts";
import { BUILD, LISTS, ROOT, uploadTo, useWorkBucket } from "./rig.ts";

const MANIFEST = "foo/artifacts/artifacts.json";
const INDEX = "foo/artifacts/views/htan/index.hbs";

const own = await readArtifactSet(ROOT, null, LISTS);
const { s3, bucket, folder, inspect, download } = await useWorkBucket(own);

describe("inspectArtifacts(bucket, own)", () => {
  const states = async (): Promise<Readonly<Record<string, string>>> => {
    const { files } = await inspect();
    const odd = files.filter(({ state }) => state !== "same");
    return Object.fromEntries(odd.map(({ path, state }) => [path, state]));
  };

  test("finds nothing where there is nothing", async () => {
    expect(await inspect()).toEqual({
      ...{ manifest: null, files: [], verdict: { kind: "none" }, isEqual: false },
    });
  });

  test("tells what differs from this checkout", async () => {
    await uploadTo(s3, "foo", { from: folder });
    expect(await states()).toEqual({
      "config/htan_projects.csv": "differs",
      "views/assets/größe + 1%2F2.css": "only there",
    });
    expect(await inspect()).toMatchObject({ verdict: { kind: "usable" }, isEqual: false });
  });

  test("tells what is damaged, and what nobody listed", async () => {
    await uploadTo(s3, "foo");
    s3.setObject("work", INDEX, "changed");
    s3.removeObject("work", "foo/artifacts/views/htan/atlas.hbs");
    s3.setObject("work", "foo/artifacts/views/stray.hbs", "stray");
    expect(await states()).toEqual({
      "views/htan/index.hbs": "damaged",
      "views/htan/atlas.hbs": "damaged",
      "views/stray.hbs": "unlisted",
    });
    expect(await inspect()).toMatchObject({
      verdict: { kind: "broken", why: "views/htan/atlas.hbs is missing" },
    });
    s3.removeObject("work", MANIFEST);
    expect(await inspect()).toMatchObject({
      verdict: {
        ...{ kind: "broken" },
        why: "artifacts.json is missing beside config/cohort/1.json",
      },
    });
  });

  test("judges as a run does: one of another build that is damaged is not used, not broken", async () => {
    await uploadTo(s3, "foo");
    s3.setObject("work", INDEX, "changed");
    const other = { ...BUILD, version: "1.1.0" };
    const { verdict } = await inspectArtifacts(bucket, own.files, other);
    expect([verdict.kind, (await download(other)).kind]).toEqual(["otherBuild", "otherBuild"]);
    await expect(download()).rejects.toMatchObject({
      message: expect.stringContaining(
        "views/htan/index.hbs is not what artifacts.json says",
      ) as string,
    });
    expect((await inspect()).verdict).toEqual({
      ...{ kind: "broken", why: "views/htan/index.hbs is not what artifacts.json says" },
    });
  });

  test("tells what only this checkout has", async () => {
    const files = new Map([...own.files].filter(([path]) => path !== "views/htan/index.hbs"));
    await uploadTo(s3, "foo", { set: { files, leftOut: [] } });
    expect(await states()).toEqual({ "views/htan/index.hbs": "only here" });
  });
});
