// Hundreds of runs whose workers are killed at random times, up to three in a row, sometimes with two workers at the end: counts what did not hold.

import { parseArgs } from "node:util";

import { type Calm, playCalm, playRound, type Round } from "../test/engine/kills.ts";
import { playGraphRound } from "../test/jobs/analysis/support/graphKills.ts";
import { type PostgresServer, startPostgres } from "../test/support/postgresServer.ts";
import { makeTemplate } from "../test/support/postgresTemplate.ts";

const HELP = `Kills workers at random times and looks whether pages, results and findings are those of a run that nobody killed.

  node bench/kills.ts [--graphs] [--rounds 500] [--seed N] [--at-once 2] [--json]

  --graphs    random graphs of a user's steps, of which some fail at first and some lose their bytes, instead of one pipeline
  --rounds    how many worlds; in each up to three workers are killed one after the other (default: 500)
  --seed      of the dice (default: the time); a round that failed is played again with --seed and --from
  --from      number of the first round (default: 0)
  --at-once   rounds that are played side by side (default: 2)
  --json      all numbers, for programs
  --help      this text
`;

const { values } = parseArgs({
  options: {
    graphs: { type: "boolean", default: false },
    rounds: { type: "string", default: "500" },
    seed: { type: "string" },
    from: { type: "string", default: "0" },
    "at-once": { type: "string", default: "2" },
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

async function playAll(
  server: PostgresServer,
  calm: Calm | null,
  seed: number,
): Promise<readonly Round[]> {
  const first = whole("from", values.from);
  const last = first + whole("rounds", values.rounds, 1);
  const played: Round[] = [];
  let next = first;
  const play = async (): Promise<void> => {
    while (next < last) {
      const number = next++;
      const round = await (calm === null
        ? playGraphRound(server, seed, number)
        : playRound(server, calm, seed, number));
      played.push(round);
      for (const problem of round.problems) console.error(`round ${round.seed}: ${problem}`);
      if (played.length % 50 === 0 && !values.json) console.log(`  ${played.length} rounds played`);
    }
  };
  await Promise.all(Array.from({ length: whole("at-once", values["at-once"], 1) }, play));
  return played;
}

const seed = values.seed === undefined ? Date.now() % 1e9 : whole("seed", values.seed);
const { stop, ...server } = await startPostgres();
try {
  await makeTemplate(server);
  const calm = values.graphs ? null : await playCalm(server);
  const rounds = await playAll(server, calm, seed);
  const count = (is: (round: Round) => boolean) => rounds.filter(is).length;
  const result = {
    seed,
    rounds: rounds.length,
    kills: rounds.reduce((sum, { kills }) => sum + kills, 0),
    twins: count(({ isTwin }) => isTwin),
    embedded: count(({ isEmbedded }) => isEmbedded),
    failed: count(({ problems }) => problems.length > 0),
  };
  if (values.json) console.log(JSON.stringify({ result, rounds }, null, 2));
  else {
    console.log(
      `${result.rounds} rounds (seed ${seed}), ${result.kills} kills, ${result.twins} with two workers at the end, ` +
        `${result.embedded} on the embedded database: ${result.failed} failed`,
    );
  }
  process.exitCode = result.failed === 0 ? 0 : 1;
} finally {
  await stop();
}
