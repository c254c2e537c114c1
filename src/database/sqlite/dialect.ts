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
    const statement = connection.prepare(query.sql);
    const parameters = query.parameters as readonly SqlValue[];
    if (hasRows(statement)) return { rows: statement.all(...parameters) as R[] };
    const { changes, lastInsertRowid } = statement.run(...parameters);
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  });
}

/** Describing the columns takes longer than many a statement runs, so it is asked once. */
function hasRows(statement: StatementSync): boolean {
  let known = withRows.get(statement);
  if (known === undefined) {
    known = statement.columns().length > 0;
    withRows.set(statement, known);
  }
  return known;
}

const withRows = new WeakMap<StatementSync, boolean>();
