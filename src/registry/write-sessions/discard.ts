import { forEachLimited } from '../../runtime/limit.ts';
import type { Context } from '../context.ts';
import type { SessionPlace, SessionRow } from '../operations/write-sessions/rows.ts';

const discardsAtOnce = 16;

/** Never throws; what can't be deleted now is reclaimed later. */
export async function discardPlaces({ dataplane }: Pick<Context, 'dataplane'>, places: readonly SessionPlace[]): Promise<void> {
  await forEachLimited(places, discardsAtOnce, async ({ place_id, backend_id, segments }) => {
    if (segments.length > 0) await dataplane.segments.discard({ uploadId: place_id, backendId: backend_id }, segments);
  });
}

/** Deletes what senders wrote to the store for a session that ended. Never throws; what comes later is reclaimed. */
export async function clearQuarantine(
  { dataplane }: Pick<Context, 'dataplane'>,
  { id, backend_id }: Pick<SessionRow, 'id' | 'backend_id'>,
): Promise<void> {
  await dataplane.segments.clear({ uploadId: id, backendId: backend_id });
}
