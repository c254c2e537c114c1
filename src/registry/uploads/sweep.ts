import { formatTimestamp } from '../../kernel/time.ts';
import { forEachLimited } from '../../runtime/limit.ts';
import type { Context } from '../context.ts';
import { defaultUploadSeconds } from './take.ts';

const uploadsPerStep = 200;
/** Each waits for a disk or a store. */
const discardsAtOnce = 16;

/**
 * Ends uploads that have expired and deletes their bytes; how many uploads and how many segments. Each step is one
 * transaction that looks for itself, so that a run may stop anywhere: what it does not get to, `reclaimSegments` finds.
 */
export async function expireUploads(
  context: Context,
  signal: AbortSignal | undefined,
): Promise<{ readonly uploads: number; readonly segments: number }> {
  const { clock, database, dataplane, uploadSeconds = defaultUploadSeconds } = context;
  const counts = { uploads: 0, segments: 0 };
  let after: string | null = null;
  do {
    signal?.throwIfAborted();
    await clock.requireRight();
    const before = formatTimestamp(context.now() - uploadSeconds * 1000);
    const step: Awaited<ReturnType<typeof write>> = await write(before, after);
    await forEachLimited(step.expired, discardsAtOnce, async ({ id, backend_id, segments }) => {
      await dataplane.segments.discard({ uploadId: id, backendId: backend_id }, segments);
      counts.uploads += 1;
      counts.segments += segments.length;
    });
    after = step.last;
  } while (after !== null);
  return counts;

  function write(before: string, last: string | null) {
    return database.write('upload.expire', { before, after: last, limit: uploadsPerStep });
  }
}

/** What `expireUploads` would end now. */
export async function planExpiry({
  database,
  now,
  uploadSeconds = defaultUploadSeconds,
}: Context): Promise<{ readonly uploads: number; readonly segments: number }> {
  const at = now();
  return await database.read('upload.plan_expiry', { now: formatTimestamp(at), before: formatTimestamp(at - uploadSeconds * 1000) });
}

/** Deletes what stopped processes left of uploads and write sessions that are not open; how many segments. */
export function reclaimSegments(
  { database, dataplane }: Pick<Context, 'database' | 'dataplane'>,
  backendId: string,
  ageSeconds: number,
  options: { readonly dryRun?: boolean } = {},
): Promise<number> {
  const kept = async (ids: readonly string[]) => [
    ...(await database.read('upload.open_among', { ids })),
    ...(await database.read('session.places_among', { ids })),
  ];
  return dataplane.segments.reclaim(backendId, ageSeconds, kept, options);
}
