// What is said about a run on Slack: facts in, Block Kit out. Pure; the first line is what a coordinator needs to know.

import type { FindingDelta, Severity } from "../finding.ts";
import { count, date, duration, instant, listFew, number } from "../format.ts";
import type { RunNews } from "../run.ts";
import { calledOf, isMadeName, type NamedScope } from "../scopeName.ts";
import {
  ERROR_CHARS,
  header,
  HEADER_CHARS,
  HINT_CHARS,
  linkText,
  listText,
  markdown,
  type Message,
  NAME_CHARS,
  REASON_CHARS,
  section,
} from "./slackBlocks.ts";
import { clean, data, escape } from "./slackText.ts";

/** One scope of a run. */
export interface ScopeFacts extends NamedScope {
  readonly ok: boolean;
  /** Why it failed; null where it did not. */
  readonly error: string | null;
  /** When it was last updated, as an ISO instant; null: never. */
  readonly lastGoodAt: string | null;
  /** Null where there is no run before to compare with. */
  readonly delta: FindingDelta | null;
  readonly errors: number;
  readonly warnings: number;
}

/** What a run of a user's pipeline has to tell; counts are calls of its own steps. */
export interface PipelineFacts {
  readonly ran: number;
  readonly reused: number;
  /** How long it took to make what was reused. */
  readonly savedMs: number;
  readonly failed: readonly {
    /** "mean elm". */
    readonly name: string;
    /** How its last attempt ended, "failed · exit"; "" where none was begun. */
    readonly end: string;
    /** How many attempts there were. */
    readonly attempts: number;
    /** Why, in a line. */
    readonly says: string;
    /** What to type to see more; null where there is no more. */
    readonly look: string | null;
  }[];
  readonly notRun: readonly { readonly call: string; readonly why: string }[];
  readonly moreNotRun: number;
  /** Names of what it gave, each with its size. */
  readonly results: readonly { readonly name: string; readonly size: string }[];
}

/** What a message tells of a run. */
export interface RunFacts {
  readonly pipeline: string;
  readonly status: "succeeded" | "degraded" | "failed";
  readonly build: string;
  /** ISO instant. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly hits: number;
  readonly ran: number;
  readonly failedSteps: number;
  readonly scopes: readonly ScopeFacts[];
  /** False where every step of every scope was known already: only what carries the build time was written. */
  readonly isMoved: boolean;
  /** Numbers of files; null where nothing was published. */
  readonly published: {
    readonly put: number;
    readonly deleted: number;
    readonly unchanged: number;
  } | null;
  /** What the pipeline says itself; missing or null: nothing. */
  readonly news?: RunNews | null;
  /** Scopes that the run took off the site; missing: none. */
  readonly gone?: readonly NamedScope[];
  readonly siteUrl: string | null;
  /** False where nothing that the pipeline makes is on a site; missing: true. */
  readonly hasSite?: boolean;
  /** Tells deployments apart, e.g. "staging". */
  readonly label: string | null;
  /** Why the run failed; null where it did not. */
  readonly error: string | null;
  /** What to do about it, where the error knows. */
  readonly hint?: string | null;
  /** What the job calls a scope. */
  readonly scopeNoun: readonly [one: string, many: string];
  /** What its steps did, where the pipeline is a user's; missing for a job of hdash. */
  readonly calls?: PipelineFacts;
}

/** In characters as Slack counts them: what data may bring of a title. */
const TITLE_CHARS = 120;

const TONES = { good: "✅", warning: "⚠️", error: "❌" } as const;
const MARK = { succeeded: "✅", degraded: "⚠️", failed: "❌" } as const;

/** Makes the message about a finished run. */
export function makeMessage(facts: RunFacts): Message {
  const { status, siteUrl, hasSite = true } = facts;
  const left = hasSite ? "Not updated; their pages are as they were" : "Not done";
  const heading = `${markOf(facts)} ${clean(facts.pipeline, NAME_CHARS)}: ${clean(headlineOf(facts), HEADER_CHARS)}`;
  const sections = [
    status === "failed" ? failureText(facts) : null,
    listText(`*${left}*`, failedLines(facts.scopes)),
    newsText(facts),
    listText("*New and fixed findings*", changeLines(facts.scopes)),
    goneText(facts),
    // A pipeline that tells of all of its data does so better than the scopes of this run.
    status === "failed" || (facts.news ?? null) !== null ? null : totalsText(facts),
    linkText(siteUrl),
  ];
  return {
    text: escape(summaryOf(facts)),
    blocks: [
      header(facts.label, heading),
      ...sections.filter((text) => text !== null && text !== "").map((text) => section(text ?? "")),
      { type: "context", elements: [markdown(workText(facts))] },
    ],
  };
}

