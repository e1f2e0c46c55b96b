// `node .ci/licences.ts`: writes docs/licences.md from the lockfiles; --check says what differs, or what licence nobody has allowed, and ends with 1.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const ROOT = join(import.meta.dirname, "..");
const PAGE = "docs/licences.md";

/** Licences under which hdash may use a package, by their SPDX ids. Adding one is a decision, and belongs in a commit of its own. */
const ALLOWED: readonly string[] = [
  ...[
    "0BSD",
    "Apache-2.0",
    "BlueOak-1.0.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
  ],
  ...[
    "MIT-0",
    "OFL-1.1",
    "PostgreSQL",
    "Python-2.0",
    "Unlicense",
    "Zlib",
    "CC-BY-4.0",
    "CC-BY-3.0",
    "MPL-2.0",
  ],
  // Of libvips, which sharp loads as a library of its own: it is neither changed nor linked into hdash.
  "LGPL-3.0-or-later",
];

/** Packages whose licence has no SPDX id, and what it says. */
const READ_BY_US: Readonly<Record<string, string>> = {
  h5wasm: "NIST's public notice, and HDF5's, which is as BSD-3-Clause",
};

interface Package {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** Runs in production, and is in the image. */
  readonly isRun: boolean;
}

interface LockEntry {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly link?: boolean;
}

/** Reads the packages of a lockfile; throws where it is none. */
function readLock(path: string, isRun: boolean): readonly Package[] {
  const lock = JSON.parse(readFileSync(join(ROOT, path), "utf8")) as {
    readonly packages?: Readonly<Record<string, LockEntry>>;
  };
  return Object.entries(lock.packages ?? {}).flatMap(([place, entry]) => {
    const at = place.lastIndexOf("node_modules/");
    if (at < 0 || entry.link === true || entry.version === undefined) return [];
    const name = place.slice(at + "node_modules/".length);
    const licence = READ_BY_US[name] ?? entry.license ?? "none said";
    const isDev = entry.dev === true || entry.devOptional === true;
    return [{ name, version: entry.version, licence, isRun: isRun && !isDev }];
  });
}

/** Tells whether an SPDX expression can be met by what is allowed: one of several joined by OR, all of those joined by AND. */
function isAllowed(licence: string): boolean {
  const bare = licence.replace(/[()]/g, "");
  return bare
    .split(/\s+OR\s+/)
    .some((one) => one.split(/\s+AND\s+/).every((part) => ALLOWED.includes(part.trim())));
}

function uniqueOf(packages: readonly Package[]): readonly Package[] {
  const byId = new Map<string, Package>();
  for (const one of packages) {
    const id = `${one.name}@${one.version}`;
    const known = byId.get(id);
    byId.set(id, known === undefined ? one : { ...one, isRun: known.isRun || one.isRun });
  }
  return [...byId.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function tableOf(packages: readonly Package[]): string {
  const byLicence = Map.groupBy(packages, ({ licence }) => licence);
  return [...byLicence]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([licence, those]) => {
      const names = [...new Set(those.map(({ name }) => `\`${name}\``))];
      return `- **${licence}** (${names.length}): ${names.join(", ")}`;
    })
    .join("\n");
}

function makePage(packages: readonly Package[]): string {
  const run = packages.filter(({ isRun }) => isRun);
  const others = packages.filter(({ isRun }) => !isRun);
  return `# Licences of what hdash is built of

Made by \`make licences\` from the lockfiles; a test holds it against them, and fails at a licence that \`.ci/licences.ts\` does not allow.
hdash itself is under the [MIT licence](../LICENSE). Each package's own text is in the image, beside it.

## What runs

${tableOf(run)}

## What builds, tests and deploys

${tableOf(others)}
`;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
  const packages = uniqueOf([
    ...readLock("package-lock.json", true),
    ...readLock("infra/package-lock.json", false),
  ]);
  const page = makePage(packages);
  const refused = packages.filter(
    ({ name, licence }) => READ_BY_US[name] === undefined && !isAllowed(licence),
  );
  for (const { name, version, licence } of refused) {
    console.error(`licences: ${name} ${version} is under ${licence}, which is not allowed`);
  }
  if (values.check) {
    const isCurrent = readFileSync(join(ROOT, PAGE), "utf8") === page;
    if (!isCurrent) console.error(`licences: ${PAGE} is not of these lockfiles; run make licences`);
    if (refused.length > 0 || !isCurrent) process.exitCode = 1;
  } else {
    writeFileSync(join(ROOT, PAGE), page);
    console.log(`${packages.length} packages → ${PAGE}`);
    if (refused.length > 0) process.exitCode = 1;
  }
}
