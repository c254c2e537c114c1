import { formatAddress } from '../../kernel/content/address.ts';
import type { Algorithm } from '../../kernel/content/digest.ts';
import { toHex } from '../../kernel/content/digest.ts';
import type { Storage } from '../../storage/STORAGE.ts';
import type { DataPlane, Segments } from '../DATAPLANE.ts';
import type { HashThreads } from '../hashing/hash-threads.ts';
import { digestStored } from './digest-stored.ts';
import type { DiskSegments } from './disk.ts';

export interface SegmentParts {
  readonly disk: DiskSegments;
  readonly digestAlgorithm: Algorithm;
  readonly threads: HashThreads | undefined;
  readonly stage: DataPlane['stage'];
  backendOf(id: string): Storage;
  draftDirectory(backend: Storage): string;
  /** Makes that directory where it is not there. */
  prepare(backend: Storage): Promise<void>;
}

/** Segments lie where the drafts of their backend lie. */
export function createSegments(parts: SegmentParts): Segments {
  const { disk, digestAlgorithm, threads } = parts;

  function directoryOf(backendId: string): string {
    return parts.draftDirectory(parts.backendOf(backendId));
  }

  return {
    async append(write, source) {
      try {
        await parts.prepare(parts.backendOf(write.backendId));
      } catch (error) {
        return { segments: write.segments, grows: write.grows, failure: { error } };
      }
      return await disk.append(directoryOf(write.backendId), write, source);
    },

    async stage({ backendId, segments, sole }, into, expected, signal) {
      const directory = directoryOf(backendId);
      const [only] = segments;
      const bytes = disk.read(directory, segments);
      if (!sole || segments.length !== 1 || backendId !== into || parts.backendOf(into).drafts === undefined)
        return { draft: await parts.stage(into, bytes, expected, signal), owned: false };
      const sizeBytes = only!.bytes;
      const { digests, blockDigests } = await digestStored(bytes, { sizeBytes, digestAlgorithm, expected, threads, signal });
      const digestPrimary = digests.get(digestAlgorithm)!;
      return {
        draft: {
          id: only!.name,
          backendId,
          sizeBytes,
          digestAlgorithm,
          digestPrimary: toHex(digestPrimary),
          digestSha256: toHex(digests.get('sha256')!),
          contentAddress: formatAddress(digestAlgorithm, digestPrimary),
          blockDigests,
        },
        owned: true,
      };
    },

    async discard({ backendId }, segments) {
      try {
        await disk.discard(directoryOf(backendId), segments);
      } catch {
        // A backend that is not configured any more: its drafts are reclaimed when it is again.
      }
    },
  };
}