/** Makes the message of `hdash-util slack`, marked as a test. */
export function makeTestMessage(options: {
  readonly label: string | null;
  readonly siteUrl: string | null;
}): Message {
  const said = "This is a test of hdash's webhook. Nothing ran, and nothing was published.";
  const link = linkText(options.siteUrl);
  return {
    text: `hdash: test message. ${said}`,
    blocks: [
      header(options.label, "🔧 hdash: test message"),
      section(said),
      ...(link === null ? [] : [section(link)]),
    ],
  };
}

/** What the pipeline says counts as long as the run did not fail: that it worked says less than what it found. */
function markOf({ status, news = null }: RunFacts): string {
  return status === "succeeded" && news !== null ? TONES[news.tone] : MARK[status];
}

function headlineOf(facts: RunFacts): string {
  const { status, news = null } = facts;
  if (news === null || status === "failed") return newsOf(facts);
  return status === "degraded" ? `${newsOf(facts)}; ${news.headline}` : news.headline;
}

function newsText({ status, news = null }: RunFacts): string {
  if (news === null || status === "failed") return "";
  const lines = news.lines.map((line) => `• ${data(line, REASON_CHARS)}`);
  return listText("*In short*", lines);
}

/** The news in a few words: what a coordinator has to know before anything else. */
function newsOf(facts: RunFacts): string {
  const { gone = [] } = facts;
  const news = runNews(facts);
  if (gone.length === 0) return news;
  const taken = `${scopeCount(facts, gone.length)} taken off the site`;
  return news === NO_NEWS ? taken : `${news}; ${taken}`;
}

const NO_NEWS = "updated, no new or fixed findings";

function runNews(facts: RunFacts): string {
  const failed = facts.scopes.filter((scope) => !scope.ok);
  const { added, removed } = totalDelta(facts.scopes);
  const findings =
    added.error + removed.error > 0
      ? changeText("error", added.error, removed.error)
      : changeText("warning", added.warning, removed.warning);
  if (facts.status === "failed") {
    return facts.hasSite === false
      ? "failed, what was there before stays"
      : "failed, the site was not updated";
  }
  if (facts.status === "degraded") {
    const news =
      failed.length === 0
        ? `${count(facts.failedSteps, "step")} failed`
        : `${number(failed.length)} of ${scopeCount(facts, facts.scopes.length)} could not be updated`;
    return findings === "" ? news : `${news}; ${findings}`;
  }
  if (findings !== "") return findings;
  if (!facts.isMoved) return "nothing changed";
  const isFirst = facts.scopes.length > 0 && facts.scopes.every(({ delta }) => delta === null);
  return isFirst ? `first update, ${stateText(totalState(facts.scopes))}` : NO_NEWS;
}

/** E.g. "3 new errors, 1 fixed"; "" for no change. */
function changeText(noun: string, added: number, removed: number): string {
  if (added === 0 && removed === 0) return "";
  if (added === 0) return `${count(removed, noun)} fixed, none new`;
  const fixed = removed === 0 ? "" : `, ${number(removed)} fixed`;
  return `${count(added, `new ${noun}`)}${fixed}`;
}

/** The whole run in one line, e.g. "htan succeeded · 112 hits, 6 ran · +1 error (HTA3) · 41 s". */
function summaryOf(facts: RunFacts): string {
  const { pipeline, status, hits, ran, durationMs, scopes, gone = [] } = facts;
  const failed = scopes.filter((scope) => !scope.ok);
  const changed = scopes.filter(({ delta }) => delta !== null && deltaText(delta) !== "");
  const parts = [
    `${clean(pipeline, NAME_CHARS)} ${status}`,
    facts.error === null ? "" : clean(facts.error, REASON_CHARS),
    `${count(hits, "hit")}, ${number(ran)} ran`,
    failed.length === 0 ? "" : `not updated: ${namesOf(failed)}`,
    changed.length === 0 ? "" : `${deltaText(totalDelta(scopes))} (${namesOf(changed)})`,
    gone.length === 0 ? "" : `taken off the site: ${namesOf(gone)}`,
    duration(durationMs),
  ];
  return parts.filter((part) => part !== "").join(" · ");
}

function namesOf(scopes: readonly NamedScope[]): string {
  return listFew(scopes.map((scope) => clean(calledOf(scope), NAME_CHARS)));
}

/** Names what readers no longer find: nothing else tells them that a page was taken away on purpose. */
function goneText({ gone = [] }: RunFacts): string | null {
  if (gone.length === 0) return null;
  return `*Taken off the site:* ${listFew(gone.map((scope) => data(calledOf(scope), NAME_CHARS)))}`;
}

