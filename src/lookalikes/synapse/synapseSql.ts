// The part of Synapse's SQL that the look-alike understands:
//   SELECT columns | * | COUNT(*) FROM syn… [WHERE column = 'text' [AND …]] [ORDER BY column [ASC|DESC], …] [LIMIT n [OFFSET m]]

import type { World } from "./worldFiles.ts";

export interface Query {
  /** "count" for COUNT(*), else the columns. */
  readonly select: "count" | readonly string[];
  readonly table: string;
  readonly where: readonly { readonly column: string; readonly value: string }[];
  readonly orderBy: readonly { readonly column: string; readonly isDescending: boolean }[];
  readonly limit: number | null;
  readonly offset: number;
}

/** SQL that the look-alike does not take; becomes a 400 whose reason is the message. */
export class SqlError extends Error {}

/** A column as Synapse describes it. */
export function columnType(column: string): string {
  if (/^(id|parentId|projectId|benefactorId)$/.test(column)) return "ENTITYID";
  if (/^(createdOn|modifiedOn)$/.test(column)) return "DATE";
  if (/^(createdBy|modifiedBy)$/.test(column)) return "USERID";
  if (/^(dataFileSizeBytes|currentVersion)$/.test(column)) return "INTEGER";
  return column === "dataFileHandleId" ? "FILEHANDLEID" : "STRING";
}

const TOKEN = /\s*(?:'((?:[^']|'')*)'|"((?:[^"]|"")*)"|([A-Za-z_][\w.]*)|(\d+)|([(),*=]))\s*/y;

type Token =
  | { readonly kind: "text" | "column" | "number" | "sign"; readonly text: string }
  | { readonly kind: "word"; readonly text: string; readonly upper: string };

function tokensOf(sql: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < sql.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(sql);
    if (match === null) {
      throw new SqlError(`Lexical error at line 1, column ${at + 1}: ${sql.slice(at, at + 20)}`);
    }
    const [, text, column, word, number, sign] = match;
    if (text !== undefined) tokens.push({ kind: "text", text: text.replaceAll("''", "'") });
    else if (column !== undefined)
      tokens.push({ kind: "column", text: column.replaceAll('""', '"') });
    else if (word !== undefined)
      tokens.push({ kind: "word", text: word, upper: word.toUpperCase() });
    else if (number !== undefined) tokens.push({ kind: "number", text: number });
    else tokens.push({ kind: "sign", text: sign ?? "" });
  }
  return tokens;
}

/** Parses SQL. Throws SqlError for whatever it does not understand, naming the first word that it does not. */
export function parseSql(sql: string): Query {
  const tokens = tokensOf(sql);
  let at = 0;
  const isNext = (text: string): boolean => {
    const token = tokens[at];
    return token !== undefined && (token.kind === "word" ? token.upper : token.text) === text;
  };
  const refuse = (wanted: string): never => {
    const token = tokens[at];
    throw new SqlError(
      token === undefined
        ? `Encountered the end of the query where ${wanted} was expected`
        : `Encountered "${token.text}" where ${wanted} was expected`,
    );
  };
  const take = (text: string): boolean => {
    const token = tokens[at];
    if (token === undefined || token.kind === "text" || token.kind === "column") return false;
    if (!isNext(text)) return false;
    at++;
    return true;
  };
  const expect = (text: string): void => {
    if (!take(text)) refuse(text);
  };
  const name = (wanted: string): string => {
    const token = tokens[at];
    if (token === undefined || (token.kind !== "word" && token.kind !== "column")) {
      return refuse(wanted);
    }
    at++;
    return token.text;
  };
  const literal = (kinds: readonly Token["kind"][], wanted: string): string => {
    const token = tokens[at];
    if (token === undefined || !kinds.includes(token.kind)) return refuse(wanted);
    at++;
    return token.text;
  };
  const listOf = <T>(item: () => T): readonly T[] => {
    const items = [item()];
    while (take(",")) items.push(item());
    return items;
  };

  expect("SELECT");
  const select = readSelect();
  expect("FROM");
  const table = name("a table");
  const where: { column: string; value: string }[] = [];
  if (take("WHERE")) {
    do {
      const column = name("a column");
      expect("=");
      where.push({ column, value: literal(["text", "number"], "a value") });
    } while (take("AND"));
  }
  let orderBy: Query["orderBy"] = [];
  if (take("ORDER")) {
    expect("BY");
    orderBy = listOf(() => {
      const column = name("a column");
      const isDescending = take("DESC");
      if (!isDescending) take("ASC");
      return { column, isDescending };
    });
  }
  const limit = take("LIMIT") ? Number(literal(["number"], "a number")) : null;
  const offset = limit !== null && take("OFFSET") ? Number(literal(["number"], "a number")) : 0;
  if (at < tokens.length) refuse("the end of the query");
  return { select, table, where, orderBy, limit, offset };

  function readSelect(): Query["select"] {
    if (take("*")) return ["*"];
    if (!isNext("COUNT")) return listOf(() => name("a column"));
    expect("COUNT");
    expect("(");
    expect("*");
    expect(")");
    return "count";
  }
}

