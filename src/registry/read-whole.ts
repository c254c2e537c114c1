import type { StoredObject, Verdict } from '../dataplane/DATAPLANE.ts';
import { isArtifactstoreError } from '../kernel/error.ts';
import type { Context } from './context.ts';

/** Reads an object from end to end, both digests. Throws when nothing can be said about it, as when its backend is away. */
export async function readWhole(
  context: Pick<Context, 'dataplane'>,
  object: StoredObject,
  signal: AbortSignal | undefined,
): Promise<Verdict> {
  try {
    return await context.dataplane.verify(object, signal);
  } catch (error) {
    return await verdictOf(context, object.backendId, error);
  }
}

/**
 * What the failure of a read says about the object; throws it when it says nothing. An object that can't be read in a backend that is
 * otherwise well has failed; when the backend itself is away, too busy, or does not let us, nothing is said of its objects.
 */
export async function verdictOf(
  { dataplane }: Pick<Context, 'dataplane'>,
  backendId: string,
  error: unknown,
): Promise<Exclude<Verdict, { readonly result: 'ok' }>> {
  if (isArtifactstoreError(error, 'object_not_found')) return { result: 'missing', reason: 'the object is not in the store' };
  if (isArtifactstoreError(error, 'integrity_failure')) return { result: 'failed', reason: error.message };
  if (!isArtifactstoreError(error, 'storage_unavailable') || error.info?.object === 'unknown') throw error;
  const health = (await dataplane.health()).get(backendId);
  if (health?.healthy !== true) throw error;
  return { result: 'failed', reason: error.message };
}
