// What the dashboard's pages share beside their frame (src/render/page.ts): trends, counts by severity and links to Synapse.

/** Draws a small trend line as SVG markup; `label` names the number in its text alternative, `format` writes its values there. */
export type DrawSparkline = (
  points: readonly { readonly at: string; readonly value: number }[],
  label: string,
  options?: { readonly format?: (value: number) => string },
) => string;

/** A finding's count on either side of a change. */
export interface SeverityCounts {
  readonly error: number;
  readonly warning: number;
  readonly info: number;
}

/** What a Synapse id is appended to, to make the address of its page. */
export const SYNAPSE_LINK = "https://www.synapse.org/Synapse:";

/** Makes the address of a Synapse entity's page; "" for what is no Synapse id. */
export function synapsePage(id: string): string {
  return /^syn\d+$/.test(id) ? SYNAPSE_LINK + id : "";
}
