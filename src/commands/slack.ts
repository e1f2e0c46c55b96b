// hdash-util slack: a test message, and what Slack says to it.

import type { Command } from "commander";

import { HdashError, messageOf } from "../error.ts";
import { EXIT, type Shell } from "../shell.ts";

/** Adds the command to hdash-util. */
export function addSlack(program: Command, shell: Shell): void {
  program
    .command("slack")
    .description("send a message that is marked as a test, and print Slack's answer")
    .action(async () => shell.exit(await slack(shell)));
}

async function slack(shell: Shell): Promise<number> {
  const config = shell.config(["slack"]);
  const { webhookUrl, label } = config.slack;
  if (webhookUrl === null) throw new HdashError("config", "SLACK_WEBHOOK_URL is not set");
  const { makeTestMessage } = await import("../publish/message.ts");
  const { postMessage } = await import("../publish/slack.ts");
  const message = makeTestMessage({ label, siteUrl: config.siteUrl });
  const log = shell.log(config);
  try {
    const sent = await postMessage({ webhookUrl, message, log, signal: shell.signal });
    shell.print(
      sent.ok ? `Slack answered: ${sent.answer}` : `Slack did not take the message: ${sent.reason}`,
    );
    return sent.ok ? EXIT.ok : EXIT.failed;
  } catch (error) {
    throw new HdashError("permanent", `the test message could not be sent: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
