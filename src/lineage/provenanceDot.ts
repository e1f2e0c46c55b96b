// A provenance as a graph for Graphviz: calls and contents where they are few, else steps by name.

import { number } from "../format.ts";
import { callName, groupSteps } from "./grouping.ts";
import type { Provenance } from "./provenance.ts";

/** More steps than this are drawn by name: nobody reads more boxes, and dot would take minutes. */
const MOST_STEPS = 150;

/** Writes a provenance in the language of dot. */
export function provenanceDot(provenance: Provenance): string {
  const body = provenance.steps.length > MOST_STEPS ? groups(provenance) : calls(provenance);
  return [
    "digraph provenance {",
    `  label=${quote(provenance.asked)};`,
    "  rankdir=LR;",
    '  node [fontname="sans-serif"];',
    ...body.map((line) => `  ${line}`),
    "}",
    "",
  ].join("\n");
}

/** A text as dot takes it. */
function quote(text: string): string {
  return `"${text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll(/[\r\n]+/g, " ")}"`;
}

function calls({ steps, given, results }: Provenance): readonly string[] {
  const isGiven = new Map(given.map((one) => [one.digest, one]));
  const lines = steps.map((step) => `s${step.result} [shape=box, label=${quote(callName(step))}];`);
  for (const { digest, names } of given) {
    const label = names.length === 0 ? `sha256:${digest.slice(0, 12)}` : names.join(", ");
    lines.push(`g${digest.slice(0, 16)} [shape=note, label=${quote(label)}];`);
  }
  for (const [at, one] of results.entries()) {
    lines.push(`r${at} [shape=note, style=bold, label=${quote(one.name)}];`);
    if (!("value" in one) && one.from !== null) lines.push(`s${one.from.result} -> r${at};`);
  }
  const known = new Set(steps.map(({ result }) => result));
  for (const step of steps) {
    for (const { name, digest, from } of step.inputs) {
      const source =
        from !== null && known.has(from.result)
          ? `s${from.result}`
          : isGiven.has(digest)
            ? `g${digest.slice(0, 16)}`
            : null;
      if (source === null) {
        lines.push(
          `u${digest.slice(0, 16)} [shape=note, style=dashed, label=${quote(`sha256:${digest.slice(0, 12)}`)}];`,
        );
      }
      lines.push(
        `${source ?? `u${digest.slice(0, 16)}`} -> s${step.result} [label=${quote(name)}];`,
      );
    }
  }
  return [...new Set(lines)];
}

function groups(provenance: Provenance): readonly string[] {
  const all = groupSteps(provenance);
  const lines = all.map(
    ({ name, calls: own }, at) =>
      `s${at} [shape=box, label=${quote(own.length === 1 ? name : `${name} × ${number(own.length)}`)}];`,
  );
  if (provenance.given.length > 0) {
    lines.push(`given [shape=note, label=${quote(`given × ${number(provenance.given.length)}`)}];`);
  }
  for (const [at, { reads, readsGiven }] of all.entries()) {
    if (readsGiven > 0) lines.push(`given -> s${at} [label=${quote(number(readsGiven))}];`);
    for (const [from, times] of reads)
      lines.push(`s${from} -> s${at} [label=${quote(number(times))}];`);
  }
  return lines;
}
