// The parts of a Slack message within Slack's limits, and how it reads on a terminal.

import { number } from "../format.ts";
import { clean, data, plain } from "./slackText.ts";

interface PlainText {
  readonly type: "plain_text";
  readonly text: string;
}

/** Verbatim keeps Slack from making links and mentions of what data contains. */
interface Markdown {
  readonly type: "mrkdwn";
  readonly text: string;
  readonly verbatim: true;
}

export type MessageBlock =
  | { readonly type: "header"; readonly text: PlainText }
  | { readonly type: "section"; readonly text: Markdown }
  | { readonly type: "context"; readonly elements: readonly Markdown[] };

/** A Slack message within Slack's limits: 50 blocks, 150 characters of header, 3000 of a section. */
export interface Message {
  /** One line, for notifications. */
  readonly text: string;
  readonly blocks: readonly MessageBlock[];
}

export const HEADER_CHARS = 150;
const SECTION_CHARS = 3000;
/** More lines than this are counted, not listed: nobody reads them in a chat. */
const LIST_LINES = 20;
/** Bounds of what data may bring, in characters as Slack counts them: together they stay below a section's. */
export const NAME_CHARS = 60;
export const REASON_CHARS = 400;
export const ERROR_CHARS = 1500;
export const HINT_CHARS = 800;
const URL_CHARS = 2000;

/** Writes a message for terminals and logs: the same words without Slack's marks. */
export function messageAsText({ blocks }: Message): string {
  return blocks
    .map((block) => {
      if (block.type === "header") return block.text.text;
      const texts = block.type === "section" ? [block.text] : block.elements;
      return texts.map(({ text }) => plain(text)).join("\n");
    })
    .join("\n");
}

/** Joins as many lines as a section holds and says how many are left; "" without lines. */
export function listText(heading: string, lines: readonly string[]): string {
  if (lines.length === 0) return "";
  let text = heading;
  for (const [index, line] of lines.entries()) {
    const rest = `\nand ${number(lines.length - index)} more`;
    const isLast = index === lines.length - 1;
    const room = SECTION_CHARS - text.length - 1 - (isLast ? 0 : rest.length);
    if (index >= LIST_LINES || line.length > room) return text + rest;
    text += `\n${line}`;
  }
  return text;
}

/** Writes a link to the pages; where they are no address on the web, only where they are, since Slack opens no files. */
export function linkText(url: string | null): string | null {
  if (url === null || url.length > URL_CHARS) return null;
  if (!/^https?:\/\//.test(url)) return `Site: ${data(url, URL_CHARS)}`;
  const safe = url.replace(/[<>|\s]/g, (char) => encodeURIComponent(char)).replaceAll("&", "&amp;");
  return `<${safe}|Open the pages>`;
}

/** Makes the header. If heading and label do not both fit, the heading is cut: the label tells which deployment speaks. */
export function header(label: string | null, heading: string): MessageBlock {
  const end = label === null || label === "" ? "" : ` [${clean(label, NAME_CHARS)}]`;
  const text = clean(heading, HEADER_CHARS - end.length) + end;
  return { type: "header", text: { type: "plain_text", text } };
}

export function section(text: string): MessageBlock {
  return { type: "section", text: markdown(text) };
}

export function markdown(text: string): Markdown {
  return { type: "mrkdwn", text, verbatim: true };
}
