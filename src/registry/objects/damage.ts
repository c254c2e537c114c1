import type { StoredObject } from '../../dataplane/DATAPLANE.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { Context } from '../context.ts';
import { incident } from '../incident.ts';

/**
 * Records that a stored object is not what it should be; false when that is no news, or another generation is live by
 * now. First the store itself must be the right one: `storage_unavailable` when it is in doubt, and then nothing is
 * said of its objects.
 */
export async function recordDamage(
  { database, dataplane, onIncident }: Pick<Context, 'database' | 'dataplane' | 'onIncident'>,
  actor: string,
  object: StoredObject,
  generation: number,
  reason: string,
): Promise<boolean> {
  const { backendId: backend_id, objectKey: object_key, contentAddress: content_address } = object;
  await dataplane.ownership(backend_id)?.confirm();
  const recorded = await database.write('object.fail', { actor, backend_id, content_address, generation, reason });
  if (recorded)
    onIncident(
      incident('object_damaged', new ArtifactstoreError('integrity_failure', reason), {
        backend_id,
        object_key,
        content_address,
        recorded,
      }),
    );
  return recorded;
}
