import type { Context } from '../context.ts';
import { clearQuarantine, discardPlaces } from './discard.ts';

/** Others wait for a step. */
const objectsPerStep = 5_000;
/** What ended without a package says so for so long. */
const rememberedSeconds = 604_800;

/**
 * Ends write sessions that have expired and deletes their bytes; how many segments. A run may stop anywhere: what it
 * does not get to, `reclaimSegments` finds.
 */
export async function expireWriteSessions(context: Context, actor: string, signal: AbortSignal | undefined): Promise<number> {
  let segments = 0;
  for (;;) {
    signal?.throwIfAborted();
    await context.clock.requireRight();
    const ended = await context.database.write('session.expire', { actor, limit: objectsPerStep, remembered_seconds: rememberedSeconds });
    const places = ended.flatMap((each) => each.places);
    await discardPlaces(context, places);
    for (const { row } of ended) await clearQuarantine(context, row);
    segments += places.length;
    if (ended.length === 0) return segments;
  }
}
