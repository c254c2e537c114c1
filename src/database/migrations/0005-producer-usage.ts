import { type Kysely, sql } from '#kysely';
import type { Schema } from '../schema.ts';
import type { Dialect } from '../target.ts';
import { dialectWords } from './dialect.ts';
import type { Migration } from './migration.ts';

/**
 * What each producer has, so that a quota can be held without counting. It is the sum of the rows of
 * `artifact_packages`, and triggers on that table keep it: whoever changes a package changes the sum in the same
 * statement, be it a write, a replay, a restore, or a server of an earlier version that is still running.
 */
export const producerUsage: Migration = {
  name: '0005-producer-usage',
  async up(dialect, database) {
    const { tables, triggers } = rebuildable(dialect);
    for (const statement of Object.values(tables)) await sql.raw(statement).execute(database);
    // They wait for the writers of now and keep new ones out, so that what is summed after them is all there was.
    for (const statements of Object.values(triggers)) for (const statement of statements) await sql.raw(statement).execute(database);
    await sumPackages(database);
  },
  rebuildable,
};

/** Into the table, which is empty: the view itself, or one like it. */
export async function sumPackages(database: Kysely<Schema>, into = 'producer_usage'): Promise<void> {
  await sql`insert into ${sql.table(into)} (producer, packages, files, bytes)
    select producer, sum(kept), sum(kept * file_count), sum(kept * total_bytes) from (
      select producer, file_count, total_bytes, case when status in ('created', 'finalized') then 1 else 0 end as kept
      from artifact_packages) as package
    group by producer`.execute(database);
}

function rebuildable(dialect: Dialect) {
  const { text, integer, clustered } = dialectWords[dialect];
  return {
    tables: {
      producer_usage: `create table if not exists producer_usage (
        producer ${text} not null primary key,
        packages ${integer} not null,
        files ${integer} not null,
        bytes ${integer} not null
      ) ${clustered}`,
    },
    indexes: [],
    triggers: triggers[dialect],
  };
}

const kept = (row: string) => `(${row}.status in ('created', 'finalized'))`;

/** Row by row, which is all that there is; a write changes a package's row once, however many files it adds. */
const sqliteTriggers: Readonly<Record<string, readonly string[]>> = {
  producer_usage_inserted: [
    `create trigger if not exists producer_usage_inserted after insert on artifact_packages begin
      insert into producer_usage (producer, packages, files, bytes)
      values (new.producer, ${kept('new')}, ${kept('new')} * new.file_count, ${kept('new')} * new.total_bytes)
      on conflict (producer) do update set
        packages = packages + excluded.packages, files = files + excluded.files, bytes = bytes + excluded.bytes;
    end`,
  ],
  producer_usage_updated: [
    `create trigger if not exists producer_usage_updated after update of status, file_count, total_bytes on artifact_packages begin
      update producer_usage set
        packages = packages + ${kept('new')} - ${kept('old')},
        files = files + ${kept('new')} * new.file_count - ${kept('old')} * old.file_count,
        bytes = bytes + ${kept('new')} * new.total_bytes - ${kept('old')} * old.total_bytes
      where producer = new.producer;
    end`,
  ],
};

/** One run for each statement, whose rows are summed. */
const postgresTriggers: Readonly<Record<string, readonly string[]>> = {
  producer_usage_inserted: [
    `create or replace function producer_usage_inserted() returns trigger language plpgsql as $$ begin
      insert into producer_usage as u (producer, packages, files, bytes)
        select producer, sum(kept), sum(kept * file_count), sum(kept * total_bytes) from (
          select producer, file_count, total_bytes, ${kept('added')}::integer as kept from added) as package
        group by producer
      on conflict (producer) do update set
        packages = u.packages + excluded.packages, files = u.files + excluded.files, bytes = u.bytes + excluded.bytes;
      return null;
    end $$`,
    whereMissing(
      'producer_usage_inserted',
      `create trigger producer_usage_inserted after insert on artifact_packages
        referencing new table as added for each statement execute function producer_usage_inserted()`,
    ),
  ],
  producer_usage_updated: [
    `create or replace function producer_usage_updated() returns trigger language plpgsql as $$ begin
      update producer_usage as u set packages = u.packages + d.packages, files = u.files + d.files, bytes = u.bytes + d.bytes
      from (
        select producer, sum(kept) as packages, sum(kept * file_count) as files, sum(kept * total_bytes) as bytes from (
          select producer, file_count, total_bytes, ${kept('after')}::integer as kept from after
          union all
          select producer, file_count, total_bytes, -${kept('before')}::integer from before) as package
        group by producer) as d
      where u.producer = d.producer and (d.packages, d.files, d.bytes) is distinct from (0, 0, 0);
      return null;
    end $$`,
    whereMissing(
      'producer_usage_updated',
      `create trigger producer_usage_updated after update on artifact_packages
        referencing old table as before new table as after for each statement execute function producer_usage_updated()`,
    ),
  ],
};

const triggers: Readonly<Record<Dialect, Readonly<Record<string, readonly string[]>>>> = {
  sqlite: sqliteTriggers,
  postgresql: postgresTriggers,
};

/**
 * To make or enable a trigger takes a lock on its table that keeps writers out; where it is there and enabled, nothing
 * is locked.
 */
function whereMissing(name: string, statement: string): string {
  const there = `select from pg_trigger where tgname = '${name}' and tgrelid = 'artifact_packages'::regclass`;
  return `do $do$ begin
    if not exists (${there}) then
      ${statement};
    elsif exists (${there} and tgenabled not in ('O', 'A')) then
      alter table artifact_packages enable trigger ${name};
    end if;
  end $do$`;
}