function failureText({ error, hint, hasSite = true }: RunFacts): string {
  const reason = data(error ?? "no reason was given", ERROR_CHARS);
  const advice =
    hint === undefined || hint === null
      ? "The next scheduled run tries again. `hdash doctor` checks each service and says what to mend."
      : data(hint, HINT_CHARS);
  const kept = hasSite ? "published" : "there";
  return `*Why:* ${reason}\n*What to do:* ${advice}\nReaders still see what was ${kept} before.`;
}

function failedLines(scopes: readonly ScopeFacts[]): readonly string[] {
  return scopes
    .filter((scope) => !scope.ok)
    .map((scope) => {
      const reason = data(scope.error ?? "no reason was given", REASON_CHARS);
      const since =
        scope.lastGoodAt === null
          ? "never updated before"
          : `last updated ${date(scope.lastGoodAt)}`;
      return `• ${nameOf(scope)}: ${reason} (${since})`;
    });
}

/** Lines about scopes whose findings changed, those with new errors first. */
function changeLines(scopes: readonly ScopeFacts[]): readonly string[] {
  return scopes
    .flatMap((scope) => (scope.delta === null ? [] : [{ scope, delta: scope.delta }]))
    .filter(({ delta }) => deltaText(delta) !== "")
    .sort(
      (a, b) =>
        b.delta.added.error - a.delta.added.error ||
        b.delta.added.warning - a.delta.added.warning ||
        b.delta.removed.error - a.delta.removed.error ||
        b.delta.removed.warning - a.delta.removed.warning ||
        (a.scope.name < b.scope.name ? -1 : 1),
    )
    .map(({ scope, delta }) => `• ${nameOf(scope)}: ${deltaText(delta)} (now ${stateText(scope)})`);
}

/** E.g. "+2 errors, +1 warning, 3 errors fixed"; "" for no change. */
function deltaText(delta: FindingDelta): string {
  const parts = [
    delta.added.error === 0 ? "" : `+${count(delta.added.error, "error")}`,
    delta.added.warning === 0 ? "" : `+${count(delta.added.warning, "warning")}`,
    delta.removed.error === 0 ? "" : `${count(delta.removed.error, "error")} fixed`,
    delta.removed.warning === 0 ? "" : `${count(delta.removed.warning, "warning")} fixed`,
  ];
  return parts.filter((part) => part !== "").join(", ");
}

function totalDelta(scopes: readonly ScopeFacts[]): FindingDelta {
  const sum = (part: keyof FindingDelta, severity: Severity): number =>
    scopes.reduce((total, { delta }) => total + (delta?.[part][severity] ?? 0), 0);
  const sums = (part: keyof FindingDelta) => ({
    error: sum(part, "error"),
    warning: sum(part, "warning"),
    info: sum(part, "info"),
  });
  return { added: sums("added"), removed: sums("removed") };
}

function totalsText(facts: RunFacts): string {
  const { scopes } = facts;
  if (scopes.length === 0) return "";
  return `*In all:* ${stateText(totalState(scopes))} in ${scopeCount(facts, scopes.length)}`;
}

function totalState(scopes: readonly ScopeFacts[]): Pick<ScopeFacts, "errors" | "warnings"> {
  return {
    errors: scopes.reduce((total, scope) => total + scope.errors, 0),
    warnings: scopes.reduce((total, scope) => total + scope.warnings, 0),
  };
}

function stateText({ errors, warnings }: Pick<ScopeFacts, "errors" | "warnings">): string {
  return `${count(errors, "error")}, ${count(warnings, "warning")}`;
}

/** What the machine did, in small print. */
function workText({ hits, ran, failedSteps, durationMs, ...facts }: RunFacts): string {
  const { published, hasSite = true } = facts;
  const put =
    published === null
      ? "nothing published"
      : `${count(published.put, "file")} put, ${number(published.deleted)} deleted, ${number(published.unchanged)} unchanged`;
  const parts = [
    `${count(hits, "hit")}, ${number(ran)} ran, ${number(failedSteps)} failed`,
    ...(hasSite ? [put] : []),
    duration(durationMs),
    `started ${instant(facts.startedAt)}`,
    `hdash ${data(facts.build, NAME_CHARS)}`,
  ];
  return parts.join(" · ");
}

function scopeCount({ scopeNoun }: RunFacts, value: number): string {
  const [one, many] = scopeNoun;
  return count(value, one, many);
}

function nameOf(scope: NamedScope): string {
  const { name, title } = scope;
  if (isMadeName(scope)) return `*${data(title, TITLE_CHARS)}* (${data(name, NAME_CHARS)})`;
  const bold = `*${data(name, NAME_CHARS)}*`;
  return title === "" || title === name ? bold : `${bold} ${data(title, TITLE_CHARS)}`;
}
