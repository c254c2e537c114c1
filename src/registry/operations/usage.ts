import { type RawBuilder, sql } from '#kysely';
import type { Snapshot } from '../../database/DATABASE.ts';
import type { PackageStatus } from '../../kernel/views/view.ts';
import { countLive, goingPackages } from './collect.ts';
import type { RunKind } from './runs.ts';

/** What the views and the operational tables say, in the words of the columns. */
export interface CountedUsage {
  readonly last_sequence: number;
  readonly packages: readonly PackageGroup[];
  readonly objects: readonly { readonly backend_id: string; readonly objects: number; readonly bytes: number }[];
  readonly failed: readonly { readonly backend_id: string; readonly objects: number }[];
  readonly dead: readonly { readonly backend_id: string; readonly objects: number }[];
  readonly uploads: readonly { readonly backend_id: string; readonly uploads: number; readonly bytes: number }[];
  readonly sessions: readonly { readonly backend_id: string; readonly sessions: number; readonly bytes: number }[];
  readonly reclaimable_packages: number;
  readonly reclaimable: readonly { readonly backend_id: string; readonly objects: number; readonly bytes: number }[];
  readonly runs: readonly {
    readonly kind: RunKind;
    readonly backend_id: string;
    readonly started_at: string;
    readonly finished_at: string;
  }[];
}

export interface PackageGroup {
  readonly producer: string;
  readonly retention_class: string;
  readonly status: PackageStatus;
  readonly packages: number;
  readonly files: number;
  readonly bytes: number;
}

/** One pass over the packages and one over the objects; what can be reclaimed costs as much as there is of it. */
export async function countUsage(
  { sql: queries }: Snapshot,
  input: { readonly now: string; readonly unchanged_since: string },
): Promise<CountedUsage> {
  const head = await queries.selectFrom('log_head').select('sequence').executeTakeFirst();
  const packages = await queries
    .selectFrom('artifact_packages')
    .select(({ fn }) => [
      inAnyOrder('producer').as('producer'),
      'retention_class',
      'status',
      fn.countAll<number>().as('packages'),
      fn.sum<number>('file_count').as('files'),
      fn.sum<number>('total_bytes').as('bytes'),
    ])
    .groupBy([inAnyOrder('producer'), 'retention_class', 'status'])
    .execute();
  const objects = await countLive({ sql: queries }, {});
  const failed = await queries
    .selectFrom('storage_locations')
    .select(['backend_id', sql<number>`count(distinct content_address)`.as('objects')])
    .where('state', '=', sql.lit('failed'))
    .groupBy('backend_id')
    .execute();
  const dead = await queries
    .selectFrom('dead_keys')
    .select(({ fn }) => ['backend_id', fn.countAll<number>().as('objects')])
    .groupBy('backend_id')
    .execute();
  const uploads = await queries
    .selectFrom('uploads')
    .select(({ fn }) => ['backend_id', fn.countAll<number>().as('uploads'), fn.sum<number>('offset_bytes').as('bytes')])
    .where('state', '=', 'open')
    .groupBy('backend_id')
    .execute();
  const sessions = await queries
    .selectFrom('write_sessions')
    .select(({ fn }) => ['backend_id', fn.countAll<number>().as('sessions'), fn.sum<number>('total_bytes').as('bytes')])
    .where('state', 'in', ['open', 'committing'])
    .groupBy('backend_id')
    .execute();
  const going = goingPackages(input.now, input.unchanged_since);
  const { rows: counted } = await sql<{ readonly packages: number }>`
    with going (id) as (${going}) select count(*) as packages from going`.execute(queries);
  const { rows: reclaimable } = await sql<{ readonly backend_id: string; readonly objects: number; readonly bytes: number }>`
    with going (id) as (${going}), touched (backend_id, content_address) as (
      select distinct l.backend_id, l.content_address from going g cross join storage_locations l
      where l.package_id = g.id and l.state <> 'deleted')
    select o.backend_id, count(*) as objects, sum(o.size_bytes) as bytes
    from touched t cross join storage_objects o
    where o.backend_id = t.backend_id and o.content_address = t.content_address and not exists (
      select 1 from storage_locations k where k.backend_id = t.backend_id and k.content_address = t.content_address and k.state <> 'deleted'
        and k.package_id not in (select id from going))
    group by o.backend_id`.execute(queries);
  const runs = await queries.selectFrom('runs').selectAll().execute();
  return {
    last_sequence: head?.sequence ?? 0,
    packages: packages.map((row) => ({ ...row, packages: Number(row.packages), files: Number(row.files), bytes: Number(row.bytes) })),
    objects,
    failed: failed.map((row) => ({ backend_id: row.backend_id, objects: Number(row.objects) })),
    dead: dead.map((row) => ({ backend_id: row.backend_id, objects: Number(row.objects) })),
    uploads: uploads.map((row) => ({ backend_id: row.backend_id, uploads: Number(row.uploads), bytes: Number(row.bytes) })),
    sessions: sessions.map((row) => ({ backend_id: row.backend_id, sessions: Number(row.sessions), bytes: Number(row.bytes) })),
    reclaimable_packages: Number(counted[0]?.packages ?? 0),
    reclaimable: reclaimable.map((row) => ({ backend_id: row.backend_id, objects: Number(row.objects), bytes: Number(row.bytes) })),
    runs: runs as CountedUsage['runs'],
  };
}

/**
 * The column as an expression: grouped by the bare one, SQLite walks an index in its order and jumps to every row,
 * seven times slower than reading the table from its beginning to its end.
 */
function inAnyOrder(column: string): RawBuilder<string> {
  return sql`${sql.ref(column)} || ''`;
}
