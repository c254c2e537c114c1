import { type CompiledQuery, type DatabaseConnection, type Dialect, Kysely, type QueryResult } from '#kysely';
import type { Schema } from './schema.ts';

/** How a dialect speaks; its driver is here. */
export type Speech = Omit<Dialect, 'createDriver'>;

/** Kysely over one connection whose transactions are somebody else's. */
export function queriesOver(speech: Speech, execute: <R>(query: CompiledQuery) => Promise<QueryResult<R>>): Kysely<Schema> {
  const single: DatabaseConnection = {
    executeQuery: execute,
    streamQuery() {
      throw new TypeError('rows are read in pages, not streamed');
    },
  };
  const refused = async (): Promise<never> => {
    throw new TypeError('an operation is in a transaction already');
  };
  return new Kysely<Schema>({
    dialect: {
      ...speech,
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
