// A pipeline whose samples fail by what they are called: "broken" in its program, "lost" in its function, so that two calls do not run.

import { command, file, list, pipeline, sh, step, text } from "../../../../src/index.ts";

export const align = step({
  name: "align reads",
  takes: { name: text(), reads: file() },
  gives: { aligned: file() },
  async run({ name, reads }, { write }) {
    if (name === "lost") throw new Error(`no index for ${name}`);
    return { aligned: await write("aligned", `${name} ${await reads.text()}`) };
  },
});

export const call = command({
  name: "call",
  takes: { aligned: file(), name: text() },
  gives: { sites: file("sites") },
  attempts: 2,
  secrets: ["TOKEN"],
  run: ({ aligned, name }) => sh`
    echo "the token is $TOKEN" >&2
    cat ${aligned} >&2
    if [ ${name} = broken ]; then exit 7; fi
    cp ${aligned} sites`,
});

export const count = step({
  name: "count",
  takes: { aligned: file() },
  gives: { letters: file() },
  run: async ({ aligned }, { write }) => ({
    letters: await write("letters", String((await aligned.text()).length)),
  }),
});

export default pipeline({
  name: "variants",
  title: "Variants of samples",
  takes: { names: list(text()), reads: file() },
  gives: { sites: list(file()), samples: list(text()) },
  async plan({ names, reads }, { run, scope }) {
    const done = await Promise.all(
      names.map((name) =>
        scope(name, () => {
          const { aligned } = run(align, { name, reads }, { label: name });
          run(count, { aligned }, { label: name });
          return run(call, { aligned, name }, { label: name }).sites;
        }),
      ),
    );
    return { sites: done.flatMap((one) => (one.ok ? [one.value] : [])), samples: names };
  },
});
