import { type Kysely, sql } from '#kysely';
import type { Snapshot, Transaction } from '../../database/DATABASE.ts';
import type { Schema } from '../../database/schema.ts';
import type { ContentAddress } from '../../kernel/content/address.ts';
import { objectKey } from '../../kernel/content/key.ts';
import { type MoveScope, matches } from './move-scope.ts';
import { type DeadKey, deadKeys, type ObjectRow, readObjects, rememberDead, repairObject } from './objects.ts';

/** An object of which something is to be moved. */
export interface MovableObject {
  readonly content_address: ContentAddress;
  readonly generation: number;
  readonly object_key: string;
  readonly size_bytes: number;
  readonly digest_sha256: string;
  readonly failed: boolean;
  readonly need: CopyNeed;
}

/**
 * What must be done at the target before something can be moved there: its live bytes be read whole, or new ones be
 * published.
 */
export interface CopyNeed {
  readonly kind: 'check' | 'publish';
  readonly generation: number;
}

/** In the order of their addresses, after `after`. */
export async function listMovable(
  snapshot: Snapshot,
  input: { readonly scope: MoveScope; readonly after: string | null; readonly limit: number },
): Promise<readonly MovableObject[]> {
  const { scope, after, limit } = input;
  let query = snapshot.sql
    .selectFrom('storage_objects as o')
    .select(['o.content_address', 'o.live_generation', 'o.object_key', 'o.size_bytes', 'o.digest_sha256', 'o.state'])
    .where('o.backend_id', '=', scope.from)
    .where('o.live_generation', 'is not', null)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('storage_locations as l')
          .innerJoin('artifact_packages as p', 'p.id', 'l.package_id')
          .select('l.id')
          .whereRef('l.content_address', '=', 'o.content_address')
          .where('l.backend_id', '=', scope.from)
          .where('l.state', '<>', sql.lit('deleted'))
          .where((builder) => matches(builder, scope)),
      ),
    );
  if (after !== null) query = query.where('o.content_address', '>', after);
  const rows = await query.orderBy('o.content_address').limit(limit).execute();
  const targets = await readObjects(
    snapshot.sql,
    rows.map(({ content_address }) => ({ backend_id: scope.to, content_address })),
  );
  return rows.map((row) => ({
    content_address: row.content_address as ContentAddress,
    generation: row.live_generation!,
    object_key: row.object_key!,
    size_bytes: row.size_bytes!,
    digest_sha256: row.digest_sha256!,
    failed: row.state === 'failed',
    need: needOf(targets.get(`${scope.to} ${row.content_address}`)!.current),
  }));
}

export interface MoveLocations {
  readonly actor: string;
  readonly scope: MoveScope;
  /** Each address once. */
  readonly items: readonly {
    readonly content_address: ContentAddress;
    /** The generation at the target whose bytes this run has read from end to end; null while there is none. */
    readonly verified: number | null;
    /** Those at the target that this run published bytes under. */
    readonly published: readonly number[];
  }[];
  /** The most locations that one transaction moves. */
  readonly limit: number;
}

export interface MovedLocations {
  /** In the order of the items. */
  readonly results: readonly MoveResult[];
  readonly dead: readonly DeadKey[];
}

export type MoveResult =
  /**
   * Nothing is left to move; `released`: the object in `from` is dead. No locations: somebody else moved or released
   * them.
   */
  | { readonly outcome: 'moved'; readonly locations: number; readonly released: boolean }
  /** The limit was reached: once more. */
  | { readonly outcome: 'more'; readonly locations: number }
  /** The target is not as it was: this must be done first. */
  | { readonly outcome: 'prepare'; readonly need: CopyNeed };

/**
 * Moves locations to objects at the target whose bytes were read: joins the one that is live, where it is the one that
 * was read, or makes the published generation live, where it is still the next. In the same transaction the old
 * locations are released, and with the last of them the object: so whoever looks finds each file in at least one place,
 * whose bytes are there.
 */
