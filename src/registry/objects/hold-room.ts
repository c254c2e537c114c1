import { longestHeldBytes } from '../../dataplane/DATAPLANE.ts';
import { isArtifactstoreError } from '../../kernel/error.ts';
import { parseTimestamp } from '../../kernel/time.ts';
import type { HoldRoom, RegistryParts, Settler } from '../context.ts';
import type { HeldCount } from '../operations/held.ts';

/** How long what was counted is believed; the rest of this process's own is added to it. */
const freshMilliseconds = 1_000;
/** Bytes of small files in memory, on their way to be committed with the log. */
const heldMemoryBytes = 33_554_432;
/** Each count reads a row of an index for each of them, about 40 ms for so many. */
const mostObjects = 200_000;
/** When a backend has not taken for so long what is held for it, nothing more is held. */
const heldSeconds = 300;
/** Of one request, about: they are committed in one step. */
export const heldRequestBytes = 8_388_608;

export function createHoldRoom(parts: RegistryParts, settler: Pick<Settler, 'isFull'>): HoldRoom {
  const { database, dataplane, hold } = parts;
  const longestBytes = hold === undefined || hold.longestBytes === 0 ? -1 : Math.min(hold.longestBytes, longestHeldBytes);
  const { totalBytes = 0, totalObjects = mostObjects } = hold ?? {};
  const claimed = new Set<string>();
  let memory = heldMemoryBytes;
  let counted: { readonly at: number; readonly counts: readonly HeldCount[] } | undefined;
  let counting: Promise<void> | undefined;
  /** By this process, since it counted. */
  let added = { objects: 0, bytes: 0 };

  function count(): Promise<void> {
    counting ??= database
      .read('held.count', {})
      .then((counts) => {
        counted = { at: parts.uptime(), counts };
        added = { objects: 0, bytes: 0 };
      })
      .finally(() => {
        counting = undefined;
      });
    return counting;
  }

  async function hasRoom(backendId: string, bytes: number): Promise<boolean> {
    if (!claimed.has(backendId)) {
      // A store that is not known to be the registry's own says so to who writes to it.
      await dataplane.ownership(backendId)?.claim();
      claimed.add(backendId);
    }
    if (counted === undefined || parts.uptime() - counted.at > freshMilliseconds) await count();
    const counts = counted?.counts ?? [];
    if (counts.reduce((sum, each) => sum + each.bytes, added.bytes + bytes) > totalBytes) return false;
    if (counts.reduce((sum, each) => sum + each.objects, added.objects + 1) > totalObjects) return false;
    const since = counts.find(({ backend_id }) => backend_id === backendId)?.since;
    return since === undefined || parts.now() - parseTimestamp(since) < heldSeconds * 1000;
  }

  return {
    longestBytes,
    async take(backendId, bytes) {
      if (bytes > longestBytes || bytes > memory || settler.isFull(backendId)) return false;
      memory -= bytes;
      const room = await hasRoom(backendId, bytes).catch((error: unknown) => {
        // The direct way says what is wrong.
        if (!isArtifactstoreError(error)) throw error;
        return false;
      });
      if (room) added = { objects: added.objects + 1, bytes: added.bytes + bytes };
      else memory += bytes;
      return room;
    },
    give(bytes) {
      memory += bytes;
    },
  };
}
