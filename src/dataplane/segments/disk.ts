import { link, lstat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isArtifactstoreError } from '../../kernel/error.ts';
import { fileError } from '../../runtime/file-error.ts';
import { type Appended, blockBytes, type Segment, type SegmentWrite, type UploadPlace } from '../DATAPLANE.ts';
import { requireDigests } from '../declared.ts';
import { namesIn } from '../drafts/old-drafts.ts';
import { blocksOf } from '../hashing/blocks.ts';
import { createDigester } from '../hashing/digester.ts';
import { arriving } from './arriving.ts';
import type { LeftSegment } from './left-segment.ts';
import { openSegmentFile, readSegmentFile, type SegmentFile, syncDirectory } from './segment-file.ts';
import { type Pace, usualPace } from './stretches.ts';

/** Segments that are files in a directory of drafts. */
export interface DiskSegments {
  append(directory: string, write: SegmentWrite, source: AsyncIterable<Uint8Array>): Promise<Appended>;
  read(directory: string, segments: readonly Segment[]): AsyncIterable<Uint8Array>;
  /** The same files under names of another upload. */
  link(directory: string, upload: UploadPlace & { readonly epoch: number }, segments: readonly Segment[]): Promise<readonly Segment[]>;
  discard(directory: string, segments: readonly Segment[]): Promise<void>;
  list(directory: string): AsyncIterable<LeftSegment>;
}

export function segmentName({ uploadId }: UploadPlace, epoch: number): string {
  return `upload-${uploadId}-${epoch}`;
}

export function createDiskSegments(pace: Pace = usualPace): DiskSegments {
  return {
    async append(directory, write, source) {
      const { segments, grows, epoch, digests } = write;
      const last = grows ? segments.at(-1) : undefined;
      const earlier = last === undefined ? segments : segments.slice(0, -1);
      const name = last?.name ?? segmentName(write, epoch);
      const path = join(directory, name);
      const { body, failure } = arriving(source, write.maximumBytes, write.signal);
      const digester = digests === undefined ? undefined : createDigester(digests.keys());
      let file: SegmentFile | undefined;
      let unsynced = 0;
      let since = performance.now();
      let durable = segments;

      async function sync(): Promise<void> {
        if (file === undefined || unsynced === 0) return;
        const bytes = await file.sync();
        unsynced = 0;
        since = performance.now();
        durable = [...earlier, { name, bytes }];
      }

      async function takeAll(): Promise<void> {
        for await (const block of blocksOf(body, blockBytes)) {
          file ??= await openSegmentFile(path, last?.bytes);
          await file.write(block);
          unsynced += block.byteLength;
          if (digester !== undefined) digester.update(block);
          else if (unsynced >= pace.bytes || performance.now() - since >= pace.milliseconds) {
            await sync();
            await write.onDurable(durable);
          }
        }
        const failed = failure();
        const kept = digests === undefined && !isArtifactstoreError(failed?.error, 'upload_length_mismatch');
        if (failed !== undefined && !kept) throw failed.error;
        if (digester !== undefined) requireDigests(digester.finish().digests, { digests: digests! });
        await sync();
        if (failed !== undefined) throw failed.error;
      }

      const failed = await takeAll().then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      // What was written before the disk was full counts, where it can be made durable.
      if (digests === undefined && isArtifactstoreError(failed?.error, 'storage_full')) await sync().catch(() => undefined);
      const clean = file === undefined ? grows : await succeeds(file.close());
      if (last === undefined && durable === segments && file !== undefined) await unlink(path).catch(() => undefined);
      return { segments: durable, grows: clean, ...(failed === undefined ? {} : { failure: failed }) };
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

    async discard(directory, segments) {
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

async function succeeds(work: Promise<unknown>): Promise<boolean> {
  return await work.then(
    () => true,
    () => false,
  );
}
