// What is said on Slack about a run of a user's pipeline: what failed and where there is more, what ran, what was known, what it gave. Pure.

import { count, duration, instant, listFew, number } from "../format.ts";
import type { PipelineFacts, RunFacts } from "./message.ts";
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

/** What there is to tell of a run that nothing is known of. */
export const NO_CALLS: PipelineFacts = {
  ...{ ran: 0, reused: 0, savedMs: 0, failed: [], notRun: [], moreNotRun: 0, results: [] },
};

const MARK = { succeeded: "✅", degraded: "⚠️", failed: "❌" } as const;

/** Makes the message about a finished run of a user's pipeline. */
export function makePipelineMessage(facts: RunFacts, own: PipelineFacts): Message {
  const name = clean(facts.pipeline, NAME_CHARS);
  const heading = `${MARK[facts.status]} ${name}: ${clean(headlineOf(facts, own), HEADER_CHARS)}`;
  const sections = [
    listText("*Failed*", own.failed.map(failedLine)),
    listText("*Did not run*", notRunLines(own)),
    reasonText(facts, own),
    listText("*Results*", own.results.map(resultLine)),
    linkText(facts.siteUrl),
  ].filter((text) => text !== null && text !== "");
  return {
    text: escape(summaryOf(facts, own)),
    blocks: [
      header(facts.label, heading),
      ...sections.map((text) => section(text ?? "")),
      { type: "context", elements: [markdown(workText(facts, own))] },
    ],
  };
}

function headlineOf({ status }: RunFacts, { ran, reused, failed, ...own }: PipelineFacts): string {
  const notRun = own.notRun.length + own.moreNotRun;
  const lost = notRun === 0 ? "" : `, ${number(notRun)} did not run`;
  const [first] = failed;
  if (status === "succeeded") {
    if (ran === 0) return reused === 0 ? "done" : `nothing new, ${count(reused, "step")} reused`;
    return `${count(ran, "step")} ran${reused === 0 ? "" : `, ${number(reused)} reused`}`;
  }
  if (first === undefined) return status === "failed" ? "failed" : `a part failed${lost}`;
  const who = failed.length === 1 ? clean(first.name, NAME_CHARS) : count(failed.length, "step");
  return `${who} failed${lost}`;
}

function failedLine({ name, end, attempts, says, look }: PipelineFacts["failed"][number]): string {
  const often = attempts > 1 ? `, after ${count(attempts, "attempt")}` : "";
  const how = end === "" ? "" : ` (${data(end, NAME_CHARS)}${often})`;
  const more = look === null ? "" : `\n\`${data(look, NAME_CHARS)}\``;
  return `• *${data(name, NAME_CHARS)}*${how}: ${data(says, REASON_CHARS)}${more}`;
}

function notRunLines({ notRun, moreNotRun }: PipelineFacts): readonly string[] {
  // What to type stands with what failed.
  const lines = notRun.map(
    ({ call, why }) =>
      `• *${data(call, NAME_CHARS)}*: ${data(why.replace(/ \(hdash logs [^)]*\)$/, ""), REASON_CHARS)}`,
  );
  return moreNotRun === 0 ? lines : [...lines, `• ${number(moreNotRun)} more`];
}

/** Why the run failed, where that is none of its calls' doing, and what to do about it. */
function reasonText({ status, error, hint }: RunFacts, { failed }: PipelineFacts): string {
  const [first] = (error ?? "").split("\n");
  const why =
    status === "failed" && failed.length === 0
      ? `*Why:* ${data(first || "no reason was given", ERROR_CHARS)}`
      : "";
  const advice = (hint ?? null) === null ? "" : `*What to do:* ${data(hint ?? "", HINT_CHARS)}`;
  return [why, advice].filter((text) => text !== "").join("\n");
}

function resultLine({ name, size }: PipelineFacts["results"][number]): string {
  return `• *${data(name, NAME_CHARS)}*: ${data(size, NAME_CHARS)}`;
}

/** The whole run in one line, e.g. "means failed · mean elm · 4 ran, 2 reused · 41 s". */
function summaryOf({ pipeline, status, error, durationMs }: RunFacts, own: PipelineFacts): string {
  const { failed } = own;
  const [first] = (error ?? "").split("\n");
  const parts = [
    `${clean(pipeline, NAME_CHARS)} ${status}`,
    failed.length === 0
      ? clean(first ?? "", REASON_CHARS)
      : listFew(failed.map(({ name }) => clean(name, NAME_CHARS))),
    `${number(own.ran)} ran, ${number(own.reused)} reused`,
    duration(durationMs),
  ];
  return parts.filter((part) => part !== "").join(" · ");
}

/** What the machine did, in small print. */
function workText({ durationMs, startedAt, build }: RunFacts, own: PipelineFacts): string {
  const saved = own.reused === 0 ? "" : ` (${duration(own.savedMs)} of work saved)`;
  return [
    `${number(own.ran)} ran, ${number(own.reused)} reused${saved}, ${number(own.failed.length)} failed`,
    duration(durationMs),
    `started ${instant(startedAt)}`,
    `hdash ${data(build, NAME_CHARS)}`,
  ].join(" · ");
}
