// Files that are known by their digest, in a pipeline: fetched once, found without the network afterwards.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { expect, test } from "vitest";

import { digestOf } from "../../../src/digest.ts";
import { LONG_MS, openPipelineRuns, tally } from "./support/pipelineRuns.ts";

test(
  "data() is a value of a plan and a default, fetched once, wherever it lies then",
  async () => {
    const asked: string[] = [];
    const server = createServer((request, to) => {
      asked.push(request.url ?? "");
      to.end("from the web\n");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const runs = await openPipelineRuns();
    try {
      const source = (url: string, name = "refs"): string => `
import { data, file, integer, list, pipeline, step, text } from "hdash";
export const join = step({
  name: "join", takes: { parts: list(file()) }, gives: { joined: text() },
  run: async ({ parts }) => ({ joined: (await Promise.all(parts.map((one) => one.text()))).join("") }),
});
const web = data("${url}", { sha256: "${digestOf("from the web\n").toUpperCase()}" });
export default pipeline({
  name: "${name}", gives: { joined: text(), web: file() },
  takes: { own: file("a file of one's own", { default: data("own/a.txt", { sha256: "${digestOf("own\n")}" }) }) },
  plan: async ({ own }, { run, read }) => {
    const first = (await read(web)).bytes === 13 ? [web] : [];
    return { joined: run(join, { parts: [own, ...first] }).joined, web };
  },
});
`;
      await runs.put("own/a.txt", "own\n");
      await runs.put("refs.ts", source(`http://127.0.0.1:${port}/ref.txt?signature=xyzzy`));
      const first = await runs.run("refs.ts", runs.out);
      expect(first.code, first.stderr).toBe(0);
      expect(await runs.given("web.txt")).toBe("from the web\n");
      expect(JSON.parse(await runs.given("results.json"))).toEqual({
        joined: "own\nfrom the web\n",
      });
      expect(tally(first)).toBe("0 hits, 4 ran, 0 failed");
      expect(first.stderr).not.toContain("xyzzy");
      expect(asked).toEqual(["/ref.txt?signature=xyzzy"]);
      server.closeAllConnections();
      server.close();
      expect(tally(await runs.run("refs.ts"))).toBe("4 hits, 0 ran, 0 failed");
      // Another place of the same file: the code is another one, what was fetched is not.
      await runs.put("refs.ts", source("https://example.org/elsewhere"));
      expect((await runs.run("refs.ts")).code).toBe(0);
      // Another pipeline has steps of its own, and the same store.
      await runs.put("more.ts", source("https://example.org/elsewhere", "more"));
      const more = await runs.run("more.ts");
      expect(more.code, more.stderr).toBe(0);
      await runs.put("own/a.txt", "changed\n");
      await runs.put("mine.txt", "mine\n");
      const mine = await runs.run("more.ts", ["--own", join(runs.dir, "mine.txt"), ...runs.out]);
      expect(mine.code, mine.stderr).toBe(0);
      expect(JSON.parse(await runs.given("results.json"))).toEqual({
        joined: "mine\nfrom the web\n",
      });
    } finally {
      server.close();
      await runs.remove();
    }
  },
  // Six runs, each a process.
  2 * LONG_MS,
);
