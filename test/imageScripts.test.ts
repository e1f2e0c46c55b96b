import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { beforeEach, describe, expect, test } from "vitest";

import { type Ended, useScripts } from "./support/scripts.ts";

const ROOT = join(import.meta.dirname, "..");
const { dir, run, standIn, git } = useScripts();

describe(".github/image.sh", () => {
  const image = "registry.example.org/hdash:v1";
  const push = (): Ended =>
    run("image.sh", { REGISTRY: "registry.example.org", REPOSITORY: "hdash", TAG: "v1" }, dir);
  let commit = "";
  beforeEach(() => {
    git("init", "--quiet");
    git("commit", "--quiet", "--allow-empty", "--message", "first");
    commit = git("rev-parse", "HEAD").trim();
  });
  /** An image that is in the registry, with this as the revision in its labels. */
  const have = (revision: string): void => {
    standIn("aws", `echo "$@" > "${dir}/asked"`);
    standIn(
      "docker",
      `case "$*" in
  "pull --quiet ${image}") touch "${dir}/pulled" ;;
  'image inspect --format {{index .Config.Labels "org.opencontainers.image.revision"}} ${image}') [ -f "${dir}/pulled" ] && echo "${revision}" ;;
  *) exit 9 ;;
esac`,
    );
  };

  /** An image that is not in the registry, but was handed over, with this as the revision in its labels. */
  const receive = (revision: string): void => {
    standIn("aws", `echo "An error occurred (ImageNotFoundException)" >&2; exit 254`);
    standIn(
      "docker",
      `echo "$*" >> "${dir}/done"
case "$*" in
  "load --quiet --input handover/image.tar" | "tag hdash:v1 ${image}" | "push --quiet ${image}") ;;
  'image inspect --format {{index .Config.Labels "org.opencontainers.image.revision"}} hdash:v1') echo "${revision}" ;;
  *) exit 9 ;;
esac`,
    );
  };
  const doneBy = (): readonly string[] =>
    readFileSync(join(dir, "done"), "utf8")
      .split("\n")
      .map((line) => line.split(" ")[0] ?? "");

  test("pushes the one that was handed over where there is none", () => {
    receive(commit);
    expect(push()).toEqual({ code: 0, out: "", err: "" });
    expect(doneBy()).toEqual(["load", "image", "tag", "push", ""]);
  });

  test("pushes none that was handed over and built from another commit", () => {
    const other = "0".repeat(40);
    receive(other);
    expect(push()).toEqual({
      code: 1,
      out: "",
      err: `image.sh: hdash:v1 was handed over, but of the commit ${other} and not of ${commit}\n`,
    });
    expect(doneBy()).toEqual(["load", "image", ""]);
  });

  test("takes one of the same commit as it is", () => {
    have(commit);
    expect(push()).toEqual({ code: 0, out: `image.sh: ${image} is there\n`, err: "" });
    expect(readFileSync(join(dir, "asked"), "utf8")).toBe(
      "ecr describe-images --repository-name hdash --image-ids imageTag=v1\n",
    );
  });

  test("refuses one of another commit, and one that does not say", () => {
    const other = "0".repeat(40);
    have(other);
    expect(push()).toEqual({
      code: 1,
      out: "",
      err: `image.sh: ${image} is there, but of the commit ${other} and not of ${commit}\n`,
    });
    have("");
    expect(push().err).toContain("of the commit unknown and not of");
  });

  test("pushes nothing where the registry does not answer", () => {
    standIn("aws", `echo "An error occurred (AccessDeniedException)" >&2; exit 254`);
    expect(push()).toEqual({
      code: 1,
      out: "",
      err: "An error occurred (AccessDeniedException)\n",
    });
  });
});

describe("make build_amd64", () => {
  test("wants no attestations, with which the registry would not scan the image", () => {
    standIn("docker", `echo "BUILDX_NO_DEFAULT_ATTESTATIONS=$BUILDX_NO_DEFAULT_ATTESTATIONS"`);
    const made = execFileSync("make", ["-s", "-C", ROOT, "build_amd64", `DOCKER=${dir}/docker`], {
      encoding: "utf8",
    });
    expect(made).toBe("BUILDX_NO_DEFAULT_ATTESTATIONS=1\n");
  });
});

