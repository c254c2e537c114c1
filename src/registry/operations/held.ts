import type { Snapshot, Transaction } from '../../database/DATABASE.ts';
import type { OperationalTables } from '../../database/schema.ts';
import { parseObjectKey } from '../../kernel/content/key.ts';
import { type DeadKey, deadKey, forgetHeld, readObjects, rememberDead } from './objects.ts';

/**
 * Bytes of small objects that are committed in the transaction that appends their event, and put into their backend
 * later. Their keys are those of any object: live, or dead for ever. A row ends when its bytes are durable in the
 * backend, or in the transaction that kills its key (`rememberDead`), so what is held is always live.
 */
export type HeldKey = Pick<OperationalTables['held_objects'], 'backend_id' | 'object_key'>;

export type HeldObject = Readonly<OperationalTables['held_objects']>;

/** One of them without its bytes. */
export type HeldName = Omit<HeldObject, 'bytes'>;

/** The bytes, where the backend may not have them yet; null where it has, or the key is dead. */
export async function readHeld(snapshot: Snapshot, { backend_id, object_key }: HeldKey): Promise<{ readonly bytes: Uint8Array | null }> {
  const row = await snapshot.sql
    .selectFrom('held_objects')
    .select('bytes')
    .where('backend_id', '=', backend_id)
    .where('object_key', '=', object_key)
    .executeTakeFirst();
  return { bytes: row?.bytes ?? null };
}

export interface ListHeld {
  /** Null for every backend. */
  readonly backend_id: string | null;
  /** The sequence after which to continue, and the last that is asked for. */
  readonly after: number;
  readonly through: number;
  readonly limit: number;
}

/** In the order in which they came, without their bytes. */
export async function listHeld(snapshot: Snapshot, input: ListHeld): Promise<readonly HeldName[]> {
  let query = snapshot.sql
    .selectFrom('held_objects')
    .select(['sequence', 'backend_id', 'object_key', 'size_bytes'])
    .where('sequence', '>', input.after)
    .where('sequence', '<=', input.through);
  if (input.backend_id !== null) query = query.where('backend_id', '=', input.backend_id);
  return await query.orderBy('sequence').limit(input.limit).execute();
}

/** Those that are still held. */
export async function fetchHeld(snapshot: Snapshot, input: { readonly sequences: readonly number[] }): Promise<readonly HeldObject[]> {
  if (input.sequences.length === 0) return [];
  return await snapshot.sql.selectFrom('held_objects').selectAll().where('sequence', 'in', input.sequences).execute();
}

export interface HeldCount {
  readonly backend_id: string;
  readonly objects: number;
  readonly bytes: number;
  /** When the first of them came (RFC 3339). */
  readonly since: string;
  readonly last_sequence: number;
}

/** What is held for each backend that something is held for. */
export async function countHeld({ sql }: Snapshot, _input: Record<string, never>): Promise<readonly HeldCount[]> {
  const rows = await sql
    .selectFrom('held_objects')
    .select(({ fn }) => [
      'backend_id',
      fn.countAll<number>().as('objects'),
      fn.sum<number>('size_bytes').as('bytes'),
      fn.min<number>('sequence').as('first'),
      fn.max<number>('sequence').as('last'),
    ])
    .groupBy('backend_id')
    .execute();
  if (rows.length === 0) return [];
  const firsts = rows.map(({ first }) => Number(first));
  const events = await sql.selectFrom('events').select(['sequence', 'created_at']).where('sequence', 'in', firsts).execute();
  const times = new Map(events.map((event) => [event.sequence, event.created_at]));
  return rows.map(({ backend_id, objects, bytes, first, last }) => ({
    backend_id,
    objects: Number(objects),
    bytes: Number(bytes),
    since: times.get(Number(first))!,
    last_sequence: Number(last),
  }));
}

export interface SettleHeld {
  readonly actor: string;
  /** Those whose bytes were put into their backend, durably. */
  readonly items: readonly HeldKey[];
}

/**
 * Forgets bytes that their backend has. Answers the keys that died while the bytes were put there: these are to be
 * deleted again. A key that is live and no longer held was settled by somebody else, and stays.
 */
export async function settleHeld(transaction: Transaction, { actor, items }: SettleHeld): Promise<readonly DeadKey[]> {
  await forgetHeld(transaction, items);
  const named = items.flatMap((item) => {
    const parsed = parseObjectKey(item.object_key);
    return parsed === undefined ? [] : [{ ...item, content_address: parsed.address, generation: parsed.generation }];
  });
  const states = await readObjects(transaction.sql, named);
  const dead = named.flatMap(({ backend_id, content_address, generation }) => {
    const key = deadKey(transaction, actor, states.get(`${backend_id} ${content_address}`)!.current, generation);
    return key === undefined ? [] : [key];
  });
  await rememberDead(transaction, dead);
  return dead;
}
