// Addresses to which credentials are sent, or which are secrets themselves: to another machine they go encrypted.

import { isThisMachine } from "../address.ts";
import type { JobSettings } from "./jobSettings.ts";

const SHARED = ["S3_ENDPOINT_URL", "SLACK_WEBHOOK_URL"] as const;

/** What is wrong with one that is not. */
export const IN_CLEAR =
  "begins with http://, so that credentials would go to another machine in clear: use https://, or set HDASH_ALLOW_HTTP=1";

/** Names the variables, of the shared ones and of those of jobs, whose address is not encrypted. */
export function addressesInClear(
  jobs: readonly { readonly settings: Pick<JobSettings, "confidential"> }[],
  text: (name: string) => string | null,
): readonly string[] {
  const ofJobs = jobs.flatMap(({ settings }) => settings.confidential ?? []);
  return [...new Set([...SHARED, ...ofJobs])].filter((name) => isInClear(text(name)));
}

/** Tells whether what is sent to an address can be read on its way; within this machine nobody does. */
function isInClear(address: string | null): boolean {
  return (
    address !== null &&
    /^http:/i.test(address) &&
    URL.canParse(address) &&
    !isThisMachine(new URL(address).hostname)
  );
}
