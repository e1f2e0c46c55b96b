// .env.example names every variable with what it means; this is how its text is compared with what settings declare.

import type { Variable } from "../../src/settings/variables.ts";

/** The blocks of the file that describe a variable each; its first is about the file, and headings have blocks of their own. */
export function blocksIn(text: string): readonly string[] {
  return text
    .split("\n\n")
    .slice(1)
    .map((block) => block.trimEnd())
    .filter((block) => !block.startsWith("# ---"));
}

/** The blocks that there should be, in this order. */
export function blocksOf(variables: readonly Variable[]): readonly string[] {
  return variables.map(({ name, description, fallback, example }) => {
    const otherwise = fallback === "" ? "" : ` Default: ${fallback}.`;
    return `# ${description}.${otherwise}\n# ${name}=${example}`;
  });
}
