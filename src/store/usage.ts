// What runs took: attempts with their time and what was reserved and used, and what hits would have taken.

import { sql } from "kysely";

import type { Db } from "./schema.ts";

/** What attempts came to. Times are sums; an attempt that goes on counts up to now. */
export interface Amount {
  readonly attempts: number;
  readonly wallMs: number;
  /** CPU time of the attempts whose runner has measured it. */
  readonly cpuMs: number;
  /** How many those are. */
  readonly cpuMeasured: number;
  /** CPUs that were reserved, times how long. */
  readonly vcpuMs: number;
  /** Memory that was reserved, times how long. */
  readonly memoryMiBMs: number;
  /** The most memory that attempts had at a moment, times how long they took. */
  readonly peakMiBMs: number;
  /** How many attempts have that. */
  readonly memoryMeasured: number;
}

/** What the steps of one name came to. */
export interface StepUsage extends Amount {
  readonly pipeline: string;
  readonly step: string;
  /** Results that were found, each counted once for a run. */
  readonly hits: number;
  /** What those took when they were made. */
  readonly saved: Saved;
}

/** What results that were found took when they were made. */
export interface Saved {
  readonly wallMs: number;
  readonly vcpuMs: number;
  readonly memoryMiBMs: number;
}

/** Which runs are meant: one, or all that began since. */
export type UsageOf = { readonly runId: string } | { readonly since: Date };

/** Sums up what runs took, by pipeline and step, those that took longest first. */
export async function sumUsage(db: Db, of: UsageOf): Promise<readonly StepUsage[]> {
  const runs =
    "runId" in of
      ? sql`select id, pipeline from run where id = ${of.runId}::bigint`
      : sql`select id, pipeline from run where coalesce(started_at, requested_at) >= ${of.since}`;
  const wall = sql`coalesce((a.usage ->> 'wallMs')::float8,
    greatest(0, extract(epoch from coalesce(a.ended_at, now()) - a.started_at) * 1000))`;
  const { rows } = await sql<Row>`
    with runs as (${runs}),
    tried as (
      select runs.pipeline, a.step, ${wall}::float8 as wall,
        (a.usage ->> 'cpuMs')::float8 as cpu,
        (a.resources ->> 'cpus')::float8 as cpus, (a.resources ->> 'memoryMiB')::float8 as memory,
        (a.usage ->> 'peakMemoryBytes')::float8 / 1048576 as peak
      from runs join step_attempt a on a.run_id = runs.id
    ),
    took as (
      select pipeline, step, count(*)::integer as attempts, sum(wall) as "wallMs",
        coalesce(sum(cpu), 0) as "cpuMs", count(cpu)::integer as "cpuMeasured",
        coalesce(sum(cpus * wall), 0) as "vcpuMs", coalesce(sum(memory * wall), 0) as "memoryMiBMs",
        coalesce(sum(peak * wall), 0) as "peakMiBMs", count(peak)::integer as "memoryMeasured"
      from tried group by pipeline, step
    ),
    -- What a run has made itself saves nothing where it comes by it again, and what it reads of the world it has read.
    found as (
      select distinct runs.id as run_id, runs.pipeline, s.step, s.result_id
      from runs join step_run s on s.run_id = runs.id
      join step_result r on r.id = s.result_id
      where s.state = 'hit' and not starts_with(r.document, '{"kind":"observation"')
        and not exists (
          select from step_run o where o.run_id = s.run_id and o.step_key = s.step_key and o.state = 'ran')
    ),
    spared as (
      select found.pipeline, found.step, count(*)::integer as hits, sum(wall) as "savedMs",
        coalesce(sum(cpus * wall), 0) as "savedVcpuMs", coalesce(sum(memory * wall), 0) as "savedMiBMs"
      from found cross join lateral (
        select coalesce((a.usage ->> 'wallMs')::float8, r.ms) as wall,
          (a.resources ->> 'cpus')::float8 as cpus, (a.resources ->> 'memoryMiB')::float8 as memory
        from step_result r left join step_attempt a on a.step_key = r.step_key and a.n = r.attempt
        where r.id = found.result_id
      ) made
      group by found.pipeline, found.step
    )
    select pipeline, step,
      coalesce(attempts, 0) as attempts, coalesce("wallMs", 0) as "wallMs", coalesce("cpuMs", 0) as "cpuMs",
      coalesce("cpuMeasured", 0) as "cpuMeasured", coalesce("vcpuMs", 0) as "vcpuMs",
      coalesce("memoryMiBMs", 0) as "memoryMiBMs", coalesce("peakMiBMs", 0) as "peakMiBMs",
      coalesce("memoryMeasured", 0) as "memoryMeasured", coalesce(hits, 0) as hits,
      coalesce("savedMs", 0) as "savedMs", coalesce("savedVcpuMs", 0) as "savedVcpuMs",
      coalesce("savedMiBMs", 0) as "savedMiBMs"
    from took full join spared using (pipeline, step)
    order by coalesce("wallMs", 0) desc, coalesce("savedMs", 0) desc, pipeline, step`.execute(db);
  return rows.map(({ savedMs, savedVcpuMs, savedMiBMs, ...row }) => ({
    ...row,
    saved: { wallMs: savedMs, vcpuMs: savedVcpuMs, memoryMiBMs: savedMiBMs },
  }));
}

type Row = Omit<StepUsage, "saved"> & {
  readonly savedMs: number;
  readonly savedVcpuMs: number;
  readonly savedMiBMs: number;
};

/** Counts the runs that are meant. */
export async function countRuns(db: Db, since: Date): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count from run where coalesce(started_at, requested_at) >= ${since}`.execute(
    db,
  );
  return rows[0]?.count ?? 0;
}
