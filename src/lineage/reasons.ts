// Why a call is not what it was: its document beside that of the same call before, each difference in a sentence.

import { canonicalJson, type Digest } from "../digest.ts";
import { bytes as bytesText, count, listFew, number, oneLine } from "../format.ts";
import type { CodeListing } from "../store/codeListings.ts";
import type { KnownContent } from "../store/lineage.ts";
import { callName } from "./callName.ts";
import type { Change, Difference, Leaf } from "./difference.ts";
import { bringsIn } from "./givenSteps.ts";

/** What is known of contents and of code, to tell of them. */
export interface Knowledge {
  readonly contents: ReadonlyMap<Digest, KnownContent>;
  /** The same as the run before had it; missing: as now. */
  readonly contentsBefore?: ReadonlyMap<Digest, KnownContent>;
  readonly listings: ReadonlyMap<Digest, CodeListing>;
  /** Where a given file was named, e.g. "B_2.fa in row 4 of s.csv"; missing where nobody knows. */
  readonly places?: ReadonlyMap<Digest, string>;
}

/** A difference, for people and for programs. */
export interface Reason {
  /** The place, as the step's author names it. */
  readonly field: string;
  readonly kind: Change["kind"];
  readonly before: string | null;
  readonly after: string | null;
  readonly says: string;
  /** The result that gave what is there now, where that is content that a step has made. */
  readonly from: KnownContent | null;
}

/** A value of more characters is cut: what it was is in the ledger. */
const LONGEST_VALUE = 60;
const SHORT = 4;

/** Lists the digests of which reasons tell. */
export function digestsIn({ changes }: Difference): readonly Digest[] {
  return changes.flatMap(({ before, after }) =>
    [before, after].flatMap((leaf) => (leaf?.kind === "content" ? [leaf.digest] : [])),
  );
}

/** Lists the digests of code that changed. */
export function codeIn({ changes }: Difference): readonly Digest[] {
  return changes.flatMap(({ at, isGiven, before, after }) =>
    isGiven || !["code", "uses"].includes(at)
      ? []
      : [before, after].flatMap((leaf) =>
          leaf?.kind === "value" && typeof leaf.value === "string" ? [leaf.value as Digest] : [],
        ),
  );
}

/** Says each difference in a sentence, what the author of a pipeline knows best first. */
export function reasonsOf({ changes }: Difference, known: Knowledge): readonly Reason[] {
  return changes.map((change) => ({
    field: change.at,
    kind: change.kind,
    before: leafText(change.before),
    after: leafText(change.after),
    says: change.isGiven ? givenSays(change, known) : identitySays(change, known),
    from: fromOf(change.after, known),
  }));
}

function fromOf(leaf: Leaf | null, { contents }: Knowledge): KnownContent | null {
  return leaf?.kind === "content" ? (contents.get(leaf.digest) ?? null) : null;
}

function leafText(leaf: Leaf | null): string | null {
  if (leaf === null) return null;
  return leaf.kind === "content" ? `sha256:${leaf.digest}` : canonicalJson(leaf.value);
}

