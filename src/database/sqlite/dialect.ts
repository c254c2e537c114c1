import type { StatementSync } from 'node:sqlite';
import { type CompiledQuery, type Kysely, type QueryResult, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from '#kysely';
import type { Schema } from '../schema.ts';
import { queriesOver, type Speech } from '../single-connection.ts';
import type { SqliteConnection, SqlValue } from './connection.ts';

const speech: Speech = {
  createAdapter: () => new SqliteAdapter(),
  createIntrospector: (database) => new SqliteIntrospector(database),
  createQueryCompiler: () => new SqliteQueryCompiler(),
};

/**
 * Kysely over one connection whose transactions are somebody else's. Every query has run when `execute` returns its
 * promise.
 */
export function sqliteQueries(connection: SqliteConnection): Kysely<Schema> {
  return queriesOver(speech, async <R>(query: CompiledQuery): Promise<QueryResult<R>> => {
    const statement = connection.prepareArrays(query.sql);
    const parameters = query.parameters as readonly SqlValue[];
    if (columnsOf(statement).length > 0) return { rows: toObjects(statement, statement.all(...parameters) as unknown as Rows) as R[] };
    const { changes, lastInsertRowid } = statement.run(...parameters);
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  });
}

/** Describing the columns takes longer than many a statement runs, so it is asked once. */
function columnsOf(statement: StatementSync): readonly string[] {
  let known = columns.get(statement);
  if (known === undefined) {
    known = statement.columns().map(({ name }) => name);
    columns.set(statement, known);
  }
  return known;
}

const columns = new WeakMap<StatementSync, readonly string[]>();

type Rows = readonly (readonly SqlValue[])[];

/** Objects of one shape: made in half the time that the driver takes for its own. */
function toObjects(statement: StatementSync, rows: Rows): readonly Record<string, SqlValue>[] {
  const [first] = rows;
  if (first === undefined) return [];
  // A table of the statement can get a column meanwhile, from a newer version beside this one.
  if (first.length !== columnsOf(statement).length) columns.delete(statement);
  const names = columnsOf(statement);
  return rows.map((row) => {
    const object: Record<string, SqlValue> = {};
    for (let index = 0; index < names.length; index++) object[names[index]!] = row[index]!;
    return object;
  });
}
