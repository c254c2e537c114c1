import type { ContentAddress } from '../../kernel/content/address.ts';
import { forEachLimited } from '../../runtime/limit.ts';
import type { Context } from '../context.ts';
import { incident } from '../incident.ts';
import type { DeadKey } from '../operations/objects.ts';

type Parts = Pick<Context, 'database' | 'dataplane'>;

const deletesAtOnce = 16;

/**
 * Deletes the bytes of dead keys, and then what is written down of them; answers which are gone. What cannot be deleted
 * now stays written down, for the next collection. `attempt` does the deleting of one key, or leaves it out.
 */
export async function removeDead(
  { database, dataplane }: Parts,
  keys: readonly DeadKey[],
  attempt: (key: DeadKey, remove: () => Promise<void>) => Promise<void> = (_key, remove) => remove(),
): Promise<readonly DeadKey[]> {
  const gone: DeadKey[] = [];
  try {
    await forEachLimited(keys, deletesAtOnce, (key) =>
      attempt(key, async () => {
        await dataplane.remove(key.backend_id, key.object_key);
        gone.push(key);
      }),
    );
  } finally {
    if (gone.length > 0) await database.write('collect.forget', { keys: gone });
  }
  return gone;
}

/** The same, where nobody waits for it: what fails is an incident, and left to the next collection. */
export async function tryRemoveDead(parts: Parts & Pick<Context, 'onIncident'>, keys: readonly DeadKey[]): Promise<void> {
  await removeDead(parts, keys).catch((error: unknown) => parts.onIncident(incident('dead_object_left', error)));
}

/** Bytes that were published, under each of these generations, and that no transaction made live. */
export interface Published {
  readonly backend_id: string;
  readonly content_address: ContentAddress;
  readonly generations: readonly number[];
}

/** Makes sure that they lie under dead keys, and deletes them. */
export async function burnPublished(
  parts: Parts & Pick<Context, 'onIncident'>,
  actor: string,
  published: readonly Published[],
): Promise<void> {
  const items = published.flatMap(({ backend_id, content_address, generations }) =>
    generations.map((generation) => ({ backend_id, content_address, generation })),
  );
  if (items.length > 0) await tryRemoveDead(parts, await parts.database.write('object.burn', { actor, items }));
}
