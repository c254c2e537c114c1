import type { Kysely } from '#kysely';
import type { Snapshot, Transaction } from '../../database/DATABASE.ts';
import type { Schema } from '../../database/schema.ts';
import type { ContentAddress } from '../../kernel/content/address.ts';
import { objectKey } from '../../kernel/content/key.ts';
import type { ViewTables } from '../../kernel/views/view.ts';
import { distinct, filled } from './sets.ts';

export type ObjectRow = Readonly<ViewTables['storage_objects']>;

/** A key that no event will ever make live again: its bytes may be deleted at any time, late or twice. */
export interface DeadKey {
  readonly backend_id: string;
  readonly object_key: string;
}

interface ObjectName {
  readonly backend_id: string;
  readonly content_address: string;
}

const locationsPerEvent = 1000;

/**
 * The state of each object, by `<backend_id> <content_address>`; one that was never heard of starts at generation 0.
 */
export async function readObjects(
  database: Kysely<Schema>,
  names: readonly ObjectName[],
): Promise<ReadonlyMap<string, { current: ObjectRow }>> {
  const states = new Map<string, { current: ObjectRow }>();
  for (const { backend_id, content_address } of names)
    states.set(`${backend_id} ${content_address}`, {
      current: {
        backend_id,
        content_address,
        state: 'none',
        live_generation: null,
        next_generation: 0,
        object_key: null,
        digest_sha256: null,
        size_bytes: null,
      },
    });
  const backends = distinct(names.map((name) => name.backend_id));
  const addresses = [...new Set(names.map((name) => name.content_address))];
  for (let start = 0; start < addresses.length; start += 500) {
    const rows = await database
      .selectFrom('storage_objects')
      .selectAll()
      .where('backend_id', 'in', backends)
      .where('content_address', 'in', filled(addresses.slice(start, start + 500)))
      .execute();
    for (const row of rows) {
      const state = states.get(`${row.backend_id} ${row.content_address}`);
      if (state !== undefined) state.current = row;
    }
  }
  return states;
}

export interface BurnObjects {
  readonly actor: string;
  readonly items: readonly (ObjectName & { readonly generation: number })[];
}

/** Makes sure that bytes which were published and never committed lie under dead keys; returns those keys. */
export async function burnObjects(transaction: Transaction, input: BurnObjects): Promise<readonly DeadKey[]> {
  const states = await readObjects(transaction.sql, input.items);
  const dead = input.items.flatMap((item) => {
    const state = states.get(`${item.backend_id} ${item.content_address}`)!;
    const key = deadKey(transaction, input.actor, state.current, item.generation);
    if (key === undefined) return [];
    state.current = { ...state.current, next_generation: Math.max(state.current.next_generation, item.generation + 1) };
    return [key];
  });
  await rememberDead(transaction, dead);
  return dead;
}

/**
 * Writes down, in the transaction that makes them so, which keys are dead: a collection deletes what a stopped process
 * did not. Bytes that are held under them go with them.
 */
export async function rememberDead(transaction: Transaction, keys: readonly DeadKey[]): Promise<void> {
  await forgetHeld(transaction, keys);
  for (let start = 0; start < keys.length; start += 500)
    await transaction.sql
      .insertInto('dead_keys')
      .values(keys.slice(start, start + 500).map((key) => ({ ...key, since: transaction.now })))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
}

/** Removes bytes that are held, where they are. */
export async function forgetHeld(transaction: Transaction, keys: readonly DeadKey[]): Promise<void> {
  for (const [backend_id, group] of Map.groupBy(keys, (key) => key.backend_id))
    for (let start = 0; start < group.length; start += 500)
      await transaction.sql
        .deleteFrom('held_objects')
        .where('backend_id', '=', backend_id)
        .where(
          'object_key',
          'in',
          group.slice(start, start + 500).map((key) => key.object_key),
        )
        .execute();
}

/**
 * The key of a generation that is not the live one, burnt first where an ingest could still aim at it; undefined when
 * it is live.
 */
export function deadKey(transaction: Transaction, actor: string, object: ObjectRow, generation: number): DeadKey | undefined {
  if (object.live_generation === generation) return undefined;
  const { backend_id, content_address } = object;
  if (generation >= object.next_generation)
    transaction.append({
      event_type: 'v1.storage.object_burnt',
      subject_kind: 'object',
      subject_id: content_address,
      actor,
      payload: { backend_id, content_address, generation },
    });
  return { backend_id, object_key: objectKey(content_address as ContentAddress, generation) };
}

