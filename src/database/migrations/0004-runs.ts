import { sql } from '#kysely';
import type { Dialect } from '../target.ts';
import { dialectWords } from './dialect.ts';
import type { Migration } from './migration.ts';

/**
 * Remembers when maintenance last came to its end, and lets what lies in a backend be summed without reading its rows.
 */
export const runs: Migration = {
  name: '0004-runs',
  async up(dialect, database) {
    for (const statement of Object.values(tables(dialect))) await sql.raw(statement).execute(database);
    for (const statement of indexes) await sql.raw(statement).execute(database);
  },
  rebuildable: (dialect) => ({ tables: tables(dialect), indexes }),
};

const indexes: readonly string[] = [
  'create index if not exists storage_objects_bytes on storage_objects (backend_id, size_bytes) where live_generation is not null',
];

function tables(dialect: Dialect): Readonly<Record<string, string>> {
  const { text, clustered } = dialectWords[dialect];
  return {
    runs: `create table if not exists runs (
      kind ${text} not null,
      backend_id ${text} not null,
      started_at ${text} not null,
      finished_at ${text} not null,
      primary key (kind, backend_id)
    ) ${clustered}`,
  };
}
