import { sql } from '#kysely';
import type { Dialect } from '../target.ts';
import { dialectWords } from './dialect.ts';
import type { Migration } from './migration.ts';

/** Bytes of small objects that were committed with the event that made them live, and are not in their backend yet. */
export const heldObjects: Migration = {
  name: '0006-held-objects',
  async up(dialect, database) {
    for (const statement of Object.values(tables(dialect))) await sql.raw(statement).execute(database);
    for (const statement of indexes) await sql.raw(statement).execute(database);
  },
  rebuildable: (dialect) => ({ tables: tables(dialect), indexes }),
};

/** With the size, so that what is held is counted without a look at the bytes. */
const indexes: readonly string[] = [
  'create index if not exists held_objects_key on held_objects (backend_id, object_key, sequence, size_bytes)',
];

function tables(dialect: Dialect): Readonly<Record<string, string>> {
  const { text, integer, bytes, table } = dialectWords[dialect];
  return {
    held_objects: `create table if not exists held_objects (
      sequence ${integer} not null primary key,
      backend_id ${text} not null,
      object_key ${text} not null,
      size_bytes ${integer} not null,
      bytes ${bytes} not null
    ) ${table}`,
  };
}
