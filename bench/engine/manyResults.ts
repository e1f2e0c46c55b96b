// A ledger with as many results as one likes, filled in bulk: runs of the measured graph, a thousand nodes each, as the engine would have
// left them. Their blobs are not there, and nobody who asks where something comes from reads them.

import { sql } from "kysely";

import { digestOf } from "../../src/digest.ts";
import type { Db } from "../../src/store/schema.ts";

/** Nodes of a run: five layers and a sink. */
export const NODES = 1_001;
const WIDTH = (NODES - 1) / 5;
/** Runs a statement fills: a quarter of the time that one may take. */
const RUNS_AT_ONCE = 40;

/** The content of a node's output. */
export function outputOf(run: number, node: number): string {
  return digestOf(`${run}.${node}`);
}

const digest = (run: string, node: string) =>
  sql.raw(`encode(sha256(convert_to(${run} || '.' || (${node}), 'UTF8')), 'hex')`);

/** Adds runs 1 to `runs` to an empty ledger. */
export async function fillLedger(db: Db, runs: number): Promise<void> {
  for (let from = 1; from <= runs; from += RUNS_AT_ONCE) {
    await addRuns(db, from, Math.min(runs, from + RUNS_AT_ONCE - 1));
  }
  for (const table of ["run", "step_result", "step_run", "step_attempt"]) {
    await sql`analyze ${sql.table(table)}`.execute(db);
  }
}

async function addRuns(db: Db, from: number, to: number): Promise<void> {
  await sql`
    insert into run (pipeline, params, params_key, status, attempt, build, started_at, finished_at)
    select 'graph', jsonb_build_object('graph', g), 'graph ' || g, 'succeeded', 1, 'bench', now(), now()
    from generate_series(${from}::integer, ${to}::integer) g`.execute(db);
  const inputs = sql`case
    when n < ${WIDTH} then '{}'
    when n = ${NODES - 1} then (
      select '{"inputs":[' || string_agg('"' || ${digest("g", "one")} || '"', ',' order by one) || ']}'
      from generate_series(${4 * WIDTH}::integer, ${5 * WIDTH - 1}::integer) one)
    else '{"inputs":["' || ${digest("g", `n - ${WIDTH}`)} || '","' ||
      ${digest("g", `(n / ${WIDTH} - 1) * ${WIDTH} + (n + 1) % ${WIDTH}`)} || '"]}'
    end`;
  await sql`
    with node as (
      select g, n,
        '{"kind":"step","inputs":' || ${inputs} || ',"params":{"values":{"node":["value",' || n || ']}},"pin":null,"pipeline":"graph",'
          || '"step":"join","uses":{"code":"${sql.raw(digestOf("code"))}","kind":"function"},"version":1}' as document
      from generate_series(${from}::integer, ${to}::integer) g, generate_series(0, ${NODES - 1}::integer) n
    ), made as (
      insert into step_result (step_key, attempt, step, version, document, outputs, ms, run_id)
      select encode(sha256(convert_to(g || document, 'UTF8')), 'hex'), 1, 'join', 1, document,
        jsonb_build_object('out', jsonb_build_object(
          'digest', ${digest("g", "n")}, 'bytes', 100, 'codec', 'text', 'visibility', 'private')), 1, g
      from node order by g, n
      returning id, step_key, run_id
    ), attempts as (
      insert into step_attempt (step_key, n, step, run_id, run_attempt, runner, state, resources, started_at, ended_at)
      select step_key, 1, 'join', run_id, 1, 'in-process', 'succeeded', '{}', now(), now() from made
    )
    insert into step_run (run_id, scope, step, label, step_key, result_id, state, attempt, started_at, ended_at)
    select run_id, '', 'join', '#' || id, step_key, id, 'ran', 1, now(), now() from made`.execute(
    db,
  );
}
