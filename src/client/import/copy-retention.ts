import { readTimestamp } from '../../kernel/time.ts';
import type { Hold, Package } from '../../registry/REGISTRY.ts';
import type { RemoteRegistry } from '../connect.ts';
import { type Origin, originText } from './origin.ts';
import type { Source } from './source.ts';

/**
 * Keeps a copy at least as long as the original: its expiry is moved where the original's is later. It is never
 * earlier: a registry takes no time back. `copy` is its record as it was read.
 */
export async function copyExpiry(target: RemoteRegistry, original: Package, copy: Package, origin: Origin): Promise<void> {
  if (copy.expires_at === null) return;
  const wanted = original.expires_at === null ? null : readTimestamp(original.expires_at);
  if (wanted !== null && (wanted <= copy.expires_at || Date.parse(wanted) <= Date.now())) return;
  await target.retention.extend(copy.id, { new_expires_at: wanted, reason: `as ${originText(origin)}, which it is a copy of` });
}

/**
 * Holds a copy as long as the original is held: each hold of the original is applied once, and released when that one
 * is. One that was released here stays released. Its reason says which it is.
 */
export async function copyHolds(source: Source, target: RemoteRegistry, copyId: string, origin: Origin): Promise<void> {
  const { holds } = await source.retention(origin.packageId);
  if (holds.length === 0) return;
  const { holds: own } = await target.retention.show(copyId);
  for (const hold of holds) {
    const mark = `(hold ${hold.id} of ${originText(origin)}`;
    const mirrored = own.filter(({ reason }) => reason.includes(mark));
    const isReleased = typeof hold.released_at === 'string';
    if (!isReleased && mirrored.length === 0) await target.retention.hold(copyId, { reason: reasonOf(hold, mark) });
    for (const { id, released_at } of isReleased ? mirrored : [])
      if (released_at === null)
        await target.retention.release(copyId, id, {
          reason: clean(`released at ${origin.registryId}: ${hold.release_reason ?? 'no reason'}`),
        });
  }
}

function reasonOf({ reason, owner, applied_at }: Hold, mark: string): string {
  const end = ` ${mark}, by ${owner} since ${applied_at})`;
  return clean(reason, mostReason - end.length) + clean(end);
}

/** As the registry takes reasons: no control characters, and not too long. */
function clean(text: string, most = mostReason): string {
  const plain = text.toWellFormed().replaceAll(/[^\P{Cc}\n\t]/gu, ' ');
  const points = [...plain];
  return points.length <= most ? plain : `${points.slice(0, Math.max(0, most - 1)).join('')}…`;
}

const mostReason = 1000;
