import { sql } from '#kysely';
import type { Dialect } from '../target.ts';
import { dialectWords } from './dialect.ts';
import type { Migration } from './migration.ts';

/** Sets of files that are handed over step by step and become one package, and their objects until then. */
export const writeSessions: Migration = {
  name: '0008-write-sessions',
  async up(dialect, database) {
    for (const statement of Object.values(tables(dialect))) await sql.raw(statement).execute(database);
    for (const statement of indexes) await sql.raw(statement).execute(database);
  },
  rebuildable: (dialect) => ({ tables: tables(dialect), indexes }),
};

const indexes: readonly string[] = [
  'create index if not exists write_sessions_key on write_sessions (producer, scope, idempotency_key)',
  'create index if not exists write_sessions_state on write_sessions (state, expires_at)',
  'create index if not exists write_sessions_created_by on write_sessions (created_by, state)',
  'create index if not exists write_session_objects_place on write_session_objects (place_id)',
];

function tables(dialect: Dialect): Readonly<Record<string, string>> {
  const { text, integer, table, clustered } = dialectWords[dialect];
  return {
    write_sessions: `create table if not exists write_sessions (
      id ${text} not null primary key,
      created_at ${text} not null,
      created_by ${text} not null,
      updated_at ${text} not null,
      expires_at ${text} not null,
      producer ${text} not null,
      scope ${text} not null,
      idempotency_key ${text} not null,
      request_digest ${text} not null,
      backend_id ${text} not null,
      state ${text} not null,
      reason ${text},
      package_id ${text},
      object_count ${integer} not null,
      total_bytes ${integer} not null,
      detail ${text} not null
    ) ${table}`,
    write_session_objects: `create table if not exists write_session_objects (
      session_id ${text} not null,
      name ${text} not null,
      sha256 ${text} not null,
      size_bytes ${integer} not null,
      media_type ${text} not null,
      state ${text} not null,
      place_id ${text},
      segments ${text},
      primary key (session_id, name)
    ) ${clustered}`,
  };
}