export async function moveLocations(transaction: Transaction, input: MoveLocations): Promise<MovedLocations> {
  const { actor, scope, items, limit } = input;
  const { from, to } = scope;
  const targets = await readObjects(
    transaction.sql,
    items.map(({ content_address }) => ({ backend_id: to, content_address })),
  );
  const ready = items.filter((item) => isReady(targets.get(`${to} ${item.content_address}`)!.current, item.verified));
  const addresses = ready.map((item) => item.content_address);
  const going = await locationsOf(transaction.sql, scope, addresses, limit);
  // With the limit reached, of the last address there may be more, and of those after it nothing was read.
  const complete = going.length < limit ? undefined : going.at(-1)!.content_address;
  const needed = await countNeeded(transaction.sql, from, addresses);
  const there = await filesAt(
    transaction.sql,
    to,
    going.map((location) => location.file_id),
  );
  const byAddress = Map.groupBy(going, (location) => location.content_address);
  const dead: DeadKey[] = [];

  async function move(item: MoveLocations['items'][number]): Promise<MoveResult> {
    const { content_address } = item;
    let target = targets.get(`${to} ${content_address}`)!.current;
    if (!ready.includes(item)) return { outcome: 'prepare', need: needOf(target) };
    const locations = byAddress.get(content_address) ?? [];
    const generation = item.verified!;
    const object_key = objectKey(content_address, generation);
    let made_live = false;
    if (locations.length > 0 && target.state !== 'live') {
      if (target.state === 'failed') dead.push(...(await repairObject(transaction, actor, target, generation)));
      else made_live = true;
      target = { ...target, state: 'live', live_generation: generation, next_generation: generation + 1 };
    }
    let left = needed.get(content_address) ?? 0;
    for (const location of locations) {
      const { file_id, package_id, digest_sha256, size_bytes } = location;
      if (!there.has(file_id)) {
        const location_id = transaction.newId();
        transaction.append({
          event_type: 'v1.storage.location_added',
          subject_kind: 'location',
          subject_id: location_id,
          actor,
          payload: {
            location_id,
            file_id,
            package_id,
            backend_id: to,
            content_address,
            generation,
            object_key,
            digest_sha256,
            size_bytes,
            made_live,
          },
        });
        made_live = false;
      }
      left -= 1;
      transaction.append({
        event_type: 'v1.storage.location_deleted',
        subject_kind: 'location',
        subject_id: location.id,
        actor,
        payload: {
          location_id: location.id,
          file_id,
          package_id,
          backend_id: from,
          content_address,
          generation: location.generation,
          object_key: location.object_key,
          bytes: left === 0 ? 'release' : 'shared',
        },
      });
      if (left === 0) dead.push({ backend_id: from, object_key: location.object_key });
    }
    if (complete !== undefined && content_address >= complete && left > 0) return { outcome: 'more', locations: locations.length };
    dead.push(...deadKeys(transaction, actor, target, item.published));
    return { outcome: 'moved', locations: locations.length, released: locations.length > 0 && left === 0 };
  }

  const results: MoveResult[] = [];
  for (const item of items) results.push(await move(item));
  await rememberDead(transaction, dead);
  return { results, dead };
}

/** Only bytes that were read are claimed: those that are live, or those that can become it now. */
function isReady(target: ObjectRow, verified: number | null): boolean {
  return verified !== null && verified === (target.state === 'live' ? target.live_generation : target.next_generation);
}

function needOf(target: ObjectRow): CopyNeed {
  return target.state === 'live'
    ? { kind: 'check', generation: target.live_generation! }
    : { kind: 'publish', generation: target.next_generation };
}

/** In the order of their addresses. */
async function locationsOf(database: Kysely<Schema>, scope: MoveScope, addresses: readonly string[], limit: number) {
  if (addresses.length === 0) return [];
  return await database
    .selectFrom('storage_locations as l')
    .innerJoin('artifact_packages as p', 'p.id', 'l.package_id')
    .innerJoin('artifact_files as f', 'f.id', 'l.file_id')
    .select(['l.id', 'l.file_id', 'l.package_id', 'l.content_address', 'l.generation', 'l.object_key', 'f.digest_sha256', 'f.size_bytes'])
    .where('l.backend_id', '=', scope.from)
    .where('l.content_address', 'in', addresses)
    .where('l.state', '<>', sql.lit('deleted'))
    .where((builder) => matches(builder, scope))
    .orderBy('l.content_address')
    .orderBy('l.id')
    .limit(limit)
    .execute();
}

/** Live locations in a backend, by address. */
async function countNeeded(database: Kysely<Schema>, backendId: string, addresses: readonly string[]): Promise<Map<string, number>> {
  if (addresses.length === 0) return new Map();
  const rows = await database
    .selectFrom('storage_locations')
    .select(({ fn }) => ['content_address', fn.countAll<number>().as('count')])
    .where('backend_id', '=', backendId)
    .where('content_address', 'in', addresses)
    .where('state', '<>', sql.lit('deleted'))
    .groupBy('content_address')
    .execute();
  return new Map(rows.map((row) => [row.content_address, Number(row.count)]));
}

/** Those of the files that have a live location there already. By the files alone: a backend holds far more. */
async function filesAt(database: Kysely<Schema>, backendId: string, fileIds: readonly string[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (let start = 0; start < fileIds.length; start += 500)
    for (const { file_id, backend_id } of await database
      .selectFrom('storage_locations')
      .select(['file_id', 'backend_id'])
      .where('file_id', 'in', fileIds.slice(start, start + 500))
      .where('state', '<>', sql.lit('deleted'))
      .execute())
      if (backend_id === backendId) found.add(file_id);
  return found;
}
