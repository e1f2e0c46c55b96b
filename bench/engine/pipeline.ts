// The pipeline that is measured: a graph of nodes, each of which joins its inputs, by functions or by programs. graph.ts lays the same
// graphs out for other tools.

import {
  choice,
  command,
  file,
  type Handle,
  type InputFile,
  integer,
  list,
  optional,
  pipeline,
  sh,
  step,
  text,
} from "../../src/index.ts";

export const join = step({
  name: "join",
  takes: { node: integer(), inputs: list(text()) },
  gives: { out: text() },
  run: ({ node, inputs }) => ({ out: `${node}\n${inputs.join("")}` }),
});

export const copy = step({
  name: "copy",
  takes: { node: integer(), inputs: list(file()) },
  gives: { out: file() },
  async run({ node, inputs }, { write }) {
    const texts: string[] = [];
    for (const one of inputs) texts.push(await one.text());
    return { out: await write("out", `${node}\n${texts.join("")}`) };
  },
});

export const cat = command({
  name: "cat",
  takes: { node: integer(), inputs: list(file()) },
  gives: { out: file("out") },
  run: ({ node, inputs }) => sh`{ echo ${node}; cat ${inputs} /dev/null; } > out`,
});

/** Makes every node of a graph, and gives the last. */
function wire<H>(nodes: number, shape: "layers" | "fan", make: (node: number, of: H[]) => H): H {
  if (shape === "fan") {
    const source = make(0, []);
    const middle = Array.from({ length: nodes - 2 }, (_none, at) => make(at + 1, [source]));
    return make(nodes - 1, middle);
  }
  const width = Math.floor((nodes - 1) / 5);
  let layer = Array.from({ length: width }, (_none, at) => make(at, []));
  for (let depth = 1; depth < 5; depth++) {
    const before = layer;
    layer = before.map((one, at) =>
      make(depth * width + at, [one, before[(at + 1) % width] ?? one]),
    );
  }
  return make(5 * width, layer);
}

export default pipeline({
  name: "graph",
  takes: {
    nodes: integer(),
    kind: choice("text", "file", "command"),
    shape: choice("layers", "fan"),
  },
  gives: { words: optional(text()), sink: optional(file()) },
  plan({ nodes, kind, shape }, { run }) {
    if (kind === "text") {
      const words = wire<Handle<string>>(
        nodes,
        shape,
        (node, inputs) => run(join, { node, inputs }).out,
      );
      return { words, sink: null };
    }
    const one = kind === "file" ? copy : cat;
    const sink = wire<Handle<InputFile>>(
      nodes,
      shape,
      (node, inputs) => run(one, { node, inputs }).out,
    );
    return { words: null, sink };
  },
});
