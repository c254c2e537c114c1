import { type Kysely, type RawBuilder, type SqlBool, sql } from '#kysely';
import type { Snapshot, Transaction } from '../../database/DATABASE.ts';
import type { Schema } from '../../database/schema.ts';
import type { CollectionPlan } from '../upkeep/OPERATOR.ts';
import { eligiblePackages, notHeld } from './due-packages.ts';
import { type DeadKey, rememberDead } from './objects.ts';

/**
 * Collection, in steps that are each one transaction: whatever a stopped run leaves, the next one finds in the views
 * and continues. Two runs at once share the work, since each step looks for itself.
 */

export interface CollectStep {
  readonly actor: string;
  readonly limit: number;
}

/** Abandons packages that were never sealed, that nobody holds, and that did not change since `unchangedSince`. */
export async function abandonUnfinalized(
  transaction: Transaction,
  input: CollectStep & { readonly unchanged_since: string },
): Promise<readonly string[]> {
  const ids = await unfinalized(transaction.sql, input.unchanged_since, input.limit);
  for (const id of ids)
    transaction.append({
      event_type: 'v1.package.abandoned',
      subject_kind: 'package',
      subject_id: id,
      actor: input.actor,
      payload: { package_id: id, cause: 'unfinalized', reason: null },
    });
  return ids;
}

/**
 * Decides that eligible packages are collected: from here on nothing can keep them. Looks again at holds and expiry.
 */
export async function collectPackages(transaction: Transaction, input: CollectStep): Promise<readonly string[]> {
  const rows = await eligiblePackages(transaction.sql, transaction.now).limit(input.limit).execute();
  for (const row of rows)
    transaction.append({
      event_type: 'v1.package.garbage_collected',
      subject_kind: 'package',
      subject_id: row.id,
      actor: input.actor,
      payload: { package_id: row.id, location_count: row.live_locations },
    });
  return rows.map((row) => row.id);
}

export interface Released {
  readonly locations: number;
  /** Packages that have nothing left. */
  readonly packages: number;
  readonly dead: readonly DeadKey[];
}

/**
 * Releases up to `limit` locations of collected and abandoned packages, and ends the objects that no live location
 * needs.
 */
export async function releaseLocations(transaction: Transaction, input: CollectStep): Promise<Released> {
  const locations = await transaction.sql
    .selectFrom('artifact_packages as p')
    .innerJoin('storage_locations as l', 'l.package_id', 'p.id')
    .select(['l.id', 'l.file_id', 'l.package_id', 'l.backend_id', 'l.content_address', 'l.generation', 'l.object_key', 'p.live_locations'])
    .where(reclaimable('p.live_locations', 'p.status'))
    .where('l.state', '<>', sql.lit('deleted'))
    .limit(input.limit)
    .execute();
  const needed = await countLocations(transaction.sql, locations, locations.length);
  const dead: DeadKey[] = [];
  const left = new Map<string, number>();
  for (const location of locations) {
    const object = `${location.backend_id} ${location.content_address}`;
    const others = needed.get(object)! - 1;
    needed.set(object, others);
    left.set(location.package_id, (left.get(location.package_id) ?? location.live_locations) - 1);
    transaction.append({
      event_type: 'v1.storage.location_deleted',
      subject_kind: 'location',
      subject_id: location.id,
      actor: input.actor,
      payload: {
        location_id: location.id,
        file_id: location.file_id,
        package_id: location.package_id,
        backend_id: location.backend_id,
        content_address: location.content_address,
        generation: location.generation,
        object_key: location.object_key,
        bytes: others === 0 ? 'release' : 'shared',
      },
    });
    if (others === 0) dead.push({ backend_id: location.backend_id, object_key: location.object_key });
  }
  await rememberDead(transaction, dead);
  return { locations: locations.length, packages: [...left.values()].filter((count) => count === 0).length, dead };
}

/** How many bytes and objects of each backend the log says are there: live and failed ones. */
export async function countLive(
  snapshot: Snapshot,
  _input: Record<string, never>,
): Promise<readonly { readonly backend_id: string; readonly objects: number; readonly bytes: number }[]> {
  const rows = await snapshot.sql
    .selectFrom('storage_objects')
    .select(({ fn }) => ['backend_id', fn.countAll<number>().as('objects'), fn.sum<number>('size_bytes').as('bytes')])
    .where('live_generation', 'is not', null)
    .groupBy('backend_id')
    .execute();
  return rows.map((row) => ({ backend_id: row.backend_id, objects: Number(row.objects), bytes: Number(row.bytes) }));
}