/** Makes a failed object's good bytes live under a new generation and repairs the locations that claim it. */
export async function repairObject(
  transaction: Transaction,
  actor: string,
  object: ObjectRow,
  generation: number,
): Promise<readonly DeadKey[]> {
  const { backend_id, content_address, live_generation } = object;
  const object_key = objectKey(content_address as ContentAddress, generation);
  const ids = await liveLocations(transaction, object);
  for (let start = 0; start < Math.max(ids.length, 1); start += locationsPerEvent)
    transaction.append({
      event_type: 'v1.storage.object_repaired',
      subject_kind: 'object',
      subject_id: content_address,
      actor,
      payload: {
        backend_id,
        content_address,
        previous_generation: live_generation!,
        generation,
        object_key,
        location_ids: ids.slice(start, start + locationsPerEvent),
      },
    });
  return [{ backend_id, object_key: objectKey(content_address as ContentAddress, live_generation!) }];
}

export interface RepairFailed extends ObjectName {
  readonly actor: string;
  /** Those that good bytes were published under; the last is the one to make live. */
  readonly generations: readonly number[];
}

export type RepairedObject =
  /** Somebody else was faster: the generation to publish under instead. */
  | { readonly outcome: 'publish'; readonly generation: number }
  /** The object is good again, or gone; `dead` are the keys that nobody needs. */
  | { readonly outcome: 'settled'; readonly repaired: boolean; readonly dead: readonly DeadKey[] };

/**
 * Makes good bytes live that were copied for a failed object, where it is still so and their generation is still the
 * next.
 */
export async function repairFailed(transaction: Transaction, input: RepairFailed): Promise<RepairedObject> {
  const { actor, generations } = input;
  let object = (await readObjects(transaction.sql, [input])).get(`${input.backend_id} ${input.content_address}`)!.current;
  const repaired = object.state === 'failed';
  const dead: DeadKey[] = [];
  if (repaired) {
    const generation = generations.at(-1);
    if (generation !== object.next_generation) return { outcome: 'publish', generation: object.next_generation };
    dead.push(...(await repairObject(transaction, actor, object, generation)));
    object = { ...object, state: 'live', live_generation: generation, next_generation: generation + 1 };
  }
  dead.push(...deadKeys(transaction, actor, object, generations));
  await rememberDead(transaction, dead);
  return { outcome: 'settled', repaired, dead };
}

/** The keys of those generations that are not the live one, burnt first where an ingest could still aim at them. */
export function deadKeys(transaction: Transaction, actor: string, object: ObjectRow, generations: readonly number[]): readonly DeadKey[] {
  let { next_generation } = object;
  return generations.flatMap((generation) => {
    const key = deadKey(transaction, actor, { ...object, next_generation }, generation);
    if (key === undefined) return [];
    next_generation = Math.max(next_generation, generation + 1);
    return [key];
  });
}

/** The objects of these bytes that the log says are there, failed ones too. */
export async function listCopies(
  snapshot: Snapshot,
  input: { readonly content_address: string; readonly backend_ids: readonly string[] },
): Promise<readonly ObjectRow[]> {
  return await snapshot.sql
    .selectFrom('storage_objects')
    .selectAll()
    .where('backend_id', 'in', input.backend_ids)
    .where('content_address', '=', input.content_address)
    .where('live_generation', 'is not', null)
    .orderBy('backend_id')
    .execute();
}

export interface FailObject extends ObjectName {
  readonly actor: string;
  /** The generation whose bytes were read; when another one is live by now, nothing is said about it. */
  readonly generation: number;
  readonly reason: string;
}

/** Records that an object's bytes are not what they should be; true when it was news. */
export async function failObject(transaction: Transaction, input: FailObject): Promise<boolean> {
  const object = (await readObjects(transaction.sql, [input])).get(`${input.backend_id} ${input.content_address}`)!.current;
  if (object.state !== 'live' || object.live_generation !== input.generation) return false;
  const ids = await liveLocations(transaction, object);
  for (let start = 0; start < Math.max(ids.length, 1); start += locationsPerEvent)
    transaction.append({
      event_type: 'v1.storage.location_verified',
      subject_kind: 'backend',
      subject_id: input.backend_id,
      actor: input.actor,
      payload: {
        backend_id: input.backend_id,
        result: 'failed',
        location_ids: ids.slice(start, start + locationsPerEvent),
        content_address: input.content_address,
        reason: input.reason,
      },
    });
  return true;
}

async function liveLocations(transaction: Transaction, object: ObjectRow): Promise<string[]> {
  const rows = await transaction.sql
    .selectFrom('storage_locations')
    .select('id')
    .where('backend_id', '=', object.backend_id)
    .where('content_address', '=', object.content_address)
    .where('state', '<>', 'deleted')
    .orderBy('id')
    .execute();
  return rows.map((row) => row.id);
}
