// Facts: the findings and measures that a step has committed. They belong to the step's result, and a run has those of the results it came by.

import { sql } from "kysely";

import { type Digest, digestOfJson } from "../digest.ts";
import { HdashError } from "../error.ts";
import type { Finding, FindingDelta, Severity } from "../finding.ts";
import type { Db } from "./schema.ts";
import { storable, storableJson } from "./text.ts";

/** A finding with the identity by which runs are compared: same rule, subject and fields, whatever the row; repeats are numbered. */
export interface KnownFinding extends Finding {
  readonly identity: string;
}

/** A number that trends are drawn from. */
export interface Measure {
  readonly subject: string;
  readonly name: string;
  readonly value: number;
}

/** What one step has to say, in the form in which it is stored. */
export interface Facts {
  readonly findings: readonly KnownFinding[];
  readonly measures: readonly Measure[];
}

/** Rows per statement: keeps the parameter of 100,000 findings from being one text of 50 MB. */
const ROWS_PER_INSERT = 5000;

/** Makes facts that the ledger can hold, with identities; a measure given twice keeps its last value. */
export function makeFacts(findings: readonly Finding[], measures: readonly Measure[]): Facts {
  const repeats = new Map<string, number>();
  const known = findings.map((finding) => {
    const fields: Record<string, string> = {};
    for (const [name, value] of Object.entries(finding.fields))
      fields[storable(name)] = storable(value);
    const rule = storable(finding.rule);
    const subject = storable(finding.subject);
    const digest = digestOfJson({ rule, subject, fields });
    const repeat = repeats.get(digest) ?? 0;
    repeats.set(digest, repeat + 1);
    return {
      rule,
      severity: finding.severity,
      subject,
      row: finding.row,
      message: storable(finding.message),
      fields,
      identity: `${digest}:${repeat}`,
    };
  });
  const last = new Map<string, Measure>();
  for (const { subject, name, value } of measures) {
    if (!Number.isFinite(value)) {
      throw new HdashError("permanent", `the measure ${name} of ${subject} is ${value}`);
    }
    const measure = { subject: storable(subject), name: storable(name), value };
    last.set(`${measure.subject}\0${measure.name}`, measure);
  }
  const sorted = [...last.keys()].sort().map((key) => last.get(key));
  return { findings: known, measures: sorted.filter((measure) => measure !== undefined) };
}

/** Digests facts; null where there are none. */
export function digestFacts({ findings, measures }: Facts): Digest | null {
  if (findings.length === 0 && measures.length === 0) return null;
  return digestOfJson({
    findings: findings.map((finding) => ({ ...finding })),
    measures: measures.map((measure) => ({ ...measure })),
  });
}

/** Inserts the facts of a result that has none yet. */
export async function insertFacts(
  db: Db,
  resultId: string,
  { findings, measures }: Facts,
): Promise<void> {
  for (let at = 0; at < findings.length; at += ROWS_PER_INSERT) {
    const rows = findings
      .slice(at, at + ROWS_PER_INSERT)
      .map((finding, index) => ({ ordinal: at + index, ...finding }));
    await sql`
      insert into finding (result_id, ordinal, identity, rule, severity, subject, "row", message, fields)
      select ${resultId}::bigint, f.* from jsonb_to_recordset(${storableJson(rows)}::jsonb) as f(ordinal integer, identity text,
        rule text, severity text, subject text, "row" integer, message text, fields jsonb)`.execute(
      db,
    );
  }
  for (let at = 0; at < measures.length; at += ROWS_PER_INSERT) {
    const rows = storableJson(measures.slice(at, at + ROWS_PER_INSERT));
    await sql`
      insert into measure (result_id, subject, name, value)
      select ${resultId}::bigint, m.* from jsonb_to_recordset(${rows}::jsonb) as m(subject text, name text, value double precision)`.execute(
      db,
    );
  }
}

/** Lists the findings of a run in one scope ('' for what is outside of scopes), in an order that does not depend on when steps ended. */
export async function listFindings(
  db: Db,
  runId: string,
  scope: string,
): Promise<readonly KnownFinding[]> {
  const rows = await db
    .selectFrom("step_run as s")
    .innerJoin("finding as f", "f.result_id", "s.result_id")
    .select(["f.identity", "f.rule", "f.severity", "f.subject", "f.row", "f.message", "f.fields"])
    .where("s.run_id", "=", runId)
    .where("s.scope", "=", scope)
    .where("s.state", "in", ["hit", "ran"])
    .orderBy(sql`s.step collate "C", s.step_key collate "C", f.ordinal`)
    .execute();
  return rows;
}

/** Counts the findings of a scope that one run has and an earlier one has not, and the other way round. */
export async function countDelta(
  db: Db,
  scope: string,
  runId: string,
  earlierRunId: string,
): Promise<FindingDelta> {
  // One pass that groups both sides: an anti-join would be quadratic whenever the planner has no statistics yet.
  const { rows } = await sql<{ kind: "added" | "removed"; severity: Severity; n: number }>`
    select kind, severity, count(*)::integer as n from (
      select min(f.severity) as severity, case
        when bool_and(s.run_id = ${runId}) then 'added'
        when bool_and(s.run_id = ${earlierRunId}) then 'removed' end as kind
      from step_run s join finding f on f.result_id = s.result_id
      where s.run_id in (${runId}, ${earlierRunId}) and s.scope = ${scope} and s.state in ('hit', 'ran')
      group by f.identity
    ) changed
    where kind is not null
    group by kind, severity`.execute(db);
  const delta = noDelta();
  for (const { kind, severity, n } of rows) delta[kind][severity] = n;
  return delta;
}

/** A delta of nothing. */
export function noDelta(): {
  added: Record<Severity, number>;
  removed: Record<Severity, number>;
} {
  return {
    added: { error: 0, warning: 0, info: 0 },
    removed: { error: 0, warning: 0, info: 0 },
  };
}
