import { type Kysely, sql } from '#kysely';
import { chainStart } from '../../kernel/log/event.ts';
import type { Clock } from '../clock.ts';
import type { Schema } from '../schema.ts';
import type { Dialect } from '../target.ts';
import { dialectWords } from './dialect.ts';
import type { Migration } from './migration.ts';

export const initial: Migration = {
  name: '0001-initial',
  async up(dialect: Dialect, database: Kysely<Schema>, clock: Clock) {
    for (const statement of [...Object.values(tables(dialect)), ...indexes, ...immutableEvents[dialect]])
      await sql.raw(statement).execute(database);
    await database.insertInto('registry').values({ id: clock.newId(), format_version: 1, created_at: clock.now() }).execute();
    await database.insertInto('log_head').values({ id: 1, sequence: 0, chain_digest: chainStart }).execute();
  },
  rebuildable(dialect) {
    const { registry: _registry, events: _events, ...rest } = tables(dialect);
    return {
      tables: Object.fromEntries(Object.entries(rest).map(([name, statement]) => [name, whereMissing(statement)])),
      indexes: indexes.map(whereMissing),
    };
  },
};

function whereMissing(statement: string): string {
  return statement.replace(/^create (table|index|unique index) /, 'create $1 if not exists ');
}

/** Those of migrations that came after. */
type LaterTable = 'storage_markers' | 'runs' | 'producer_usage' | 'held_objects' | 'write_sessions' | 'write_session_objects';

function tables(dialect: Dialect): Readonly<Record<Exclude<keyof Schema, LaterTable>, string>> {
  const { text, integer, bytes, table, clustered } = dialectWords[dialect];
  return {
    registry: `create table registry (id ${text} not null primary key, format_version ${integer} not null, created_at ${text} not null) ${table}`,

    events: `create table events (
      sequence ${integer} not null primary key,
      created_at ${text} not null,
      event_type ${text} not null,
      subject_kind ${text} not null,
      subject_id ${text} not null,
      actor ${text} not null,
      payload ${bytes} not null,
      payload_digest ${bytes} not null,
      chain_digest ${bytes} not null
    ) ${table}`,

    artifact_packages: `create table artifact_packages (
      id ${text} not null primary key,
      name ${text} not null,
      producer ${text} not null,
      subject ${text} not null,
      retention_class ${text} not null,
      status ${text} not null,
      metadata ${text} not null,
      metadata_schema_slug ${text},
      created_at ${text} not null,
      created_by ${text} not null,
      finalized_at ${text},
      manifest_digest ${text},
      file_count ${integer} not null,
      total_bytes ${integer} not null,
      live_locations ${integer} not null,
      changed_at ${text} not null,
      created_sequence ${integer} not null,
      finalized_sequence ${integer}
    ) ${table}`,

    package_metadata: `create table package_metadata (
      term ${text} not null,
      created_sequence ${integer} not null,
      package_id ${text} not null,
      primary key (term, created_sequence)
    ) ${clustered}`,

    artifact_files: `create table artifact_files (
      id ${text} not null primary key,
      package_id ${text} not null,
      relative_path ${text} not null,
      media_type ${text} not null,
      size_bytes ${integer} not null,
      digest_algorithm ${text} not null,
      digest_primary ${text} not null,
      digest_sha256 ${text} not null,
      content_address ${text} not null,
      annotations ${text} not null,
      created_at ${text} not null,
      created_sequence ${integer} not null
    ) ${table}`,

    storage_objects: `create table storage_objects (
      backend_id ${text} not null,
      content_address ${text} not null,
      state ${text} not null,
      live_generation ${integer},
      next_generation ${integer} not null,
      object_key ${text},
      digest_sha256 ${text},
      size_bytes ${integer},
      primary key (backend_id, content_address)
    ) ${table}`,

    storage_locations: `create table storage_locations (
      id ${text} not null primary key,
      file_id ${text} not null,
      package_id ${text} not null,
      backend_id ${text} not null,
      content_address ${text} not null,
      generation ${integer} not null,
      object_key ${text} not null,
      state ${text} not null,
      stored_at ${text} not null,
      verified_at ${text},
      failed_reason ${text},
      retrieval_tier ${text} not null,
      restore_status ${text}
    ) ${table}`,

    retention_state: `create table retention_state (
      package_id ${text} not null primary key,
      retention_class ${text} not null,
      expires_at ${text},
      eligible_at ${text},
      ended_at ${text}
    ) ${clustered}`,

    retention_holds: `create table retention_holds (
      id ${text} not null primary key,
      package_id ${text} not null,
      reason ${text} not null,
      owner ${text} not null,
      applied_at ${text} not null,
      released_at ${text},
      released_by ${text},
      release_reason ${text}
    ) ${clustered}`,

    metadata_schemas: `create table metadata_schemas (
      slug ${text} not null primary key,
      json_schema ${text} not null,
      created_at ${text} not null,
      created_by ${text} not null,
      created_sequence ${integer} not null
    ) ${table}`,

    log_head: `create table log_head (
      id ${integer} not null primary key check (id = 1),
      sequence ${integer} not null,
      chain_digest ${bytes} not null
    ) ${table}`,

    leases: `create table leases (name ${text} not null primary key, holder ${text} not null, expires_at ${text} not null) ${table}`,

    uploads: `create table uploads (
      id ${text} not null primary key,
      created_at ${text} not null,
      created_by ${text} not null,
      updated_at ${text} not null,
      backend_id ${text} not null,
      draft_id ${text} not null,
      expected_size_bytes ${integer},
      media_type ${text},
      offset_bytes ${integer} not null,
      state ${text} not null,
      detail ${text} not null
    ) ${table}`,

    idempotency_keys: `create table idempotency_keys (
      producer ${text} not null,
      idempotency_key ${text} not null,
      request_digest ${text} not null,
      package_id ${text} not null,
      created_at ${text} not null,
      primary key (producer, idempotency_key)
    ) ${clustered}`,

    dead_keys: `create table dead_keys (
      backend_id ${text} not null,
      object_key ${text} not null,
      since ${text} not null,
      primary key (backend_id, object_key)
    ) ${clustered}`,

    block_digests: `create table block_digests (
      content_address ${text} not null primary key,
      block_bytes ${integer} not null,
      digests ${bytes} not null
    ) ${table}`,

    verification_progress: `create table verification_progress (
      backend_id ${text} not null primary key,
      run_id ${text} not null,
      cursor ${text} not null,
      started_at ${text} not null,
      updated_at ${text} not null,
      detail ${text} not null
    ) ${table}`,
  };
}

