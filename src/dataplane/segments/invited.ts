import { uploadsPrefix } from '../../kernel/content/key.ts';
import type { Storage } from '../../storage/STORAGE.ts';
import type { InvitedBytes, Segment, Segments, UploadPlace } from '../DATAPLANE.ts';
import { segmentKey } from './objects.ts';

/**
 * Segments that somebody else puts into a bucket, by an address. They are named as any segment is, so that they are
 * compared with their SHA-256 when they are read, and reclaimed when nobody needs them, however late they come.
 */
export function createInvitedSegments(backendOf: (id: string) => Storage): Pick<Segments, 'invites' | 'invite' | 'arrived' | 'clear'> {
  const presigns = (backend: Storage): boolean => backend.drafts === undefined && backend.presign !== undefined;

  async function* keysOf(backend: Storage, { uploadId }: UploadPlace): AsyncGenerator<string> {
    for await (const { key } of backend.list(`${uploadsPrefix}${uploadId}/`)) yield key;
  }

  return {
    invites: (backendId) => presigns(backendOf(backendId)),

    async invite({ backendId, uploadId }, bytes, untilMilliseconds) {
      const backend = backendOf(backendId);
      if (!presigns(backend)) return undefined;
      const { sizeBytes, digestSha256 } = bytes;
      return await backend.presign!(segmentKey(uploadId, nameOf(bytes)), { sizeBytes, digestSha256, untilMilliseconds });
    },

    async arrived<T extends InvitedBytes>(place: UploadPlace, invited: readonly T[]) {
      const backend = backendOf(place.backendId);
      if (invited.length === 0 || !presigns(backend)) return [];
      const wanted = new Map<string, readonly [T, Segment]>(
        invited.map((bytes) => {
          const segment = { name: nameOf(bytes), bytes: bytes.sizeBytes };
          return [segmentKey(place.uploadId, segment.name), [bytes, segment]];
        }),
      );
      const found: (readonly [T, Segment])[] = [];
      for await (const key of keysOf(backend, place)) if (wanted.has(key)) found.push(wanted.get(key)!);
      return found;
    },

    async clear(place) {
      try {
        const backend = backendOf(place.backendId);
        if (presigns(backend)) for await (const key of keysOf(backend, place)) await backend.delete(key);
      } catch {
        // What is left is reclaimed when it is old.
      }
    },
  };
}

function nameOf({ round, index, digestSha256 }: InvitedBytes): string {
  return `${round}-${index}-${digestSha256}`;
}
