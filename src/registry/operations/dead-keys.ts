import type { Snapshot, Transaction } from '../../database/DATABASE.ts';
import type { ContentAddress } from '../../kernel/content/address.ts';
import { parseObjectKey } from '../../kernel/content/key.ts';
import { type DeadKey, deadKey, readObjects, rememberDead } from './objects.ts';

/** Keys that are dead and whose bytes may still be there. */
export async function listDeadKeys(
  snapshot: Snapshot,
  input: { readonly limit: number; readonly after: DeadKey | null },
): Promise<readonly DeadKey[]> {
  let query = snapshot.sql.selectFrom('dead_keys').select(['backend_id', 'object_key']);
  if (input.after !== null) {
    const { backend_id, object_key } = input.after;
    query = query.where(({ eb, or, and }) =>
      or([eb('backend_id', '>', backend_id), and([eb('backend_id', '=', backend_id), eb('object_key', '>', object_key)])]),
    );
  }
  return await query.orderBy('backend_id').orderBy('object_key').limit(input.limit).execute();
}

/** Forgets keys whose bytes were deleted. */
export async function forgetDeadKeys(transaction: Transaction, input: { readonly keys: readonly DeadKey[] }): Promise<void> {
  for (const [backend_id, keys] of Map.groupBy(input.keys, (key) => key.backend_id))
    await transaction.sql
      .deleteFrom('dead_keys')
      .where('backend_id', '=', backend_id)
      .where(
        'object_key',
        'in',
        keys.map((key) => key.object_key),
      )
      .execute();
}

/**
 * Of keys that lie in a backend, those that no event makes live: orphans. A key that is not one of ours is left alone.
 */
export async function findOrphans(
  snapshot: Snapshot,
  input: { readonly backend_id: string; readonly keys: readonly string[] },
): Promise<readonly string[]> {
  const states = await readObjects(snapshot.sql, named(input.backend_id, input.keys));
  return input.keys.filter((key) => {
    const parsed = parseObjectKey(key);
    return parsed !== undefined && states.get(`${input.backend_id} ${parsed.address}`)!.current.live_generation !== parsed.generation;
  });
}

/**
 * Makes orphans' keys dead, so that their bytes can be deleted; those that an ingest made live meanwhile are left out.
 */
export async function burnOrphans(
  transaction: Transaction,
  input: { readonly actor: string; readonly backend_id: string; readonly keys: readonly string[] },
): Promise<readonly DeadKey[]> {
  const states = await readObjects(transaction.sql, named(input.backend_id, input.keys));
  const dead = input.keys.flatMap((key) => {
    const parsed = parseObjectKey(key);
    if (parsed === undefined) return [];
    const state = states.get(`${input.backend_id} ${parsed.address}`)!;
    const burnt = deadKey(transaction, input.actor, state.current, parsed.generation);
    if (burnt === undefined) return [];
    state.current = { ...state.current, next_generation: Math.max(state.current.next_generation, parsed.generation + 1) };
    return [burnt];
  });
  await rememberDead(transaction, dead);
  return dead;
}

function named(backend_id: string, keys: readonly string[]): { readonly backend_id: string; readonly content_address: ContentAddress }[] {
  return keys.flatMap((key) => {
    const parsed = parseObjectKey(key);
    return parsed === undefined ? [] : [{ backend_id, content_address: parsed.address }];
  });
}
