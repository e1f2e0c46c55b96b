// What must not compile: mistakes in steps and plans that are told in the editor and not in a run. Each has a twin that is right and
// differs in nothing else, so that a mistake is refused for what it is.

import { beforeAll, describe, expect, test } from "vitest";

import { compileSnippets } from "./compile.ts";

const PRELUDE = `
import {
  type BlobFile, file, files, json, observation, type Place, type Plan, publicTree, step, type StepContext, text, type TreeFile,
} from "../../src/engine/step.ts";

declare const plan: Plan;
declare const vault: Place<"private">;
declare const market: Place<"public">;
declare const somewhere: Place;
const pull = step({
  name: "pull",
  version: 1,
  outputs: { body: file(), note: text() },
  async run(_inputs: object, { id }: { id: string }, ctx: StepContext<{ url: string }>) {
    return { body: { path: ctx.hints.url }, note: id };
  },
});
const parse = step({
  name: "parse",
  version: 1,
  outputs: { rows: json<readonly number[]>(), count: json<number>() },
  run: async ({ body }: { body: BlobFile }, _params: null) => ({ rows: [body.bytes], count: 1 }),
});
const total = step({
  name: "total",
  version: 1,
  outputs: { sum: json<number>(), pages: publicTree() },
  run: async ({ counts }: { counts: readonly number[] }, _params: null) => ({
    sum: counts.length,
    pages: [] as readonly TreeFile[],
  }),
});
const look = observation({
  name: "look",
  outputs: { said: text() },
  read: async ({ at }: { at: string }) => ({ said: at }),
});
const { body, note } = await plan.do(pull, { params: { id: "x" }, inputs: {}, hints: { url: "" } });
const { rows, count } = await plan.do(parse, { params: null, inputs: { body } });
const { sum, pages } = await plan.do(total, { params: null, inputs: { counts: [count] } });
const { set } = await plan.do(
  step({ name: "set", version: 1, outputs: { set: files() }, run: async (_i: object, _p: null) => ({ set: [] }) }),
  { params: null, inputs: {} },
);
const below = { scope: null, prefix: "" } as const;
const shown = { scope: null, prefix: "", cache: "page" } as const;
const named = { name: "s", version: 1 } as const;
void [set, below, vault, market, somewhere, rows, sum, pages, note, shown, named, look];
`;

/** A mistake; the same done right; and how the compiler begins to say what is wrong. */
type Mistake = readonly [name: string, wrong: string, right: string, says: RegExp];

const NOT_ASSIGNABLE = /^TS(2322|2375): Type .* is not assignable to type/;
const MISSING = /^TS2741: Property .* is missing/;
const REFUSED = /^TS(2769|2345|2322): /;

