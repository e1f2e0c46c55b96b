// What the walk behind `hdash provenance` takes on a ledger with a million results, for a result with a small ancestry and for a wide one.

import { parseArgs } from "node:util";

import { sql } from "kysely";

import type { Digest } from "../src/digest.ts";
import { walkLineage } from "../src/lineage/graph.ts";
import { openDatabase } from "../src/store/database.ts";
import { findMakers } from "../src/store/lineage.ts";
import type { Db } from "../src/store/schema.ts";
import { startPostgres } from "../test/support/postgresServer.ts";
import { createClone, makeTemplate } from "../test/support/postgresTemplate.ts";

const HELP = `Measures the walk from a result to all that it was made of, on a Postgres ledger made for it.

  node bench/provenance.ts [--results 1000000] [--rounds 15] [--json]

  --results   results in the ledger (default: a million)
  --rounds    walks of each kind; the median and the slowest count (default: 15)
  --json      all numbers, for programs
  --help      this text
`;

/** What a walk over a small ancestry may take, with a million results: milliseconds, the slowest of its rounds. */
const GOAL_MS = 100;
/** Results of one small ancestry; results of one run; the last run's sink has read all of its run. */
const GROUP = 16;
const RUN = 1000;
const WIDE = 10_000;
/** Results of one statement, so that none takes too long. */
const AT_ONCE = 20_000;

const { values } = parseArgs({
  options: {
    results: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "15" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit();
}

/**
 * Fills a ledger: groups of 16 results, of which each reads the one before it, the one at half its place, and, like a tenth of the whole
 * ledger, the number 0; and a last result that has read 10,000.
 */
async function fill(db: Db, results: number): Promise<void> {
  await sql`insert into run (pipeline, params, params_key, status, attempt, build, started_at, finished_at)
    select 'bench', '{}', 'run ' || n, 'succeeded', 1, 'bench', now(), now()
    from generate_series(1, ${results / RUN + 1}::int) n`.execute(db);
  for (let from = 0; from < results; from += AT_ONCE) {
    await fillSome(db, from, Math.min(from + AT_ONCE, results) - 1);
  }
  const own = sql`encode(sha256(('out ' || i)::bytea), 'hex')`;
  await sql`insert into step_result (step_key, attempt, step, version, document, outputs, ms, run_id)
    select encode(sha256('wide'::bytea), 'hex'), 1, 'wide', 1,
      '{"kind":"step","inputs":{"all":' || (select json_agg(${own}) from generate_series(0, ${sql.lit(WIDE - 1)}) i)
      || '},"params":null,"pin":null,"pipeline":"bench","step":"wide","version":1}',
      jsonb_build_object('out', jsonb_build_object('digest', encode(sha256('wide out'::bytea), 'hex'), 'bytes', 1,
        'codec', 'file', 'visibility', 'private')), 1, 1`.execute(db);
  for (const table of ["step_result", "step_run", "step_attempt", "run"]) {
    await sql`vacuum analyze ${sql.table(table)}`.execute(db);
  }
}

async function fillSome(db: Db, from: number, to: number): Promise<void> {
  const group = sql.lit(GROUP);
  const own = sql`encode(sha256(('out ' || i)::bytea), 'hex')`;
  const before = sql`encode(sha256(('out ' || i - 1)::bytea), 'hex')`;
  const half = sql`encode(sha256(('out ' || i - (i % ${group} + 1) / 2)::bytea), 'hex')`;
  const zero = sql`encode(sha256('0'::bytea), 'hex')`;
  const output = sql`'bytes', 10, 'codec', 'file', 'visibility', 'private'`;
  await sql`with made as (
      insert into step_result (step_key, attempt, step, version, document, outputs, ms, run_id)
      select encode(sha256(('key ' || i)::bytea), 'hex'), 1, 'step ' || i % ${group}, 1,
        '{"kind":"step","inputs":' || case when i % ${group} = 0 then '{}' else
          '{"one":["' || ${before} || '","' || ${half} || '"],"zero":"' || ${zero} || '"}' end
        || ',"params":{"n":' || i || '},"pin":null,"pipeline":"bench","step":"step ' || i % ${group} || '","version":1}',
        jsonb_build_object(
          'out', jsonb_build_object('digest', ${own}, ${output}),
          'size', jsonb_build_object('digest',
            case when i % 10 = 0 then ${zero} else encode(sha256(('size ' || i)::bytea), 'hex') end, ${output})),
        1, i / ${sql.lit(RUN)} + 1
      from generate_series(${from}::int, ${to}::int) i
      returning id, run_id, step, step_key
    ), tried as (
      insert into step_attempt (step_key, n, step, run_id, run_attempt, runner, state, resources, started_at, ended_at)
      select step_key, 1, step, run_id, 1, 'in-process', 'succeeded', '{}', now(), now() from made
    )
    insert into step_run (run_id, scope, step, step_key, result_id, state, attempt, started_at, ended_at, label)
    select run_id, '', step, step_key, id, 'ran', 1, now(), now(), 'call ' || id from made`.execute(
    db,
  );
}

interface Times {
  readonly steps: number;
  readonly medianMs: number;
  readonly slowestMs: number;
}

async function measure(
  rounds: number,
  walk: (round: number) => Promise<{ readonly steps: readonly unknown[] }>,
): Promise<Times> {
  const times: number[] = [];
  let steps = 0;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    steps = (await walk(round)).steps.length;
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return {
    steps,
    medianMs: times[Math.floor(times.length / 2)] ?? NaN,
    slowestMs: times.at(-1) ?? NaN,
  };
}

const results = Number(values.results);
const rounds = Number(values.rounds);
const server = await startPostgres();
try {
  await makeTemplate(server);
  const { db, close } = await openDatabase(await createClone(server));
  try {
    await fill(db, results);
    const { createHash } = await import("node:crypto");
    const digestOf = (text: string) => createHash("sha256").update(text).digest("hex") as Digest;
    const walkFrom = async (text: string) =>
      walkLineage(db, await findMakers(db, digestOf(text), 1));
    const groups = Math.floor(results / GROUP);
    const small = await measure(rounds, (round) =>
      walkFrom(`out ${(((round * 7919) % groups) + 1) * GROUP - 1}`),
    );
    const wide = await measure(Math.min(rounds, 3), () => walkFrom("wide out"));
    const found = { results, small, wide, goalMs: GOAL_MS };
    if (values.json) console.log(JSON.stringify(found, null, 2));
    else {
      console.log(`${results} results; by the content of a file to all that it was made of`);
      for (const [name, { steps, medianMs, slowestMs }] of Object.entries({ small, wide })) {
        console.log(
          `  ${name.padEnd(6)}${String(steps).padStart(7)} steps${medianMs.toFixed(1).padStart(9)} ms, at most${slowestMs.toFixed(1).padStart(8)} ms`,
        );
      }
      console.log(`  goal: small at most ${GOAL_MS} ms`);
    }
    process.exitCode = small.slowestMs <= GOAL_MS ? 0 : 1;
  } finally {
    await close();
  }
} finally {
  await server.stop();
}
