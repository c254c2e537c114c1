import { type CompiledQuery, type Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, type QueryResult } from '#kysely';
import type { Schema } from '../schema.ts';
import { queriesOver, type Speech } from '../single-connection.ts';
import type { PostgresConnection } from './connection.ts';

const speech: Speech = {
  createAdapter: () => new PostgresAdapter(),
  createIntrospector: (database) => new PostgresIntrospector(database),
  createQueryCompiler: () => new PostgresQueryCompiler(),
};

/** Kysely over one connection whose transactions are somebody else's. */
export function postgresQueries(connection: PostgresConnection): Kysely<Schema> {
  return queriesOver(speech, async <R>(query: CompiledQuery): Promise<QueryResult<R>> => {
    const { command, rowCount, rows } = await connection.query(query.sql, [...query.parameters]);
    const changes = command === 'INSERT' || command === 'UPDATE' || command === 'DELETE' || command === 'MERGE';
    return { rows: rows as R[], ...(changes ? { numAffectedRows: BigInt(rowCount ?? 0) } : {}) };
  });
}
