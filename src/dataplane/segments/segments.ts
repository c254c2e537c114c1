import { formatAddress } from '../../kernel/content/address.ts';
import type { Algorithm } from '../../kernel/content/digest.ts';
import { toHex } from '../../kernel/content/digest.ts';
import type { Storage } from '../../storage/STORAGE.ts';
import type { DataPlane, Draft, Expected, Segment, Segments, UploadPlace } from '../DATAPLANE.ts';
import { requireDigests, requireLength } from '../declared.ts';
import type { Digested } from '../hashing/digester.ts';
import type { HashThreads } from '../hashing/hash-threads.ts';
import { digestStored } from './digest-stored.ts';
import type { DiskSegments } from './disk.ts';
import { createInvitedSegments } from './invited.ts';
import type { LeftSegment } from './left-segment.ts';
import { type ObjectSegments, segmentKey } from './objects.ts';

export interface SegmentParts {
  readonly disk: DiskSegments;
  readonly objects: ObjectSegments;
  readonly digestAlgorithm: Algorithm;
  readonly threads: HashThreads | undefined;
  readonly stage: DataPlane['stage'];
  backendOf(id: string): Storage;
}

/** Shorter bytes are written again sooner than they are copied. */
const copiedBytes = 1_048_576;
/** So many are asked about at once. */
const askedAbout = 500;