const indexes: readonly string[] = [
  'create index events_subject on events (subject_kind, subject_id, sequence)',
  'create index events_type on events (event_type, sequence)',
  'create unique index artifact_packages_sequence on artifact_packages (created_sequence)',
  'create index artifact_packages_producer on artifact_packages (producer, created_sequence)',
  'create index artifact_packages_subject on artifact_packages (subject, created_sequence)',
  'create index artifact_packages_retention_class on artifact_packages (retention_class, created_sequence)',
  'create index artifact_packages_status on artifact_packages (status, created_sequence)',
  "create index artifact_packages_open on artifact_packages (changed_at) where status = 'created'",
  'create index artifact_packages_reclaimable on artifact_packages (status) where live_locations > 0',
  'create unique index artifact_files_path on artifact_files (package_id, relative_path)',
  'create index artifact_files_content_address on artifact_files (content_address, created_sequence)',
  'create index storage_objects_sha256 on storage_objects (digest_sha256)',
  'create index storage_locations_file on storage_locations (file_id)',
  'create index storage_locations_package on storage_locations (package_id)',
  "create index storage_locations_object on storage_locations (backend_id, content_address) where state <> 'deleted'",
  "create index storage_locations_failed on storage_locations (backend_id) where state = 'failed'",
  'create index retention_state_expiry on retention_state (expires_at) where expires_at is not null and eligible_at is null and ended_at is null',
  'create index retention_state_eligible on retention_state (eligible_at) where eligible_at is not null and ended_at is null',
  'create index retention_holds_package on retention_holds (package_id)',
  'create index retention_holds_active on retention_holds (package_id) where released_at is null',
  'create index metadata_schemas_sequence on metadata_schemas (created_sequence)',
  'create index uploads_updated on uploads (updated_at)',
];

const immutableEvents: Readonly<Record<Dialect, readonly string[]>> = {
  sqlite: [
    "create trigger events_not_updated before update on events begin select raise(abort, 'events are never changed'); end",
    "create trigger events_not_deleted before delete on events begin select raise(abort, 'events are never changed'); end",
  ],
  postgresql: [
    `create function events_never_change() returns trigger language plpgsql as
      $$ begin raise exception 'events are never changed'; end $$`,
    'create trigger events_not_changed before update or delete or truncate on events for each statement execute function events_never_change()',
  ],
};
