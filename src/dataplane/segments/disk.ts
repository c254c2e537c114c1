import { link, lstat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from '../../runtime/durable-directory.ts';
import { fileError } from '../../runtime/file-error.ts';
import { type Appended, blockBytes, type Segment, type SegmentWrite, type UploadPlace } from '../DATAPLANE.ts';
import { namesIn } from '../drafts/old-drafts.ts';
import { type Buffers, bufferStock } from '../hashing/buffers.ts';
import type { Digested } from '../hashing/digester.ts';
import { type ArrivalDigests, createArrivalDigests } from './arrival-digests.ts';
import { appendToFile } from './file-append.ts';
import type { LeftSegment } from './left-segment.ts';
import { markOf, readSegmentFile } from './segment-file.ts';
import { type Pace, usualPace } from './stretches.ts';

/** Segments that are files in a directory of drafts. */
export interface DiskSegments {
  append(directory: string, write: SegmentWrite, source: AsyncIterable<Uint8Array>): Promise<Appended>;
  read(directory: string, segments: readonly Segment[]): AsyncIterable<Uint8Array>;
  /** The same files under names of another upload. */
  link(directory: string, upload: UploadPlace & { readonly epoch: number }, segments: readonly Segment[]): Promise<readonly Segment[]>;
  /**
   * What is known of the digests of an upload's only segment since its bytes arrived. `exact`: its file has no byte
   * beyond them. Errors: `storage_unavailable`, where it has fewer.
   */
  digests(
    directory: string,
    place: UploadPlace,
    segment: Segment,
    algorithms: readonly string[],
  ): Promise<{ readonly exact: boolean; readonly digested: Digested | undefined }>;
  discard(directory: string, place: UploadPlace, segments: readonly Segment[]): Promise<void>;
  list(directory: string): AsyncIterable<LeftSegment>;
}

export function segmentName({ uploadId }: UploadPlace, epoch: number): string {
  return `upload-${uploadId}-${epoch}`;
}

export interface DiskSegmentParts {
  readonly pace?: Pace;
  readonly buffers?: Buffers;
  readonly arrival?: ArrivalDigests;
}

export function createDiskSegments({
  pace = usualPace,
  buffers = bufferStock(8, blockBytes),
  arrival = createArrivalDigests('blake3', undefined),
}: DiskSegmentParts = {}): DiskSegments {
  return {
    async append(directory, write, source) {
      const { segments, grows, epoch } = write;
      const name = (grows ? segments.at(-1)?.name : undefined) ?? segmentName(write, epoch);
      return await appendToFile(directory, name, write, source, { pace, buffers, arrival });
    },

    async digests(directory, place, segment, algorithms) {
      const { exact, mark } = await markOf(join(directory, segment.name), segment.bytes);
      return { exact, digested: exact ? await arrival.of(place, segment, mark, algorithms) : undefined };
    },

    async *read(directory, segments) {
      for (const { name, bytes } of segments) yield* readSegmentFile(join(directory, name), bytes);
    },

    async link(directory, { epoch, ...place }, segments) {
      const linked: Segment[] = [];
      try {
        for (const { name, bytes } of segments) {
          const own = { name: segmentName(place, epoch + linked.length), bytes };
          await link(join(directory, name), join(directory, own.name));
          linked.push(own);
        }
        await syncDirectory(directory);
        return linked;
      } catch (error) {
        for (const { name } of linked) await unlink(join(directory, name)).catch(() => undefined);
        throw fileError(error, directory);
      }
    },

    async discard(directory, place, segments) {
      arrival.drop(place, segments);
      await Promise.all(segments.map(({ name }) => unlink(join(directory, name)).catch(() => undefined)));
    },

    async *list(directory) {
      for (const name of await namesIn(directory)) {
        const uploadId = /^upload-([0-9a-f-]{36})-[0-9]+$/.exec(name)?.[1];
        const path = join(directory, name);
        const status = uploadId === undefined ? undefined : await lstat(path).catch(() => undefined);
        if (status?.isFile() === true)
          yield { uploadId: uploadId!, modifiedMilliseconds: status.mtimeMs, remove: () => unlink(path).catch(() => undefined) };
      }
    },
  };
}
