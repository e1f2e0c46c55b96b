// Steps that are told a secret, and let it slip in every way that there is.

import {
  command,
  file,
  folder,
  json,
  list,
  pipeline,
  sh,
  source,
  step,
  text,
} from "../../../../src/index.ts";

const secrets = ["TOKEN"];
const gives = { out: file("out.txt") };

export const printed = command({
  ...{ name: "printed", takes: {}, gives, secrets },
  run: () => sh`echo "it is $TOKEN"; printf %s "$TOKEN" | wc -c > out.txt`,
});
// In two pieces that come one after the other.
export const halved = command({
  ...{ name: "halved", takes: {}, gives, secrets },
  run: () => sh`
    printf %s "$TOKEN" | head -c 7; sleep 0.3; printf %s "$TOKEN" | tail -c +8; echo
    printf %s "$TOKEN" > scrap.txt; printf %s "$TOKEN" > "$HOME/scrap.txt"; echo done > out.txt`,
});
export const traced = command({
  ...{ name: "traced", takes: {}, gives, secrets, attempts: 2 },
  run: () => sh`set -x; printf '%s\\n' "$TOKEN" > /dev/stderr; bash -c 'exit 3' "$TOKEN"`,
});
export const fine = step({
  ...{ name: "fine", takes: {}, gives: { length: json<number>() }, secrets },
  run(_none, { secret, log }) {
    log(`asked with ${secret("TOKEN")}`);
    log(JSON.stringify({ token: secret("TOKEN") }));
    return { length: secret("TOKEN").length };
  },
});
export const refused = step({
  ...{ name: "refused", takes: {}, gives: { word: text() }, secrets, attempts: 2 },
  run(_none, { secret }): { word: string } {
    const own = secret("TOKEN");
    throw new Error(`the service refused ${own}`, {
      cause: new Error(`GET https://example.org/?token=${encodeURIComponent(own)} gave 403`),
    });
  },
});
export const returned = step({
  ...{ name: "returned", takes: {}, gives: { word: text() }, secrets },
  run: (_none, { secret }) => ({ word: `Bearer ${secret("TOKEN")}` }),
});
export const written = command({
  ...{ name: "written", takes: {}, gives, secrets },
  // Across the border of two pieces that the file is read in.
  run: () => sh`head -c 1048570 /dev/zero > out.txt; printf %s "$TOKEN" >> out.txt`,
});
export const packed = command({
  ...{ name: "packed", takes: {}, gives: { made: folder("made") }, secrets },
  run: () => sh`mkdir -p made/deep; printf %s "$TOKEN" > made/deep/file`,
});
export const listed = command({
  ...{ name: "listed", takes: {}, gives: { parts: list(file("part-*.txt")) }, secrets },
  run: () => sh`echo fine > part-1.txt; printf %s "$TOKEN" > part-2.txt`,
});
export const pinned = source({
  ...{ name: "pinned", takes: {}, gives: { word: text() }, secrets },
  pin: () => Promise.resolve({ etag: process.env["TOKEN"] ?? "" }),
  run: () => ({ word: "a" }),
});
export const plain = step({
  ...{ name: "plain", takes: { word: text() }, gives: { word: text() } },
  run: ({ word }) => ({ word }),
});

export default pipeline({
  name: "secrets",
  takes: { word: text("none"), fails: text("no") },
  gives: { out: file() },
  async plan({ fails }, { run, scope }) {
    const own = process.env["TOKEN"] ?? "";
    await Promise.all([
      ...[traced, written].map((one) => scope(one.name, () => run(one, {}))),
      ...[refused, returned, pinned].map((one) => scope(one.name, () => run(one, {}))),
      scope("listed", () => run(listed, {})),
      scope("packed", () => run(packed, {})),
      scope("given", () => run(plain, { word: own })),
      scope("thrown", () => {
        throw new Error(`the plan knows ${own}`);
      }),
      scope("labelled", () => run(plain, { word: "w" }, { label: own })),
    ]);
    run(fine, {});
    run(halved, {});
    if (fails === "yes") throw new Error(`all of it fails with ${own}`);
    return { out: run(printed, {}).out };
  },
});
