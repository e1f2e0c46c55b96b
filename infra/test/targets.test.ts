import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { makeNamespace } from "../../src/settings/namespace.ts";
import { emptyBuckets } from "../emptyBuckets.ts";
import { type Answer, make } from "./support/standIn.ts";

const OK = [{ to: "" }];
const ROOT = join(import.meta.dirname, "..", "..");

/** Lends an empty repository whose HEAD is a branch. */
async function inRepository(branch: string, use: (gitDir: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "hdash-branch-"));
  try {
    execFileSync("git", ["init", "--quiet", "--initial-branch", branch, folder]);
    await use(join(folder, ".git"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("make namespace", () => {
  test("refuses a stage that is none, whatever else is given", async () => {
    const { code, stderr } = await make("namespace", { NAMESPACE: "main", STAGE: "Prod" });
    expect(code).toBe(2);
    expect(stderr).toContain('namespace: STAGE is "Prod", but must be develop or prod\n');
  });

  test("prints a namespace that it is given, where it is one", async () => {
    expect(await make("namespace", { NAMESPACE: "foo-bar" })).toMatchObject({
      code: 0,
      stdout: "foo-bar\n",
    });
  });

  test("says what a name would be called that cannot be one", async () => {
    const { code, stderr } = await make("namespace", { NAMESPACE: "Feature/A" });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^namespace: "Feature\/A" cannot be a namespace: small letters, digits and single hyphens, beginning with a letter, at most 24\nA branch of this name has the namespace feature-a-[0-9a-f]{6}\.\n/,
    );
  });

  test.each([
    ["main", "develop", "staging\n"],
    ["main", "prod", "main\n"],
    ["fix-figures", "develop", "fix-figures\n"],
    ["staging", "develop", `${makeNamespace("staging")}\n`],
    ["feature/a", "develop", `${makeNamespace("feature/a")}\n`],
  ])("makes one of the branch %s in %s", async (branch, STAGE, expected) => {
    await inRepository(branch, async (GIT_DIR) => {
      expect(await make("namespace", { GIT_DIR, STAGE })).toMatchObject({
        code: 0,
        stdout: expected,
      });
    });
  });

  test("asks for one where the checkout is on no branch", async () => {
    await inRepository("main", async (GIT_DIR) => {
      // As a workflow's checkout of a tag leaves it.
      writeFileSync(join(GIT_DIR, "HEAD"), `${"0".repeat(40)}\n`);
      const { code, stderr } = await make("namespace", { GIT_DIR });
      expect(code).toBe(2);
      expect(stderr).toMatch(
        /^namespace: NAMESPACE is not set, and this checkout is on no branch\nSay which: NAMESPACE=foo\n/,
      );
    });
  });

  test("hands no variable to a shell", async () => {
    const { code, stderr } = await make("namespace", { NAMESPACE: "$(echo foo);`echo foo`'\"" });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^namespace: "\$\(echo foo\);`echo foo`'\\"" cannot be a namespace/);
  });
});

describe("make deploy", () => {
  test("deploys the namespace's stack and no other", async () => {
    const made = await make("deploy", { NAMESPACE: "foo", STAGE: "develop", TAG: "v1" }, OK);
    expect(made).toMatchObject({
      code: 0,
      stdout: "deploy: v1 → foo in develop\n",
      calls: [["deploy", "--exclusively", "hdash-develop-foo"]],
      targets: ["develop foo v1"],
    });
  });

  test("takes develop and the checkout's revision where nothing is said", async () => {
    const revision = execFileSync("git", ["rev-parse", "--short=12", "HEAD"], {
      cwd: ROOT,
      encoding: "utf8",
    }).trim();
    const { targets } = await make("deploy", { NAMESPACE: "foo" }, OK);
    expect(targets).toEqual([`develop foo ${revision}`]);
  });

  test.each([
    ["deploy", {}],
    ["diff", {}],
    ["task", { COMMAND: "hdash doctor" }],
  ])(
    "%s guesses no namespace where one was to be set, or nobody is there",
    async (target, more) => {
      await inRepository("foo", async (GIT_DIR) => {
        const given = { GIT_DIR, TAG: "v1", ...more };
        const empty = await make(target, { ...given, NAMESPACE: "" }, OK);
        expect(empty.stderr).toContain(`${target}: "" cannot be a namespace: `);
        for (const unattended of [{ CI: "true" }, { YES: "1" }]) {
          const made = await make(target, { ...given, ...unattended }, OK);
          expect(made.stderr).toMatch(
            `${target}: NAMESPACE is not set, and nobody is there to ask\nIn CI, and with YES=1, say which: NAMESPACE=foo\n`,
          );
          expect([empty.code, empty.calls, made.code, made.calls]).toEqual([2, [], 2, []]);
        }
      });
    },
  );

  test("asks nobody in CI", async () => {
    const { calls } = await make("deploy", { NAMESPACE: "foo", TAG: "v1", CI: "true" }, OK);
    expect(calls).toEqual([
      ["deploy", "--exclusively", "--require-approval", "never", "hdash-develop-foo"],
    ]);
  });

  test("deploys the stacks that were synthesised before, where they are named", async () => {
    const given = { NAMESPACE: "foo", TAG: "v1", CI: "true", CDK_APP: "infra/cdk.out" };
    const { calls } = await make("deploy", given, OK);
    expect(calls).toEqual([
      [
        ...["--app", "infra/cdk.out", "deploy", "--exclusively"],
        ...["--require-approval", "never", "hdash-develop-foo"],
      ],
    ]);
  });

  test.each([
    [{ STAGE: "production" }, `deploy: STAGE is "production", but must be develop or prod\n`],
    [{ TAG: "a b" }, `deploy: TAG is "a b", which cannot name an image: `],
    [{ NAMESPACE: "-" }, `deploy: "-" cannot be a namespace: `],
  ])("refuses %o and calls nobody", async (wrong, expected) => {
    const made = await make("deploy", { NAMESPACE: "foo", TAG: "v1", ...wrong }, OK);
    expect(made.stderr.slice(0, expected.length)).toBe(expected);
    expect([made.code, made.calls]).toEqual([2, []]);
  });

  test("fails where cdk fails, and where there is none", async () => {
    const failing = await make("deploy", { NAMESPACE: "foo", TAG: "v1" }, [{ to: "", code: 1 }]);
    expect(failing.code).toBe(2);
    const missing = await make("deploy", { NAMESPACE: "foo", TAG: "v1", CDK: "no-such-cdk" });
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain("deploy: no-such-cdk cannot be run: ");
  });
});

describe("make destroy", () => {
  test("removes the namespace's stack and no other; cdk asks, unless YES=1", async () => {
    const asked = await make("destroy", { NAMESPACE: "foo", TAG: "v1" }, OK);
    expect(asked.calls).toEqual([["destroy", "--exclusively", "hdash-develop-foo"]]);
    const sure = await make("destroy", { NAMESPACE: "foo", TAG: "v1", YES: "1" }, OK);
    expect(sure.calls).toEqual([["destroy", "--exclusively", "--force", "hdash-develop-foo"]]);
  });

  test.each([{}, { NAMESPACE: "" }])(
    "never guesses what is removed (%o)",
    async (variables: Readonly<Record<string, string>>) => {
      await inRepository("foo", async (GIT_DIR) => {
        const made = await make("destroy", { GIT_DIR, TAG: "v1", ...variables }, OK);
        expect(made.stderr).toMatch(
          /^destroy: (NAMESPACE is not set; what is removed is not guessed\nSay which|"" cannot be a namespace)/,
        );
        expect([made.code, made.calls]).toEqual([2, []]);
      });
    },
  );

  test.each(["develop", "prod"])("refuses main in %s", async (STAGE) => {
    const made = await make("destroy", { NAMESPACE: "main", STAGE, TAG: "v1", YES: "1" }, OK);
    expect(made.stderr).toMatch(/^destroy: main is production, which nothing removes\n/);
    expect([made.code, made.calls]).toEqual([2, []]);
  });
});

describe("the other targets", () => {
  test.each([
    ["diff", ["diff", "--exclusively", "hdash-prod-foo"]],
    ["diff_base", ["diff", "--exclusively", "hdash-prod"]],
    ["deploy_base", ["deploy", "--exclusively", "hdash-prod"]],
    ["synth", ["synth", "--quiet", "hdash-prod", "hdash-prod-foo"]],
  ])("%s calls cdk", async (target, call) => {
    const made = await make(target, { NAMESPACE: "foo", STAGE: "prod", TAG: "v1" }, OK);
    expect([made.code, made.calls]).toEqual([0, [call]]);
  });

  test("a wrong word is told", () => {
    const run = (): string =>
      execFileSync("node", ["infra/targets.ts", "launch"], {
        cwd: ROOT,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
    expect(run).toThrow(
      "launch: there are only namespace, synth, diff, deploy, destroy, diff_base, deploy_base, destroy_base, places, task",
    );
  });
});

describe("make destroy_base", () => {
  const OUTPUTS = { SiteBucket: "sites", WorkBucket: "work", Repository: "hdash-develop" };
  const stacks = (...names: readonly string[]): Answer => ({
    to: "cloudformation describe-stacks",
    json: { Stacks: names.map((StackName) => ({ StackName })) },
  });
  const base = (outputs: object): Answer => ({
    to: "cloudformation describe-stacks --stack-name hdash-develop",
    json: {
      Stacks: [
        {
          Outputs: Object.entries(outputs).map(([OutputKey, OutputValue]) => ({
            OutputKey,
            OutputValue: String(OutputValue),
          })),
        },
      ],
    },
  });
  const alone = stacks("hdash-develop", "hdash-prod-main", "CDKToolkit");
  const gone = { to: "destroy" };
  const version = (Key: string, VersionId: string): object => ({ Key, VersionId });
  const asked = (bucket: string): readonly string[] => [
    ...["s3api", "list-object-versions", "--bucket", bucket],
    ...["--max-keys", "100", "--no-paginate"],
  ];
  const removed = (bucket: string, ...Objects: readonly object[]): readonly string[] => [
    ...["s3api", "delete-objects", "--bucket", bucket],
    ...["--delete", JSON.stringify({ Objects, Quiet: true })],
  ];
  const list = (bucket: string, json: object): Answer => ({
    to: `s3api list-object-versions --bucket ${bucket}`,
    json,
  });

  test("empties both buckets, versions and marks of deletion too, before it removes the stack", async () => {
    const site = version("staging/index.html", "null");
    const file = { ...version("staging/artifacts/a", "v1"), Size: 1, IsLatest: false };
    const marker = version("staging/artifacts/a", "v2");
    const made = await make("destroy_base", { STAGE: "develop", YES: "1" }, [
      // The more exact answer first: it serves one call, the other the next.
      ...[base(OUTPUTS), alone, gone],
      list("sites", { Versions: [site], IsTruncated: true }),
      list("sites", { Versions: [site] }),
      list("sites", {}),
      list("work", { Versions: [file], DeleteMarkers: [marker] }),
      list("work", { RequestCharged: null }),
      { to: "s3api delete-objects" },
    ]);
    expect(made.calls).toEqual([
      ["cloudformation", "describe-stacks"],
      ["cloudformation", "describe-stacks", "--stack-name", "hdash-develop"],
      asked("sites"),
      removed("sites", site),
      asked("sites"),
      removed("sites", site),
      asked("sites"),
      asked("work"),
      removed("work", version("staging/artifacts/a", "v1"), marker),
      asked("work"),
      ["destroy", "--exclusively", "--force", "hdash-develop"],
    ]);
    expect([made.code, made.stdout]).toEqual([
      0,
      "destroy_base: sites: 2 files and old versions removed\ndestroy_base: work: 2 files and old versions removed\n",
    ]);
  });

  test("empties the buckets of private places, and last that of records, which hears of the others", async () => {
    const [record, raw] = [version("s3/site/2026-11-30", "null"), version("staging/a", "v1")];
    const made = await make("destroy_base", { YES: "1" }, [
      ...[base({ RecordBucket: "records", CohortRawBucket: "raw" }), alone, gone],
      ...[list("records", { Versions: [record] }), list("records", {})],
      ...[list("raw", { Versions: [raw] }), list("raw", {})],
      { to: "s3api delete-objects" },
    ]);
    expect(made.calls.slice(2, -1)).toEqual([
      ...[asked("raw"), removed("raw", raw), asked("raw")],
      ...[asked("records"), removed("records", record), asked("records")],
    ]);
    expect(made.calls.at(-1)?.[0]).toBe("destroy");
  });

  test("goes on where a bucket, or all of them, are gone", async () => {
    const error = "An error occurred (NoSuchBucket) when calling the ListObjectVersions operation";
    const missing = { to: "s3api list-object-versions", error };
    const half = [base({ WorkBucket: "work" }), alone, gone, missing];
    const made = await make("destroy_base", { YES: "1" }, half);
    expect([made.code, made.calls.at(-1)?.[0]]).toEqual([0, "destroy"]);
    const none = await make("destroy_base", { YES: "1" }, [base({}), alone, gone]);
    expect([none.code, none.calls.length]).toEqual([0, 3]);
  });

  test("removes no stack where a file could not be removed, or a bucket not be read", async () => {
    const denied = { Errors: [{ Key: "a", Code: "AccessDenied", Message: "Access Denied" }] };
    const failing = await make("destroy_base", { YES: "1" }, [
      ...[base(OUTPUTS), alone, gone, list("sites", { Versions: [version("a", "null")] })],
      { to: "s3api delete-objects", json: denied },
    ]);
    expect(failing.stderr).toContain("destroy_base: sites/a: Access Denied\n");
    const answer = { to: "s3api list-object-versions", error: "Unable to locate credentials" };
    const away = await make("destroy_base", { YES: "1" }, [base(OUTPUTS), alone, gone, answer]);
    expect(away.stderr).toContain("Unable to locate credentials");
    for (const { code, calls } of [failing, away]) {
      expect([code, calls.filter(([first]) => first === "destroy")]).toEqual([2, []]);
    }
  });

  test("wants to be told that it is meant, as it asks nobody", async () => {
    const made = await make("destroy_base", { STAGE: "develop" }, [base(OUTPUTS), alone, gone]);
    expect(made.stderr).toMatch(
      /^destroy_base: this removes develop's files, images and database for good\nSay that you mean it: make destroy_base STAGE=develop YES=1\n/,
    );
    expect([made.code, made.calls]).toEqual([2, [["cloudformation", "describe-stacks"]]]);
  });

  test("refuses while namespaces are left, and prod always", async () => {
    const used = stacks("hdash-develop", "hdash-develop-foo-bar", "hdash-develop-foo");
    const refused = await make("destroy_base", { STAGE: "develop", YES: "1" }, [used, gone]);
    expect(refused.stderr).toContain("destroy_base: develop still has foo, foo-bar\n");
    expect([refused.code, refused.calls.length]).toEqual([2, 1]);
    const prod = await make("destroy_base", { STAGE: "prod", YES: "1" }, OK);
    expect(prod.stderr).toMatch(
      /^destroy_base: prod holds production's data, which nothing removes\n/,
    );
    expect([prod.code, prod.calls]).toEqual([2, []]);
    const effects = { aws: () => Promise.resolve(null), say: () => undefined };
    await expect(emptyBuckets("prod", effects)).rejects.toThrow(
      "the buckets of prod are never emptied",
    );
  });
});

describe("cdk synth", () => {
  test("writes both templates, offline, by the real cdk", async () => {
    const made = await make("synth", {
      CDK: join(ROOT, "infra", "node_modules", ".bin", "cdk"),
      NAMESPACE: "staging",
      TAG: "abc1234",
    });
    expect(made).toMatchObject({
      code: 0,
      stdout:
        "infra/cdk.out/hdash-develop.template.json\ninfra/cdk.out/hdash-develop-staging.template.json\n",
    });
    const read = (file: string): unknown => JSON.parse(readFileSync(join(ROOT, file), "utf8"));
    expect(read("infra/cdk.out/hdash-develop-staging.template.json")).toEqual(
      read("infra/test/golden/develop.staging.json"),
    );
    expect(read("infra/cdk.out/hdash-develop.template.json")).toEqual(
      read("infra/test/golden/develop.base.json"),
    );
  });
});

describe("node infra/app.ts", () => {
  test("says what is wrong with its variables", () => {
    const run = (): string =>
      execFileSync("node", ["infra/app.ts"], {
        cwd: ROOT,
        env: { ...process.env, STAGE: "develop", NAMESPACE: "Foo", TAG: "v1" },
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
    expect(run).toThrow(/"Foo" cannot be a namespace/);
  });
});
