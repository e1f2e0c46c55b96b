// Workers of the cohort job that are killed at random, round after round: counts what readers of datasets found that was not whole, and what
// was not in the end as if nobody had been killed.

import { parseArgs } from "node:util";

import { makeRig } from "../test/jobs/cohort/support/cohortRig.ts";
import { ALL, FEW, playCalm, playRound, type Round } from "../test/jobs/cohort/support/kills.ts";
import { startPostgres } from "../test/support/postgresServer.ts";
import { makeTemplate } from "../test/support/postgresTemplate.ts";

const HELP = `Kills workers of the cohort job at random, and looks whether readers always have a whole build and the end is that of an undisturbed run.

  node bench/cohortKills.ts [--rounds 50] [--seed N] [--all] [--json]

  --rounds  how many worlds; in each up to three workers are killed one after the other (default: 50)
  --seed    of the dice (default: the time); a round that failed is played again with --seed and --from
  --from    number of the first round (default: 0)
  --all     all exports and data types of the fixture, instead of a few
  --json    all numbers, for programs
  --help    this text
`;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "50" },
    seed: { type: "string" },
    from: { type: "string", default: "0" },
    all: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit();
}

/** Reads a whole number of a flag, `least` or more. */
function whole(flag: string, text: string, least = 0): number {
  if (/^\d+$/.test(text) && Number(text) >= least) return Number(text);
  throw new RangeError(`--${flag} is "${text}"; a whole number from ${least} on is needed`);
}

const seed = values.seed === undefined ? Date.now() % 1e9 : whole("seed", values.seed);
const first = whole("from", values.from);
const last = first + whole("rounds", values.rounds, 1);
const { stop, ...server } = await startPostgres();
const rig = await makeRig();
try {
  await makeTemplate(server);
  const calm = await playCalm(server, rig, values.all ? ALL : FEW);
  const rounds: Round[] = [];
  for (let number = first; number < last; number++) {
    const round = await playRound(server, rig, calm, [seed, number]);
    rounds.push(round);
    for (const problem of round.problems) console.error(`round ${round.seed}: ${problem}`);
  }
  const sum = (of: (round: Round) => number) => rounds.reduce((all, round) => all + of(round), 0);
  const result = {
    seed,
    rounds: rounds.length,
    kills: sum(({ kills }) => kills),
    readings: sum(({ readings }) => readings),
    failed: rounds.filter(({ problems }) => problems.length > 0).length,
  };
  if (values.json) console.log(JSON.stringify({ result, rounds }, null, 2));
  else {
    console.log(
      `${result.rounds} rounds (seed ${seed}), ${result.kills} kills, ${result.readings} builds read: ${result.failed} failed`,
    );
  }
  process.exitCode = result.failed === 0 ? 0 : 1;
} finally {
  await rig.close();
  await stop();
}
