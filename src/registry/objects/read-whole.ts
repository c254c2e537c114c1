import type { StoredObject, Verdict } from '../../dataplane/DATAPLANE.ts';
import { isArtifactstoreError } from '../../kernel/error.ts';
import type { Context } from '../context.ts';

/**
 * `unreadable`: the backend is well and does not give these bytes now. That says nothing of the bytes, and is never
 * recorded as damage.
 */
export type Reading = Verdict | { readonly result: 'unreadable'; readonly reason: string };
export type BadVerdict = Exclude<Reading, { readonly result: 'ok' }>;

/** Reads an object from end to end, both digests. Throws when its backend is unavailable. */
export async function readWhole(
  context: Pick<Context, 'dataplane'>,
  object: StoredObject,
  signal: AbortSignal | undefined,
): Promise<Reading> {
  try {
    return await context.dataplane.check(object, signal);
  } catch (error) {
    return await verdictOf(context, object.backendId, error);
  }
}

/**
 * What the failure of a read says about the object; throws it when it says something about the backend: that it is
 * unavailable, too busy, does not let us, or is not the right one.
 */
export async function verdictOf({ dataplane }: Pick<Context, 'dataplane'>, backendId: string, error: unknown): Promise<BadVerdict> {
  if (isArtifactstoreError(error, 'object_not_found')) return { result: 'missing', reason: 'the object is not in the store' };
  if (isArtifactstoreError(error, 'integrity_failure')) return { result: 'failed', reason: error.message };
  if (!isArtifactstoreError(error, 'storage_unavailable') || error.info?.object === 'unknown') throw error;
  const health = (await dataplane.health()).get(backendId);
  if (health?.healthy !== true) throw error;
  return { result: 'unreadable', reason: error.message };
}