describe(".github/scan.sh", () => {
  const MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
  const HINT =
    "scan.sh: see them with: aws ecr describe-image-scan-findings --repository-name hdash --image-id imageTag=v1\n";
  /** An aws that answers as the documentation of the service says; each look at the status takes the next of `statuses`. */
  const answer = (
    statuses: readonly string[],
    counts: Readonly<Record<string, number>>,
    {
      names = [],
      severity = "CRITICAL",
      media = MANIFEST,
    }: { names?: readonly string[]; severity?: string; media?: string } = {},
  ): void => {
    writeFileSync(join(dir, "statuses"), statuses.join("\n"));
    const cases = Object.entries(counts).map(
      ([name, count]) => `*Counts.${name}*) echo ${count} ;;`,
    );
    standIn(
      "aws",
      `echo "$@" >> "${dir}/asked"
case "$*" in
  *describe-images*imageManifestMediaType*) echo "${media}" ;;
  *start-image-scan*) [ ! -f "${dir}/refusal" ] || { cat "${dir}/refusal" >&2; exit 254; } ;;
  *"findings[?severity=='CRITICAL' || severity=='HIGH'].[name, severity] --output json"*) echo '${JSON.stringify(names.map((name) => [name, severity]))}' ;;
  # As text, a query is answered for each page.
  *"--output text --no-paginate"*) ;;
  *) echo "None"; echo "None" ;;
esac
case "$*" in
  *imageScanStatus.description*) echo "UnsupportedImageError: no packages" ;;
  *imageScanStatus.status*)
    status=$(head -n 1 "${dir}/statuses"); sed -i 1d "${dir}/statuses"
    case "$status" in *Exception*) echo "An error occurred ($status)" >&2; exit 254 ;; esac
    echo "$status" ;;
  ${cases.join("\n  ")}
  *Counts*) echo None ;;
esac`,
    );
  };
  const scan = (...args: readonly string[]): Ended =>
    run(
      "scan.sh",
      {
        ...{ REPOSITORY: "hdash", TAG: "v1", SCAN_PAUSE_SECONDS: "0", SCAN_LOOKS: "3" },
        SCAN_ACCEPTED: join(dir, "accepted.json"),
      },
      ...args,
    );
  const accept = (...entries: readonly object[]): void => {
    writeFileSync(join(dir, "accepted.json"), JSON.stringify(entries));
  };
  beforeEach(() => {
    accept();
    standIn("date", "echo 2026-11-21");
  });

  test("waits until the scan is known and done, and says what it found", () => {
    answer(["ScanNotFoundException", "IN_PROGRESS", "COMPLETE"], { MEDIUM: 2 });
    expect(scan()).toEqual({
      code: 0,
      out: "scan.sh: hdash:v1 has 0 critical and 0 high findings\n",
      err: "",
    });
    expect(readFileSync(join(dir, "asked"), "utf8").split("\n").slice(0, 2)).toEqual([
      "ecr describe-images --repository-name hdash --image-ids imageTag=v1 --query imageDetails[0].imageManifestMediaType --output text --no-paginate",
      "ecr describe-image-scan-findings --query imageScanStatus.status --output text --no-paginate --repository-name hdash --image-id imageTag=v1",
    ]);
  });

  test.for([
    ["CRITICAL", "1 critical and 0 high"],
    ["HIGH", "0 critical and 1 high"],
  ] as const)("fails where something is %s, and says how to see it", ([severity, counted]) => {
    answer(["COMPLETE"], { [severity]: 1 }, { names: ["CVE-2026-1"], severity });
    expect(scan()).toEqual({
      code: 1,
      out: `scan.sh: hdash:v1 has ${counted} findings\nscan.sh: CVE-2026-1 is ${severity.toLowerCase()}\n`,
      err: HINT,
    });
  });

  test("lets pass what is accepted, to its last day, with the reason", () => {
    accept({ name: "CVE-2026-1", reason: "Debian will not mend it", until: "2026-11-21" });
    answer(["COMPLETE"], { CRITICAL: 2 }, { names: ["CVE-2026-1", "CVE-2026-1"] });
    expect(scan()).toEqual({
      code: 0,
      out: `scan.sh: hdash:v1 has 2 critical and 0 high findings
scan.sh: CVE-2026-1 is accepted until 2026-11-21: Debian will not mend it
`,
      err: "",
    });
  });

  test.for<readonly [string, number, readonly object[], readonly string[]]>([
    [
      "another finding than the accepted one",
      2,
      [{ name: "CVE-2026-1", reason: "unused", until: "2027-01-01" }],
      ["CVE-2026-1 is accepted until 2027-01-01: unused", "CVE-2026-2 is critical"],
    ],
    [
      "a finding that was accepted until yesterday",
      1,
      [{ name: "CVE-2026-1", reason: "unused", until: "2026-11-20" }],
      ["CVE-2026-1 is critical; it was accepted until 2026-11-20"],
    ],
    [
      "a finding that is accepted for no reason",
      1,
      [{ name: "CVE-2026-1", reason: "", until: "2027-01-01" }],
      ["CVE-2026-1 is critical; what accepts it lacks a reason or a date"],
    ],
    [
      "a finding that is accepted for ever",
      1,
      [{ name: "CVE-2026-1", reason: "unused", until: "never" }],
      ["CVE-2026-1 is critical; what accepts it lacks a reason or a date"],
    ],
    [
      "a finding that is accepted without a date",
      1,
      [{ name: "CVE-2026-1", reason: "unused" }],
      ["CVE-2026-1 is critical"],
    ],
  ])("counts %s", ([, critical, entries, lines]) => {
    accept(...entries);
    const names = ["CVE-2026-1", "CVE-2026-2"].slice(0, critical);
    answer(["COMPLETE"], { CRITICAL: critical }, { names });
    const heading = `scan.sh: hdash:v1 has ${critical} critical and 0 high findings`;
    expect(scan()).toEqual({
      code: 1,
      out: [heading, ...lines.map((line) => `scan.sh: ${line}`), ""].join("\n"),
      err: HINT,
    });
  });

  test("counts a finding that the registry counts and does not list", () => {
    accept({ name: "CVE-2026-1", reason: "unused", until: "2027-01-01" });
    answer(["COMPLETE"], { CRITICAL: 2 }, { names: ["CVE-2026-1"] });
    expect(scan()).toMatchObject({ code: 1, err: HINT });
  });

  test("reads a list of which each entry has a name, a reason and a day", () => {
    const text = readFileSync(join(ROOT, ".github/acceptedFindings.json"), "utf8");
    const entries = JSON.parse(text) as readonly Readonly<Record<string, string>>[];
    const broken = entries.filter(
      ({ name = "", reason = "", until = "" }) =>
        !/^CVE-\d+-\d+$/.test(name) || reason === "" || Number.isNaN(Date.parse(until)),
    );
    expect(broken).toEqual([]);
    expect(new Set(entries.map(({ name }) => name)).size).toBe(entries.length);
  });

  test.for([
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
  ])("refuses %s at once", (media) => {
    answer(["ScanNotFoundException"], {}, { media });
    expect(scan()).toEqual({
      code: 1,
      out: "",
      err: `scan.sh: hdash:v1 is an index of images (${media}), which the registry does not scan: remove it there and push what make build_amd64 builds\n`,
    });
    expect(readFileSync(join(dir, "asked"), "utf8").trimEnd().split("\n")).toHaveLength(1);
  });

  test("fails where the scan does not end, or cannot be made", () => {
    answer(["PENDING", "IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS"], {});
    expect(scan().err).toBe("scan.sh: the scan of hdash:v1 did not end; it is: IN_PROGRESS\n");
    for (const status of ["FAILED", "UNSUPPORTED_IMAGE"]) {
      answer([status], {});
      expect(scan()).toEqual({
        code: 1,
        out: "",
        err: `scan.sh: hdash:v1 was not scanned: ${status} (UnsupportedImageError: no packages)\n`,
      });
    }
    answer(["AccessDeniedException"], {});
    expect(scan()).toEqual({
      code: 1,
      out: "",
      err: "An error occurred (AccessDeniedException)\n",
    });
  });

  test("scans again, and takes the last scan where another is too soon", () => {
    answer(["COMPLETE"], {});
    expect(scan("--again").code).toBe(0);
    expect(readFileSync(join(dir, "asked"), "utf8").split("\n")[1]).toBe(
      "ecr start-image-scan --repository-name hdash --image-id imageTag=v1",
    );
    answer(["COMPLETE"], {});
    writeFileSync(join(dir, "refusal"), "An error occurred (LimitExceededException)\n");
    expect(scan("--again").code).toBe(0);
    writeFileSync(join(dir, "refusal"), "An error occurred (ImageNotFoundException)\n");
    expect(scan("--again")).toEqual({
      code: 1,
      out: "",
      err: "An error occurred (ImageNotFoundException)\n",
    });
  });
});
