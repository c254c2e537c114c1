import type { StatementSync } from 'node:sqlite';
import {
  type CompiledQuery,
  type DatabaseConnection,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from '#kysely';
import type { Schema } from '../schema.ts';
import type { SqliteConnection, SqlValue } from './connection.ts';

/**
 * Kysely over one connection whose transactions are somebody else's. Every query has run when `execute` returns its
 * promise.
 */
export function sqliteQueries(connection: SqliteConnection): Kysely<Schema> {
  const single: DatabaseConnection = {
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      const statement = connection.prepare(query.sql);
      const parameters = query.parameters as readonly SqlValue[];
      if (hasRows(statement)) return { rows: statement.all(...parameters) as R[] };
      const { changes, lastInsertRowid } = statement.run(...parameters);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    },
    streamQuery() {
      throw new TypeError('rows are read in pages, not streamed');
    },
  };
  const refused = async (): Promise<never> => {
    throw new TypeError('an operation is in a transaction already');
  };
  return new Kysely<Schema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createIntrospector: (database) => new SqliteIntrospector(database),
      createQueryCompiler: () => new SqliteQueryCompiler(),
      createDriver: () => ({
        init: async () => {},
        acquireConnection: async () => single,
        releaseConnection: async () => {},
        beginTransaction: refused,
        commitTransaction: refused,
        rollbackTransaction: refused,
        destroy: async () => {},
      }),
    },
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
