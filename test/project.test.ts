import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { JOBS } from "../src/jobList.ts";
import { variablesOf } from "../src/settings/config.ts";
import { blocksIn, blocksOf } from "./support/envExample.ts";
import { layerOf } from "./support/layers.ts";

const VARIABLES = variablesOf(JOBS);

const ROOT = join(import.meta.dirname, "..");
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");
const FILES: readonly string[] = execFileSync(
  "git",
  ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
  { cwd: ROOT, encoding: "utf8" },
)
  .split("\0")
  .filter((file) => file !== "" && statSync(join(ROOT, file), { throwIfNoEntry: false })?.isFile());

interface Package {
  readonly license: string;
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
}
const PACKAGE = JSON.parse(read("package.json")) as Package;
const LOCK = JSON.parse(read("package-lock.json")) as {
  readonly packages: Readonly<Record<string, { version: string; resolved?: string }>>;
};

/** The lines of a file that match, as "file:line: text". */
function grep(pattern: RegExp, files: readonly string[]): readonly string[] {
  return files.flatMap((file) =>
    read(file)
      .split("\n")
      .flatMap((line, at) => (pattern.test(line) ? [`${file}:${at + 1}: ${line.trim()}`] : [])),
  );
}

/** The rows of a section's table in a file, as cells; without head and rule. */
function tableOf(heading: string, file = "README.md"): readonly (readonly string[])[] {
  const section = read(file)
    .split(/^## /m)
    .find((text) => text.startsWith(`${heading}\n`));
  return (section ?? "")
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .slice(2)
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const codeIn = (text: string): readonly string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
const TARGETS = [...read("Makefile").matchAll(/^([a-z_0-9]+):/gm)].map(([, name = ""]) => name);

describe("the Node version", () => {
  const [, major = ""] = /^>=(\d+) <\d+$/.exec(PACKAGE.engines.node) ?? [];

  test("is written in package.json, and everything else agrees", () => {
    expect({
      engines: PACKAGE.engines.node,
      package: PACKAGE.dependencies["node"]?.match(/\d+/)?.[0],
      types: PACKAGE.dependencies["@types/node"]?.match(/\d+/)?.[0],
      lock: LOCK.packages["node_modules/node"]?.version.split(".")[0],
      image: /^ARG BASE=node:(\d+)-/m.exec(read("Dockerfile"))?.[1],
      here: process.versions.node.split(".")[0],
    }).toEqual({
      engines: `>=${major} <${Number(major) + 1}`,
      package: major,
      types: major,
      lock: major,
      image: major,
      here: major,
    });
  });

  test("is not repeated where it can be read", () => {
    const workflows = FILES.filter((file) => file.startsWith(".github/workflows/"));
    expect(grep(/node-version:/, workflows)).toEqual([]);
    expect(grep(/node-version-file: package\.json/, workflows)).not.toEqual([]);
    expect(grep(/node@\d|v?\d\d\.\d+\.\d+/, ["Makefile", ".ci/run"])).toEqual([]);
  });
});

describe("every tracked file", () => {
  const texts = FILES.filter((file) => !/\.(png|woff2?|ttf|h5|gz|zip)$/.test(file));

  test("names no package registry", () => {
    expect(grep(/registry\.npmjs|registry\.yarnpkg|artifactory|unpkg\.com\b/i, others())).toEqual(
      [],
    );
    expect(Object.values(LOCK.packages).filter(({ resolved }) => resolved !== undefined)).toEqual(
      [],
    );
  });

  test("names no folder of a machine that it was written on", () => {
    expect(grep(/(^|[\s"'`(=:])\/(work|root|Users|home\/[a-z])(\/|\b)/, others())).toEqual([]);
  });

  test("names only files of src that there are", () => {
    const told = texts.filter((file) => /\.(md|sh|ya?ml)$/.test(file) && file !== "CHANGELOG.md");
    const named = told.flatMap((file) =>
      [...read(file).matchAll(/\bsrc\/[\w./-]*\w\.ts\b/g)].map(([path]) => [file, path] as const),
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter(([, path]) => !FILES.includes(path))).toEqual([]);
  });

  test("has no conflict marks", () => {
    expect(grep(/^(<{7}|>{7}|\|{7})( |$)/, texts)).toEqual([]);
  });

  // This file has to spell out what it looks for.
  function others(): readonly string[] {
    return texts.filter((file) => file !== "test/project.test.ts");
  }
});

describe("LICENSE", () => {
  test("is MIT, as package.json says", () => {
    expect(PACKAGE.license).toBe("MIT");
    expect(read("LICENSE")).toMatch(/^MIT License\n\nCopyright \(c\) \d{4} hdash contributors\n/);
  });
});

describe("CHANGELOG.md", () => {
  test("starts with what is pending", () => {
    expect(/^## (.*)$/m.exec(read("CHANGELOG.md"))?.[1]).toBe("Pending");
  });
});

describe("the variables", () => {
  const TWELVE = [
    ...["SYNAPSE_USER", "SYNAPSE_PASSWORD"],
    ...["HDASH_DB_HOST", "HDASH_DB_USER", "HDASH_DB_PASSWORD", "HDASH_DB_NAME"],
    ...["S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY", "S3_ENDPOINT_URL", "S3_BUCKET_NAME"],
    ...["S3_WEB_SITE_URL", "SLACK_WEBHOOK_URL"],
  ];

  test("include the twelve that a deployment sets, and the README sets just these", () => {
    expect(TWELVE.filter((name) => !VARIABLES.some((one) => one.name === name))).toEqual([]);
    const [, block = ""] = /```dotenv\n([^]*?)```/.exec(read("README.md")) ?? [];
    expect([...block.matchAll(/^([A-Z0-9_]+)=/gm)].map(([, name]) => name)).toEqual(TWELVE);
  });

  test("are those of .env.example, with what they mean", () => {
    expect(blocksIn(read(".env.example"))).toEqual(blocksOf(VARIABLES));
  });

  test("are those of docs/configuration.md, a table for each group, with what they mean", () => {
    const file = "docs/configuration.md";
    const groups = [...new Set(VARIABLES.map(({ group }) => group))];
    expect([...read(file).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)).toEqual(groups);
    const tables = groups.map((group) => tableOf(group, file));
    expect(tables).toEqual(
      groups.map((group) =>
        VARIABLES.filter((one) => one.group === group).map(({ name, description, fallback }) => [
          `\`${name}\``,
          description.replaceAll("|", "\\|"),
          fallback,
        ]),
      ),
    );
  });

  test("that the README names are among them", () => {
    const named = tableOf("Variables").flatMap(([, cell = ""]) => codeIn(cell));
    const names = named.filter((word) => /^[A-Z0-9]+_[A-Z0-9_]+$/.test(word));
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => !VARIABLES.some((one) => one.name === name))).toEqual([]);
  });
});

describe("README.md", () => {
  const lines = read("README.md").trimEnd().split("\n");

  test("has fewer than 150 lines", () => {
    expect(lines.length).toBeLessThan(150);
  });

  test("lists in its layout table what is at the top, every room of src and every job", () => {
    const listed = tableOf("Layout").flatMap(([first = ""]) => codeIn(first));
    const tops = new Set(FILES.map((file) => file.split("/")[0] ?? ""));
    const rooms = new Set(
      FILES.flatMap((file) => /^src\/(jobs\/)?[^/.]+(?=\/)/.exec(file)?.[0] ?? []),
    );
    const places = listed.filter((place) => !/^src\/.*\.ts$/.test(place));
    expect([...places].sort()).toEqual([...tops, ...rooms].sort());
    const files = listed.filter((place) => /^src\/.*\.ts$/.test(place));
    expect(files.filter((file) => !FILES.includes(file))).toEqual([]);
  });

  test("says in its layout table which layer each place is in", () => {
    const said = tableOf("Layout").flatMap(([first = "", layer = ""]) =>
      codeIn(first)
        .filter((place) => place.startsWith("src/"))
        .map((place) => [place, layer]),
    );
    expect(said.length).toBeGreaterThan(15);
    expect(said).toEqual(said.map(([place = ""]) => [place, String(layerOf(place))]));
  });

  test("names only make targets that there are", () => {
    const named = [...read("README.md").matchAll(/`make ([a-z_0-9]+)/g)].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !TARGETS.includes(name ?? ""))).toEqual([]);
  });

  test("links only to files that there are", () => {
    const links = [...read("README.md").matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(
      ([, path]) => path ?? "",
    );
    expect(links.filter((path) => !FILES.includes(path))).toEqual([]);
  });
});

describe("Makefile", () => {
  test("has every target that is promised, each with a line of help", () => {
    const promised = [
      ...["setup", "demo", "test", "check", "format", "lint", "types", "bench", "bless"],
      ...["build_amd64", "docker_push", "run"],
    ];
    expect(promised.filter((name) => !TARGETS.includes(name))).toEqual([]);
    const help = execFileSync("make", ["--no-print-directory", "help"], {
      cwd: ROOT,
      encoding: "utf8",
    });
    const helped = [...help.matchAll(/^ {2}make (\S+) +\S/gm)].map(([, name]) => name);
    expect(helped).toEqual(TARGETS);
  });

  test("pushes an image only where it is told to, and says how to log in again", () => {
    const push = (...args: readonly string[]): string => {
      try {
        return execFileSync(
          "make",
          ["--no-print-directory", "docker_push", "DOCKER=false", ...args],
          {
            cwd: ROOT,
            encoding: "utf8",
            stdio: ["ignore", "pipe", "pipe"],
          },
        );
      } catch (error) {
        return (error as { stderr: string }).stderr;
      }
    };
    expect(push()).toContain("docker_push: say where to: make docker_push REGISTRY=");
    expect(push("REGISTRY=registry.example.org")).toContain("  false login registry.example.org\n");
    const ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    expect(push(`REGISTRY=${ecr}`, "TAG=v1")).toContain(
      `  aws ecr get-login-password --region eu-west-1 | false login --username AWS --password-stdin ${ecr}\n`,
    );
  });
});

describe(".ci/run", () => {
  test("can be run, and runs make test", () => {
    expect(statSync(join(ROOT, ".ci/run")).mode & 0o111).toBe(0o111);
    expect(read(".ci/run").trimEnd().split("\n").at(-1)).toBe("exec make test </dev/null");
    expect(grep(/^\s+- run: \.ci\/run$/, [".github/workflows/test.yml"])).toHaveLength(1);
  });
});

describe("Dockerfile", () => {
  test("runs as nobody in particular and lets SIGTERM reach Node", () => {
    const [, runtime = ""] = read("Dockerfile").split(/^FROM \$\{BASE\}$/m);
    expect(runtime.match(/^(USER|STOPSIGNAL|ENTRYPOINT|CMD) .*$/gm)).toEqual([
      "USER 10001:10001",
      "STOPSIGNAL SIGTERM",
      'ENTRYPOINT ["hdash"]',
      "CMD []",
    ]);
  });

  test("copies only what .dockerignore lets through", () => {
    const allowed = [...read(".dockerignore").matchAll(/^!(.+)$/gm)].map(([, path]) => path);
    const copied = [...read("Dockerfile").matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
      ([, paths = ""]) => paths.split(" "),
    );
    expect([...new Set(copied)].sort()).toEqual([...allowed].sort());
    expect(
      copied.filter((path) => !FILES.some((file) => file === path || file.startsWith(`${path}/`))),
    ).toEqual([]);
  });
});