/** A leaf in a sentence. */
function brief(leaf: Leaf): string {
  if (leaf.kind === "content") return `sha256 ${leaf.digest.slice(0, SHORT)}…`;
  const text = canonicalJson(leaf.value);
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}…`;
}

function givenSays({ at, kind, before, after }: Change, known: Knowledge): string {
  if (kind === "added" && after !== null)
    return `${at} is new: ${brief(after)}${whereText(after, known)}`;
  if (kind === "removed" && before !== null) {
    return `${at} is gone: ${brief(before)}${whereText(before, asBefore(known))}`;
  }
  if (before === null || after === null) return `${at} changed`;
  const isContent = before.kind === "content" && after.kind === "content";
  const what = isContent ? `its input ${at}` : at;
  return `${what} changed: ${brief(before)} → ${isContent ? after.digest.slice(0, SHORT) + "…" : brief(after)}${bothText(before, after, known)}`;
}

/** What is known, for what stood there before: places are those of now. */
function asBefore({ contents, contentsBefore = contents, listings }: Knowledge): Knowledge {
  return { contents: contentsBefore, listings };
}

/** Where content is from and how big it is, in brackets; nothing where that is not known. */
function whereText(leaf: Leaf, known: Knowledge): string {
  if (leaf.kind !== "content") return "";
  const content = known.contents.get(leaf.digest);
  const name = nameText(leaf.digest, known);
  if (content === undefined) return name === null ? "" : ` (${name})`;
  return ` (${[name, bytesText(content.bytes)].filter((one) => one !== null).join(", ")})`;
}

function bothText(before: Leaf, after: Leaf, known: Knowledge): string {
  if (before.kind !== "content" || after.kind !== "content") return "";
  const then = asBefore(known);
  const [was, is] = [then.contents.get(before.digest), known.contents.get(after.digest)];
  const [old, now] = [nameText(before.digest, then), nameText(after.digest, known)];
  // A place says more of the same name.
  const isSame = now === null || old === null || now === old || now.startsWith(`${old} `);
  const name = isSame ? (now ?? old) : `${old} → ${now}`;
  const size =
    was === undefined || is === undefined
      ? null
      : was.bytes === is.bytes
        ? `${number(is.bytes)} bytes both`
        : `${number(was.bytes)} → ${number(is.bytes)} bytes`;
  const said = [name, size].filter((one) => one !== null);
  return said.length === 0 ? "" : ` (${said.join(", ")})`;
}

/** What people call some content: a file that they gave, or what a step has made. */
function nameText(digest: Digest, { contents, places }: Knowledge): string | null {
  const place = places?.get(digest);
  if (place !== undefined) return place;
  const content = contents.get(digest);
  if (content === undefined) return null;
  const { step, label, port } = content;
  if (bringsIn(step) !== null) return label === null ? null : oneLine(label);
  return `${port} of ${callName({ step, label })}`;
}

function identitySays({ at, kind, before, after }: Change, known: Knowledge): string {
  const [was, is] = [before === null ? "–" : brief(before), after === null ? "–" : brief(after)];
  if (at === "code") return codeSays("its code changed", before, after, known);
  if (at === "uses") return codeSays("what it uses changed", before, after, known);
  if (at === "run") return 'it is done in every run (cache: "run")';
  if (at === "pin") return `the world that it reads has changed: ${was} → ${is}`;
  if (at === "stub") return kind === "added" ? "it is a stub now" : "it was a stub before";
  if (at.startsWith("env.")) return `variable ${at.slice(4)} changed: ${was} → ${is}`;
  return `${at} changed: ${was} → ${is}`;
}

function codeSays(
  words: string,
  before: Leaf | null,
  after: Leaf | null,
  { listings }: Knowledge,
): string {
  const listing = (leaf: Leaf | null): CodeListing | null =>
    leaf?.kind === "value" ? (listings.get(leaf.value as Digest) ?? null) : null;
  const [was, is] = [listing(before), listing(after)];
  if (was === null || is === null) return words;
  const found = [...filesChanged(was, is), ...packagesChanged(was, is)];
  // Only how modules hang together can have changed then.
  return found.length === 0
    ? `${words}: which module imports which`
    : `${words}: ${listFew(found)}`;
}

function filesChanged(was: CodeListing, is: CodeListing): readonly string[] {
  const old = new Map(was.modules.map(({ path, digest }) => [path, digest]));
  const now = new Map(is.modules.map(({ path, digest }) => [path, digest]));
  return [...new Set([...now.keys(), ...old.keys()])].sort().flatMap((path) => {
    if (!old.has(path)) return [`${path} (new)`];
    if (!now.has(path)) return [`${path} (gone)`];
    return old.get(path) === now.get(path) ? [] : [path];
  });
}

function packagesChanged(was: CodeListing, is: CodeListing): readonly string[] {
  const texts = ({ packages }: CodeListing): ReadonlyMap<string, string> => {
    const all = Map.groupBy(packages, ({ name }) => name);
    return new Map(
      [...all].map(([name, some]) => [
        name,
        some
          .map(({ version }) => version)
          .sort()
          .join(" and "),
      ]),
    );
  };
  const [old, now] = [texts(was), texts(is)];
  return [...new Set([...now.keys(), ...old.keys()])].sort().flatMap((name) => {
    const [before, after] = [old.get(name), now.get(name)];
    if (before === after) return [];
    return [`package ${name} ${before ?? "–"} → ${after ?? "–"}`];
  });
}

/** The first reasons in one line, and how many more there are. */
export function reasonText(reasons: readonly Reason[], most = 2): string {
  const said = reasons.slice(0, most).map(({ says }) => says);
  const more = reasons.length - said.length;
  return [...said, ...(more > 0 ? [`and ${count(more, "other difference")}`] : [])].join("; ");
}
