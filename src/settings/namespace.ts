// Namespaces: deployments that live side by side in one account. Every name and place of one is made from its namespace, here.

import { digestOf } from "../digest.ts";
import { HdashError } from "../error.ts";
import { quoted } from "../format.ts";

/** The namespace that is production; nothing removes it. */
export const PRODUCTION = "main";
/** The namespace that deployments of the branch main get; no branch has it by its own name. */
export const STAGING = "staging";

/** What AWS allows in the tightest name that carries a namespace (a role's, 64 characters) leaves this many. */
const MOST_CHARACTERS = 24;
/** What tells two branches apart whose safe forms are alike. */
const HASH_CHARACTERS = 6;
/** Words with single hyphens between them: such a name can be a folder, a part of a stack's name and of a schema's. */
const NAMESPACE = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
/** What a namespace made with a hash ends with. */
const HASHED = new RegExp(`-[0-9a-f]{${HASH_CHARACTERS}}$`);

/** Where a deployment's things are. */
export interface NamespacePlaces {
  /** Folder of its site in the site bucket and of its files in the work bucket, with the final slash: "foo/" is no part of "foo-bar/". */
  readonly prefix: string;
  /** Folder of its artifacts in the work bucket, e.g. "foo/artifacts/". */
  readonly artifacts: string;
  /** Postgres schema, e.g. "hdash_foo_bar". */
  readonly schema: string;
  /** Put before the title of Slack messages; production needs none. */
  readonly label: string | null;
}

/**
 * Makes a namespace of a branch's name: a safe name stays as it is; any other (and a branch called "staging") is made safe and short,
 * with a hash of the whole name at its end, so that "feature/a", "feature-a" and "Feature-A" do not share their data. So is a name that
 * ends like one with a hash: a branch called as another's namespace gets one of its own.
 */
export function makeNamespace(branch: string): string {
  if (isNamespace(branch) && branch !== STAGING && !HASHED.test(branch)) return branch;
  const words = branch
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, MOST_CHARACTERS - HASH_CHARACTERS - 1)
    .replace(/-$/, "");
  return `${words === "" ? "branch" : words}-${digestOf(branch).slice(0, HASH_CHARACTERS)}`;
}

/** Returns `text` where it is a namespace. Throws usage, naming it and what a branch of that name would get. */
export function checkNamespace(text: string): string {
  if (isNamespace(text)) return text;
  throw new HdashError(
    "usage",
    `${quoted(text)} cannot be a namespace: small letters, digits and single hyphens, beginning with a letter, at most ${MOST_CHARACTERS}`,
    text.trim() === ""
      ? {}
      : { hint: `A branch of this name has the namespace ${makeNamespace(text)}.` },
  );
}

/** Says where the things of a namespace are. */
export function placesOf(namespace: string): NamespacePlaces {
  const name = checkNamespace(namespace);
  return {
    prefix: `${name}/`,
    artifacts: `${name}/artifacts/`,
    schema: `hdash_${name.replaceAll("-", "_")}`,
    label: name === PRODUCTION ? null : name,
  };
}

/**
 * Says where the large blobs of a ledger are in the work bucket, e.g. "foo/blobs/". A deployment that has no namespace has a folder whose
 * name cannot be one, by its schema: two of them that share a bucket and a schema would share their blobs.
 */
export function blobsPlace(namespace: string | null, schema: string): string {
  return namespace === null ? `_/${schema}/blobs/` : `${placesOf(namespace).prefix}blobs/`;
}

function isNamespace(text: string): boolean {
  return text.length <= MOST_CHARACTERS && NAMESPACE.test(text);
}
