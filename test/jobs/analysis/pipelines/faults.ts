// Steps that fail in every way that a step can; each has a scope of its own, so that one run tells of all.

import { command, file, folder, pipeline, sh, step, text } from "../../../../src/index.ts";

const gives = { out: file("out.txt") };

export const flaky = command({
  ...{ name: "flaky", takes: {}, gives, attempts: 3 },
  run: () => sh`echo "try $HDASH_ATTEMPT"; test "$HDASH_ATTEMPT" -ge 3; echo done > out.txt`,
});
export const broken = command({
  ...{ name: "broken", takes: {}, gives, attempts: 2 },
  run: () => sh`echo first; echo the reason >&2; exit 7`,
});
export const use = command({
  ...{ name: "use", takes: { given: file() }, gives },
  run: ({ given }) => sh`cat ${given} > out.txt`,
});
export const fine = command({
  ...{ name: "fine", takes: {}, gives },
  run: () => sh`echo good > out.txt`,
});

// Its children ignore that they are asked to end, and one of them has left its session.
export const late = command({
  ...{ name: "late", takes: {}, gives, attempts: 3, resources: { minutes: 0.02 } },
  run: () => sh`
    (trap '' TERM; sleep 7654321) &
    setsid bash -c 'trap "" TERM; sleep 7654321; true' &
    sleep 7654321`,
});
export const slow = step({
  ...{ name: "slow", takes: {}, gives: { word: text() }, resources: { minutes: 0.002 } },
  run: (_none, { signal }) =>
    new Promise<{ word: string }>((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error));
    }),
});
// It has ended, and what it has begun has not.
export const careless = command({
  ...{ name: "careless", takes: {}, gives },
  run: () => sh`
    setsid sleep 7654321 > /dev/null 2>&1 &
    echo done > out.txt`,
});

export const absent = command({
  ...{ name: "absent", takes: {}, gives },
  run: () => sh`echo something > other.txt`,
});
export const linked = command({
  ...{ name: "linked", takes: {}, gives },
  run: () => sh`ln -s /etc/hostname out.txt`,
});
export const linkedFolder = command({
  ...{ name: "linked folder", takes: {}, gives: { made: folder("made") } },
  run: () => sh`mkdir made; ln -s /etc made/etc`,
});
export const trespass = command({
  ...{ name: "trespass", takes: { given: file() }, gives },
  run: ({ given }) => sh`
    chmod u+w ${given}; echo harm >> ${given}
    echo stray > ../stray.txt; echo stray > "$HOME/stray.txt"; echo stray > "$TMPDIR/stray.txt"
    cp ${given} out.txt`,
});
export const filling = command({
  ...{ name: "filling", takes: {}, gives, resources: { diskMiB: 1 } },
  run: () => sh`head -c 3m /dev/zero > big; echo done > out.txt`,
});

const eat = "head -c 300m /dev/zero | tail -c 300m | wc -c";
export const hungry = command({
  ...{ name: "hungry", takes: {}, gives, attempts: 2 },
  resources: ({ attempt }) => ({ memoryMiB: attempt === 1 ? 64 : 1024 }),
  run: () => sh`bash -c ${eat} > out.txt`,
});
export const glutton = command({
  ...{ name: "glutton", takes: {}, gives, resources: { memoryMiB: 64 } },
  run: () => sh`setsid -w bash -c ${eat} > out.txt`,
});

export const flood = command({
  ...{ name: "flood", takes: {}, gives },
  run: () => sh`
    echo the beginning
    head -c 30m /dev/zero | tr '\\0' x
    echo; awk 'BEGIN { while (n++ < 1000000) print "line" }'
    echo the end; exit 1`,
});
export const killed = command({
  ...{ name: "killed", takes: {}, gives },
  run: () => sh`kill -9 $$`,
});
export const nobody = command({
  ...{ name: "nobody", takes: {}, gives },
  argv: () => ["/there/is/no/program"],
});
export const wordy = command({
  ...{ name: "wordy", takes: {}, gives },
  argv: () => ["echo", "x".repeat(131_072)],
});
export const torn = command({
  ...{ name: "torn", takes: {}, gives },
  argv: () => ["echo", "a\0b"],
});
// More words than a command line holds, given to what the shell does by itself; and a line that the shell complains of.
export const gatherer = command({
  ...{ name: "gatherer", takes: {}, gives },
  run: () => sh`
    printf '%s\n' ${Array.from({ length: 20_000 }, (_, index) => `part ${index}`)} > out.txt
    no-such-program || true`,
});
export const thrower = step({
  ...{ name: "thrower", takes: {}, gives: { word: text() }, attempts: 2 },
  run(_none, { attempt, log }): { word: string } {
    log(`at it ${attempt}`);
    throw new Error("it will not do");
  },
});
export const liar = step({
  ...{ name: "liar", takes: {}, gives: { word: text() } },
  run: () => ({ word: 5 as unknown as string }),
});

export default pipeline({
  name: "faults",
  takes: {},
  gives: { flaky: file(), good: file(), hungry: file(), gathered: file() },
  async plan(_none, { run, scope }) {
    const programs = [late, careless, absent, linked, filling, glutton, flood, killed];
    const alone = [
      ...[...programs, nobody, wordy, torn].map((one) => scope(one.name, () => run(one, {}))),
      ...[slow, thrower, liar].map((one) => scope(one.name, () => run(one, {}))),
      scope(linkedFolder.name, () => run(linkedFolder, {})),
    ];
    await scope("broken", () => {
      const { out } = run(broken, {});
      const { out: next } = run(use, { given: out }, { label: "at once" });
      run(use, { given: next }, { label: "at last" });
      run(fine, {}, { label: "sibling" });
    });
    await Promise.all(alone);
    const { out } = run(fine, {});
    const { out: harmed } = run(trespass, { given: out });
    run(use, { given: harmed });
    return {
      flaky: run(flaky, {}).out,
      good: run(use, { given: out }, { label: "good" }).out,
      hungry: run(hungry, {}).out,
      gathered: run(gatherer, {}).out,
    };
  },
});
