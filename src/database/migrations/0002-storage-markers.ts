import { sql } from '#kysely';
import type { Dialect } from '../target.ts';
import { dialectWords } from './dialect.ts';
import type { Migration } from './migration.ts';

/** Remembers in which backends the registry's marker was seen. */
export const storageMarkers: Migration = {
  name: '0002-storage-markers',
  async up(dialect, database) {
    for (const statement of Object.values(tables(dialect))) await sql.raw(statement).execute(database);
  },
  rebuildable: (dialect) => ({ tables: tables(dialect), indexes: [] }),
};

function tables(dialect: Dialect): Readonly<Record<string, string>> {
  const { text, clustered } = dialectWords[dialect];
  return {
    storage_markers: `create table if not exists storage_markers (
      backend_id ${text} not null primary key,
      recorded_at ${text} not null
    ) ${clustered}`,
  };
}