const MISTAKES: readonly Mistake[] = [
  [
    "a private port in a public place",
    "await plan.publish(market, async () => ({ entries: [{ ...below, tree: set }] }));",
    "await plan.publish(vault, async () => ({ entries: [{ ...below, tree: set }] }));",
    NOT_ASSIGNABLE,
  ],
  [
    "a private index of a public place",
    'await plan.publish(market, async () => ({ entries: [{ ...below, tree: pages }], index: { key: "i", contentType: "t", scope: null, content: sum } }));',
    'await plan.publish(vault, async () => ({ entries: [{ ...below, tree: pages }], index: { key: "i", contentType: "t", scope: null, content: sum } }));',
    NOT_ASSIGNABLE,
  ],
  [
    "a private port in a place of which nobody knows whether it is private",
    "await plan.publish(somewhere, async () => ({ entries: [{ ...below, tree: set }] }));",
    "await plan.publish(somewhere, async () => ({ entries: [{ ...below, tree: pages }] }));",
    NOT_ASSIGNABLE,
  ],
  [
    "a private port in a site",
    "await plan.site(async () => ({ parts: [{ ...shown, tree: rows }], keepScopes: [] }));",
    "await plan.site(async () => ({ parts: [{ ...shown, tree: pages }], keepScopes: [] }));",
    NOT_ASSIGNABLE,
  ],
  [
    "an input of another codec",
    "await plan.do(parse, { params: null, inputs: { body: note } });",
    "await plan.do(parse, { params: null, inputs: { body } });",
    NOT_ASSIGNABLE,
  ],
  [
    "an input of another type",
    "await plan.do(total, { params: null, inputs: { counts: [note] } });",
    "await plan.do(total, { params: null, inputs: { counts: [sum] } });",
    NOT_ASSIGNABLE,
  ],
  [
    "a missing input",
    "await plan.do(parse, { params: null, inputs: {} });",
    "await plan.do(parse, { params: null, inputs: { body } });",
    MISSING,
  ],
  [
    "an input that the step does not take",
    "await plan.do(parse, { params: null, inputs: { body, rows } });",
    "await plan.do(parse, { params: null, inputs: { body } });",
    /^TS2353: Object literal may only specify known properties/,
  ],
  [
    "a list where one is wanted",
    "await plan.do(parse, { params: null, inputs: { body: [body] } });",
    "await plan.do(parse, { params: null, inputs: { body } });",
    /^TS2739: .* is missing the following properties from type 'Ref</,
  ],
  [
    "one where a list is wanted",
    "await plan.do(total, { params: null, inputs: { counts: count } });",
    "await plan.do(total, { params: null, inputs: { counts: rows } });",
    NOT_ASSIGNABLE,
  ],
  [
    "a value where a ref is wanted",
    "await plan.do(total, { params: null, inputs: { counts: [1] } });",
    "await plan.do(total, { params: null, inputs: { counts: [await plan.value(1)] } });",
    NOT_ASSIGNABLE,
  ],
  [
    "params of another type",
    'await plan.do(pull, { params: { id: 1 }, inputs: {}, hints: { url: "" } });',
    'await plan.do(pull, { params: { id: "1" }, inputs: {}, hints: { url: "" } });',
    NOT_ASSIGNABLE,
  ],
  [
    "a param that is undefined",
    'await plan.do(pull, { params: { id: undefined }, inputs: {}, hints: { url: "" } });',
    'await plan.do(pull, { params: { id: "" }, inputs: {}, hints: { url: "" } });',
    NOT_ASSIGNABLE,
  ],
  [
    "params that are not JSON",
    "step({ ...named, outputs: {}, run: async (_inputs: object, _params: { at: Date }) => ({}) });",
    "step({ ...named, outputs: {}, run: async (_inputs: object, _params: { at: string }) => ({}) });",
    REFUSED,
  ],
  [
    "missing hints",
    'await plan.do(pull, { params: { id: "" }, inputs: {} });',
    'await plan.do(pull, { params: { id: "" }, inputs: {}, hints: { url: "" } });',
    /^TS2345: .*Property 'hints' is missing/,
  ],
  [
    "hints of another type",
    'await plan.do(pull, { params: { id: "" }, inputs: {}, hints: { url: 1 } });',
    'await plan.do(pull, { params: { id: "" }, inputs: {}, hints: { url: "" } });',
    NOT_ASSIGNABLE,
  ],
  [
    "hints for a step that takes none",
    'await plan.do(parse, { params: null, inputs: { body }, hints: { url: "" } });',
    "await plan.do(parse, { params: null, inputs: { body } });",
    NOT_ASSIGNABLE,
  ],
  [
    "hints that are not JSON",
    "step({ ...named, outputs: {}, run: async (_i: object, _p: null, _ctx: StepContext<{ at: Date }>) => ({}) });",
    "step({ ...named, outputs: {}, run: async (_i: object, _p: null, _ctx: StepContext<{ at: string }>) => ({}) });",
    REFUSED,
  ],
  [
    "uses that are not JSON",
    "step({ ...named, outputs: {}, uses: { at: new Date() }, run: async (_i: object, _p: null) => ({}) });",
    'step({ ...named, outputs: {}, uses: { at: "" }, run: async (_i: object, _p: null) => ({}) });',
    REFUSED,
  ],
  [
    "uses that are undefined",
    "step({ ...named, outputs: {}, uses: undefined, run: async (_i: object, _p: null) => ({}) });",
    "step({ ...named, outputs: {}, uses: null, run: async (_i: object, _p: null) => ({}) });",
    /^TS2379: .*Type 'undefined' is not assignable to type 'Json'/,
  ],
  [
    "a pin that is undefined",
    "step({ ...named, outputs: {}, pin: async () => undefined, run: async (_i: object, _p: null) => ({}) });",
    "step({ ...named, outputs: {}, pin: async () => null, run: async (_i: object, _p: null) => ({}) });",
    REFUSED,
  ],
  [
    "a port of what may be undefined",
    "json<number | undefined>();",
    "json<number | null>();",
    /^TS2554: Expected 1 arguments, but got 0/,
  ],
  [
    "a port that run() leaves out",
    "step({ ...named, outputs: { a: text(), b: text() }, run: async (_i: object, _p: null) => ({ a: '' }) });",
    "step({ ...named, outputs: { a: text(), b: text() }, run: async (_i: object, _p: null) => ({ a: '', b: '' }) });",
    REFUSED,
  ],
  [
    "undefined in a port",
    "step({ ...named, outputs: { a: text() }, run: async (_i: object, _p: null) => ({ a: undefined }) });",
    "step({ ...named, outputs: { a: text() }, run: async (_i: object, _p: null) => ({ a: '' }) });",
    REFUSED,
  ],
  [
    "a value that is not the port's",
    "step({ ...named, outputs: { a: json<number>() }, run: async (_i: object, _p: null) => ({ a: '1' }) });",
    "step({ ...named, outputs: { a: json<number>() }, run: async (_i: object, _p: null) => ({ a: 1 }) });",
    REFUSED,
  ],
  [
    "a text for a file",
    "step({ ...named, outputs: { a: file() }, run: async (_i: object, _p: null) => ({ a: 'path' }) });",
    "step({ ...named, outputs: { a: file() }, run: async (_i: object, _p: null) => ({ a: { path: 'path' } }) });",
    REFUSED,
  ],
  [
    "a port that the step does not have",
    "const { other } = await plan.do(parse, { params: null, inputs: { body } }); void other;",
    "const { rows: other } = await plan.do(parse, { params: null, inputs: { body } }); void other;",
    /^TS2339: Property 'other' does not exist/,
  ],
  [
    "a ref read as another type",
    "const read: string = await plan.read(count); void read;",
    "const read: number = await plan.read(count); void read;",
    NOT_ASSIGNABLE,
  ],
  [
    "a file read as its text",
    "const read: string = await plan.read(body); void read;",
    "const read: BlobFile = await plan.read(body); void read;",
    NOT_ASSIGNABLE,
  ],
  [
    "an observation with a pin",
    'observation({ name: "o", outputs: {}, pin: async () => 1, read: async (_p: null) => ({}) });',
    'observation({ name: "o", outputs: {}, read: async (_p: null) => ({}) });',
    /^TS2353: Object literal may only specify known properties, and 'pin' does not exist/,
  ],
  [
    "an observation with an input",
    'await plan.do(look, { params: { at: "" }, inputs: { body } });',
    'await plan.do(look, { params: { at: "" }, inputs: {} });',
    REFUSED,
  ],
  [
    "an observation that finds: what it means is for other steps",
    'observation({ name: "o", outputs: {}, read: async (_p: null, ctx) => (ctx.find([]), {}) });',
    'observation({ name: "o", outputs: {}, read: async (_p: null, ctx) => (await ctx.workDir(), {}) });',
    /^TS2339: Property 'find' does not exist/,
  ],
  [
    "a resource that there is not",
    "step({ ...named, outputs: {}, resources: { cpu: 2 }, run: async (_i: object, _p: null) => ({}) });",
    "step({ ...named, outputs: {}, resources: { cpus: 2 }, run: async (_i: object, _p: null) => ({}) });",
    /^TS2353: Object literal may only specify known properties, and 'cpu' does not exist/,
  ],
  [
    "resources of a function that forgets some attempts",
    "step({ ...named, outputs: {}, resources: (n) => (n > 1 ? { cpus: 2 } : undefined), run: async (_i: object, _p: null) => ({}) });",
    "step({ ...named, outputs: {}, resources: (n) => (n > 1 ? { cpus: 2 } : {}), run: async (_i: object, _p: null) => ({}) });",
    REFUSED,
  ],
];

describe("the compiler, told of a step or a plan", () => {
  let said: readonly (readonly string[])[];
  beforeAll(() => {
    said = compileSnippets(
      PRELUDE,
      MISTAKES.flatMap(([, wrong, right]) => [wrong, right]),
    );
  });

  test.each(MISTAKES.map(([name, , , says], index) => ({ name, says, index })))(
    "refuses $name",
    ({ says, index }) => {
      const wrong = said[2 * index];
      expect(said[2 * index + 1]).toEqual([]);
      expect(wrong).toEqual([expect.stringMatching(says)]);
    },
  );
});
