import {
  type CompiledQuery,
  type DatabaseConnection,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from '#kysely';
import type { Schema } from '../schema.ts';
import type { PostgresConnection } from './connection.ts';

/** Kysely over one connection whose transactions are somebody else's. */
export function postgresQueries(connection: PostgresConnection): Kysely<Schema> {
  const single: DatabaseConnection = {
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      const { command, rowCount, rows } = await connection.query(query.sql, [...query.parameters]);
      const changes = command === 'INSERT' || command === 'UPDATE' || command === 'DELETE' || command === 'MERGE';
      return { rows: rows as R[], ...(changes ? { numAffectedRows: BigInt(rowCount ?? 0) } : {}) };
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
      createAdapter: () => new PostgresAdapter(),
      createIntrospector: (database) => new PostgresIntrospector(database),
      createQueryCompiler: () => new PostgresQueryCompiler(),
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