/** Where a backend takes drafts, segments lie among them; in others they are objects. */
export function createSegments(parts: SegmentParts): Segments {
  const { backendOf, disk, objects, digestAlgorithm, threads } = parts;

  function bytesOf({ backendId, uploadId }: UploadPlace, segments: readonly Segment[]): AsyncIterable<Uint8Array> {
    const backend = backendOf(backendId);
    return backend.drafts === undefined ? objects.read(backend, uploadId, segments) : disk.read(backend.drafts.directory, segments);
  }

  /** Named for its last segment: where that is a draft among others, it is this one. */
  function draftOf(backendId: string, segments: readonly Segment[], { digests, blockDigests }: Digested, expected: Expected): Draft {
    const sizeBytes = segments.reduce((sum, { bytes }) => sum + bytes, 0);
    requireLength(sizeBytes, expected, true);
    requireDigests(digests, expected);
    const digestPrimary = digests.get(digestAlgorithm)!;
    return {
      id: segments.at(-1)!.name,
      backendId,
      sizeBytes,
      digestAlgorithm,
      digestPrimary: toHex(digestPrimary),
      digestSha256: toHex(digests.get('sha256')!),
      contentAddress: formatAddress(digestAlgorithm, digestPrimary),
      blockDigests,
    };
  }

  /** A draft of bytes that stay where they are until the backend copies them. Undefined where it does not. */
  async function stageInPlace(
    { backendId, uploadId }: UploadPlace,
    segment: Segment,
    expected: Expected,
    signal: AbortSignal | undefined,
  ): Promise<Draft | undefined> {
    const { name, bytes: sizeBytes } = segment;
    const backend = backendOf(backendId);
    if (backend.drafts !== undefined || backend.copy === undefined || sizeBytes < copiedBytes) return undefined;
    const publishedAt = segmentKey(uploadId, name);
    const reader = await backend.get(publishedAt, signal === undefined ? {} : { signal });
    if (reader === undefined) return undefined;
    const made = await digestStored(reader.body, { sizeBytes, digestAlgorithm, expected, threads, signal });
    const { version } = reader;
    return { ...draftOf(backendId, [segment], made, expected), publishedAt, ...(version === undefined ? {} : { version }) };
  }

  return {
    ...createInvitedSegments(backendOf),

    async append(write, source) {
      try {
        const backend = backendOf(write.backendId);
        if (backend.drafts === undefined) return await objects.append(backend, write, source);
        await backend.drafts.prepare();
        return await disk.append(backend.drafts.directory, write, source);
      } catch (error) {
        return { segments: write.segments, grows: write.grows, failure: { error } };
      }
    },

    async check({ segments, sole, ...place }, expected, signal) {
      const sizeBytes = segments.reduce((sum, { bytes }) => sum + bytes, 0);
      requireLength(sizeBytes, expected, true);
      const [only] = segments;
      const { drafts } = backendOf(place.backendId);
      const algorithms = [...(expected.digests?.keys() ?? [])];
      const digested =
        drafts === undefined
          ? await objects.digests(place, segments, algorithms)
          : sole && only !== undefined && segments.length === 1
            ? (await disk.digests(drafts.directory, place, only, algorithms)).digested
            : undefined;
      if (digested !== undefined) return requireDigests(digested.digests, expected);
      await digestStored(bytesOf(place, segments), { sizeBytes, digestAlgorithm, expected, threads, signal });
    },

    async stage({ segments, sole, ...place }, into, expected, signal) {
      const { backendId } = place;
      const [only] = segments;
      const algorithms = [...(expected.digests?.keys() ?? [])];
      const copied = async () => ({ draft: await parts.stage(into, bytesOf(place, segments), expected, signal), owned: false });
      const { drafts } = backendOf(into);
      const known = backendId === into && drafts === undefined ? await objects.digests(place, segments, algorithms) : undefined;
      if (known !== undefined) {
        const draft = draftOf(backendId, segments, known, expected);
        return { draft: { ...draft, source: bytesOf(place, segments) }, owned: true };
      }
      const inPlace =
        only !== undefined && segments.length === 1 && backendId === into ? await stageInPlace(place, only, expected, signal) : undefined;
      if (inPlace !== undefined) return { draft: inPlace, owned: false };
      if (!sole || only === undefined || segments.length > 1 || backendId !== into || drafts === undefined) return await copied();
      const { exact, digested } = await disk.digests(drafts.directory, place, only, algorithms);
      // What a writer left behind them is no part of the object.
      if (!exact) return await copied();
      const stored = { sizeBytes: only.bytes, digestAlgorithm, expected, threads, signal };
      const made = digested ?? (await digestStored(bytesOf(place, segments), stored));
      return { draft: draftOf(backendId, segments, made, expected), owned: true };
    },

    async join({ epoch, ...place }, sources) {
      const backend = backendOf(place.backendId);
      if (backend.drafts !== undefined) {
        await backend.drafts.prepare();
        return await disk.link(
          backend.drafts.directory,
          { ...place, epoch },
          sources.flatMap(({ segments }) => segments),
        );
      }
      const { segments, failure } = await objects.append(
        backend,
        { ...place, epoch, segments: [], grows: false, maximumBytes: Number.MAX_SAFE_INTEGER, onDurable: async () => undefined },
        joined(sources.map(({ uploadId, segments: those }) => objects.read(backend, uploadId, those))),
      );
      if (failure === undefined) return segments;
      await objects.discard(backend, place, segments);
      throw failure.error;
    },

    async discard({ backendId, uploadId }, segments) {
      try {
        const backend = backendOf(backendId);
        if (backend.drafts === undefined) await objects.discard(backend, { backendId, uploadId }, segments);
        else await disk.discard(backend.drafts.directory, { backendId, uploadId }, segments);
      } catch {
        // A backend that is not configured any more: what lies there is reclaimed when it is again.
      }
    },

    async reclaim(backendId, ageSeconds, open, { dryRun = false } = {}) {
      const backend = backendOf(backendId);
      const before = Date.now() - ageSeconds * 1000;
      let reclaimed = 0;
      let batch: LeftSegment[] = [];
      const settle = async (): Promise<void> => {
        const kept = new Set(await open([...new Set(batch.map(({ uploadId }) => uploadId))]));
        for (const { uploadId, remove } of batch) {
          if (kept.has(uploadId)) continue;
          if (!dryRun) await remove();
          reclaimed += 1;
        }
        batch = [];
      };
      for await (const left of backend.drafts === undefined ? objects.list(backend) : disk.list(backend.drafts.directory)) {
        if (left.modifiedMilliseconds > before) continue;
        batch.push(left);
        if (batch.length >= askedAbout) await settle();
      }
      await settle();
      return reclaimed;
    },
  };
}

async function* joined(all: readonly AsyncIterable<Uint8Array>[]): AsyncGenerator<Uint8Array> {
  for (const each of all) yield* each;
}