/** What the log says of what a run would do, in numbers that are exact while nobody else writes. */
export async function planCollection(
  snapshot: Snapshot,
  input: { readonly now: string; readonly unchanged_since: string },
): Promise<Omit<CollectionPlan, 'delete_orphans' | 'expire_uploads' | 'expire_write_sessions' | 'reclaim_drafts'>> {
  const all = Number.MAX_SAFE_INTEGER;
  const abandon = await unfinalized(snapshot.sql, input.unchanged_since, all);
  const collect = (await eligiblePackages(snapshot.sql, input.now).execute()).map((row) => row.id);
  const goes = new Set([...abandon, ...collect]);
  const ended = await snapshot.sql.selectFrom('artifact_packages').select('id').where(reclaimable('live_locations', 'status')).execute();
  for (const row of ended) goes.add(row.id);
  let locations = 0;
  const freed = new Map<string, Map<string, number>>();
  const ids = [...goes];
  for (let start = 0; start < ids.length; start += 500) {
    const rows = await snapshot.sql
      .selectFrom('storage_locations')
      .select(({ fn }) => ['backend_id', 'content_address', fn.countAll<number>().as('count')])
      .where('package_id', 'in', ids.slice(start, start + 500))
      .where('state', '<>', 'deleted')
      .groupBy(['backend_id', 'content_address'])
      .execute();
    for (const row of rows) {
      locations += Number(row.count);
      const objects = freed.get(row.backend_id) ?? new Map<string, number>();
      freed.set(row.backend_id, objects.set(row.content_address, (objects.get(row.content_address) ?? 0) + Number(row.count)));
    }
  }
  const delete_objects = [];
  for (const [backend_id, objects] of freed) delete_objects.push({ backend_id, ...(await countFreed(snapshot.sql, backend_id, objects)) });
  return { abandon_package_ids: abandon, collect_package_ids: collect, release_locations: locations, delete_objects };
}

/**
 * Packages whose bytes a collection would release now: ended ones that still have some, eligible ones, and those that
 * nobody sealed. `cross join` keeps SQLite from looking at every sealed package.
 */
export function goingPackages(now: string, unchangedSince: string): RawBuilder<unknown> {
  return sql`
    select e.id from artifact_packages as e where ${reclaimable('e.live_locations', 'e.status')}
    union select p.id from retention_state as r cross join artifact_packages as p
      where p.id = r.package_id and r.eligible_at is not null and r.ended_at is null and r.expires_at <= ${now} and p.status = 'finalized' and ${notHeld('p.id')}
    union select u.id from artifact_packages as u where u.status = 'created' and u.changed_at < ${unchangedSince} and ${notHeld('u.id')}`;
}

/** Of objects with the number of locations that go, those that then have none. */
async function countFreed(
  database: Kysely<Schema>,
  backendId: string,
  going: ReadonlyMap<string, number>,
): Promise<{ readonly objects: number; readonly bytes: number }> {
  const addresses = [...going.keys()];
  const objects = addresses.map((content_address) => ({ backend_id: backendId, content_address }));
  const needed = await countLocations(
    database,
    objects,
    going.values().reduce((most, count) => Math.max(most, count), 0),
  );
  const free = addresses.filter((address) => needed.get(`${backendId} ${address}`) === going.get(address));
  let bytes = 0;
  for (let start = 0; start < free.length; start += 500) {
    const rows = await database
      .selectFrom('storage_objects')
      .select(({ fn }) => fn.sum<number>('size_bytes').as('bytes'))
      .where('backend_id', '=', backendId)
      .where('content_address', 'in', free.slice(start, start + 500))
      .executeTakeFirst();
    bytes += Number(rows?.bytes ?? 0);
  }
  return { objects: free.length, bytes };
}

async function unfinalized(database: Kysely<Schema>, unchangedSince: string, limit: number): Promise<string[]> {
  const rows = await database
    .selectFrom('artifact_packages as p')
    .select('p.id')
    .where('p.status', '=', 'created')
    .where('p.changed_at', '<', unchangedSince)
    .where(notHeld('p.id'))
    .orderBy('p.changed_at')
    .orderBy('p.id')
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

/** Written out, not bound: a partial index serves only conditions that are known when the statement is prepared. */
function reclaimable(liveLocations: string, status: string): RawBuilder<SqlBool> {
  return sql`${sql.ref(liveLocations)} > 0 and ${sql.ref(status)} in ('abandoned', 'garbage_collected')`;
}

/**
 * Live locations by object, counted up to one more than `going`: bytes that fifty thousand packages share would else be
 * counted again for every batch that releases a few of them.
 */
async function countLocations(
  database: Kysely<Schema>,
  objects: readonly { readonly backend_id: string; readonly content_address: string }[],
  going: number,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const [backend_id, group] of Map.groupBy(objects, (object) => object.backend_id)) {
    const distinct = [...new Set(group.map((object) => object.content_address))];
    const live = sql<number>`(select count(*) from (select 1 from storage_locations as l
      where l.backend_id = o.backend_id and l.content_address = o.content_address and l.state <> 'deleted' limit ${going + 1}) as counted)`;
    for (let start = 0; start < distinct.length; start += 500) {
      const rows = await database
        .selectFrom('storage_objects as o')
        .select(['o.content_address', live.as('count')])
        .where('o.backend_id', '=', backend_id)
        .where('o.content_address', 'in', distinct.slice(start, start + 500))
        .execute();
      for (const row of rows) counts.set(`${backend_id} ${row.content_address}`, Number(row.count));
    }
  }
  return counts;
}