/** Names the columns of a query's result, "*" spelled out. Throws SqlError for a column that the view does not have. */
export function columnsOf(world: World, query: Query): readonly string[] {
  const named = [...query.where, ...query.orderBy].map(({ column }) => column);
  const selected = query.select === "count" ? [] : query.select;
  for (const column of [...selected, ...named]) {
    if (column !== "*" && !world.columns.includes(column)) {
      throw new SqlError(`Unknown column ${column} in ${query.table}`);
    }
  }
  if (query.select === "count") return ["COUNT(*)"];
  return query.select[0] === "*" ? world.columns : query.select;
}

/** Finds the rows that a query selects, in its order, within its limit. Rows of `hidden` projects are not seen. */
export function selectRows(
  world: World,
  query: Query,
  hidden: ReadonlySet<string>,
): readonly number[] {
  const project = query.where.find(({ column }) => column === "projectId")?.value;
  const entity = query.where.find(({ column }) => column === "id")?.value;
  let rows: readonly number[];
  if (project !== undefined) rows = world.rowsOf(project);
  else if (entity !== undefined) rows = [world.indexOf(entity)].filter((row) => row !== null);
  else rows = Array.from({ length: world.count }, (_, row) => row);

  const projectAt = world.columns.indexOf("projectId");
  if (hidden.size > 0) rows = rows.filter((row) => !hidden.has(world.row(row)[projectAt] ?? ""));
  const isAnswered = query.where.length === 1 && project !== undefined;
  const tests = (isAnswered ? [] : query.where).map(({ column, value }) => {
    return { at: world.columns.indexOf(column), value };
  });
  if (tests.length > 0) {
    rows = rows.filter((row) => {
      const cells = world.row(row);
      return tests.every(({ at, value }) => cells[at] === value);
    });
  }
  if (query.orderBy.length > 0) rows = sortRows(world, rows, query.orderBy);
  return rows.slice(query.offset, query.limit === null ? undefined : query.offset + query.limit);
}

function sortRows(
  world: World,
  rows: readonly number[],
  orderBy: Query["orderBy"],
): readonly number[] {
  const keys = orderBy.map(({ column, isDescending }) => ({
    at: world.columns.indexOf(column),
    isNumber: /^(DATE|INTEGER)$/.test(columnType(column)),
    sign: isDescending ? -1 : 1,
  }));
  const decorated = rows.map((row) => {
    const cells = world.row(row);
    return { row, values: keys.map(({ at }) => cells[at] ?? "") };
  });
  decorated.sort((left, right) => {
    for (const [key, { isNumber, sign }] of keys.entries()) {
      const [a, b] = [left.values[key] ?? "", right.values[key] ?? ""];
      const order = isNumber ? Number(a) - Number(b) : a < b ? -1 : a > b ? 1 : 0;
      if (order !== 0) return order * sign;
    }
    return 0;
  });
  return decorated.map(({ row }) => row);
}
