import { createHasher, toHex } from '../../kernel/content/digest.ts';
import { uploadsPrefix } from '../../kernel/content/key.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import type { Storage } from '../../storage/STORAGE.ts';
import { type Appended, blockBytes, type DataPlane, type Segment, type SegmentWrite, type UploadPlace } from '../DATAPLANE.ts';
import { requireDigests } from '../declared.ts';
import { type Buffers, bufferStock } from '../hashing/buffers.ts';
import { createDigester, type Digested, type Digester } from '../hashing/digester.ts';
import { type ArrivalDigests, createArrivalDigests } from './arrival-digests.ts';
import { arriving } from './arriving.ts';
import { fed } from './fed.ts';
import type { LeftSegment } from './left-segment.ts';
import { type Pace, stretchesOf } from './stretches.ts';

/**
 * Segments that are objects of the backend, so that any machine continues an upload: each stretch of a body waits on
 * this machine until it is there, then becomes an object whole or not at all. A segment is never changed: a short last
 * one is replaced by one that has its bytes and those after them. Its name ends in its SHA-256, which is compared when
 * it is read.
 */
export interface ObjectSegments {
  append(backend: Storage, write: SegmentWrite, source: AsyncIterable<Uint8Array>): Promise<Appended>;
  /** As often as wanted. */
  read(backend: Storage, uploadId: string, segments: readonly Segment[]): AsyncIterable<Uint8Array>;
  /** What is known of the digests of an upload since its bytes arrived here. */
  digests(place: UploadPlace, segments: readonly Segment[], algorithms: readonly string[]): Promise<Digested | undefined>;
  discard(backend: Storage, place: UploadPlace, segments: readonly Segment[]): Promise<void>;
  list(backend: Storage): AsyncIterable<LeftSegment>;
}

/**
 * A last segment that is shorter is written again with what follows, so that many short bodies, or a slow one, make few
 * objects.
 */
const shortBytes = 8 * blockBytes;
/** After so many segments they are twice as long, so that the longest upload has a bounded number of them. */
const doubledAfter = 1_500;
const endless: Pace = { bytes: Number.POSITIVE_INFINITY, milliseconds: Number.POSITIVE_INFINITY };
/** A slow body makes fewer of them than it would make syncs of a file. */
export const objectPace: Pace = { bytes: 64 * blockBytes, milliseconds: 30_000 };

const uploadInKey = new RegExp(`^${uploadsPrefix}([0-9a-f-]{36})/[0-9]+-[0-9]+-[0-9a-f]{64}$`);

export function segmentKey(uploadId: string, name: string): string {
  return `${uploadsPrefix}${uploadId}/${name}`;
}

/** How they are left: nobody changes an object. */
const unchanged = 'object';

/** Their last one, as long as all of them. */
function wholeOf(segments: readonly Segment[]): Segment | undefined {
  const last = segments.at(-1);
  return last === undefined ? undefined : { name: last.name, bytes: lengthOf(segments) };
}

const lengthOf = (segments: readonly Segment[]): number => segments.reduce((sum, { bytes }) => sum + bytes, 0);

export interface ObjectSegmentParts extends Pick<DataPlane, 'stage' | 'publish' | 'discard'> {
  readonly pace?: Pace;
  readonly buffers?: Buffers;
  readonly arrival?: ArrivalDigests;
}

export function createObjectSegments({
  stage,
  publish,
  discard,
  pace = objectPace,
  buffers = bufferStock(8, blockBytes),
  arrival = createArrivalDigests('blake3', undefined),
}: ObjectSegmentParts): ObjectSegments {
  const read: ObjectSegments['read'] = (backend, uploadId, segments) => ({
    [Symbol.asyncIterator]: () => readAll(backend, uploadId, segments),
  });

  async function* readAll(backend: Storage, uploadId: string, segments: readonly Segment[]): AsyncGenerator<Uint8Array> {
    for (const { name, bytes } of segments) {
      const key = segmentKey(uploadId, name);
      const hasher = createHasher('sha256');
      let size = 0;
      for await (const chunk of (await backend.get(key))?.body ?? []) {
        hasher.update(chunk);
        size += chunk.byteLength;
        yield chunk;
      }
      if (size !== bytes || !name.endsWith(toHex(hasher.digest())))
        throw new ArtifactstoreError(
          'storage_unavailable',
          `The segment ${key} of an upload is missing in "${backend.id}", or is not what was put there: begin the upload again.`,
          { info: { lost: true } },
        );
    }
  }

  return {
    read,

    async digests(place, segments, algorithms) {
      const whole = wholeOf(segments);
      return whole === undefined ? undefined : await arrival.of(place, whole, unchanged, algorithms);
    },

    async append(backend, write, source) {
      const { uploadId, segments, epoch, digests } = write;
      const { body, failure } = arriving(source, write);
      let durable = segments;
      const longer = (): number => 2 ** Math.floor(durable.length / doubledAfter);
      const paceNow = (): Pace => (digests === undefined ? { ...pace, bytes: pace.bytes * longer() } : endless);
      let made = 0;
      const running = arrival.begin(write, wholeOf(segments), unchanged);
      const known = running === undefined ? body : fed(body, lengthOf(segments), running, buffers);
      const digester = digests === undefined ? undefined : createDigester(digests.keys());
      const hashed = digester === undefined ? known : hashing(known, digester);

      /** Before any of it is put, since with digests there is one stretch. */
      function checkBody(): void {
        if (digester !== undefined) requireDigests(digester.finish().digests, { digests: digests! });
      }

      /** A stretch of which nothing is to count is not put. */
      async function put(stretch: AsyncIterable<Uint8Array>): Promise<Segment | undefined> {
        const draft = await stage(backend.id, stretch);
        try {
          const failed = failure();
          const kept = digests === undefined && !isArtifactstoreError(failed?.error, 'upload_length_mismatch');
          if (failed !== undefined && !kept) return undefined;
          checkBody();
          const name = `${epoch}-${made++}-${draft.digestSha256}`;
          await publish(draft, segmentKey(uploadId, name));
          return { name, bytes: draft.sizeBytes };
        } finally {
          await discard(draft);
        }
      }

      async function takeAll(): Promise<void> {
        for await (const stretch of stretchesOf(hashed, paceNow)) {
          if (durable !== segments) await write.onDurable(durable);
          const last = durable.at(-1);
          const short = last !== undefined && last.bytes < shortBytes * longer() ? last : undefined;
          const before = short === undefined ? durable : durable.slice(0, -1);
          const segment = await put(short === undefined ? stretch : both(read(backend, uploadId, [short]), stretch));
          if (segment !== undefined) durable = [...before, segment];
        }
        const failed = failure();
        if (failed !== undefined) throw failed.error;
        if (made === 0) checkBody();
      }

      const failed = await takeAll().then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      if (running !== undefined) arrival.keep(write, wholeOf(durable), unchanged, running);
      return { segments: durable, grows: false, ...(failed === undefined ? {} : { failure: failed }) };
    },

    async discard(backend, place, segments) {
      arrival.drop(place, segments);
      for (const { name } of segments) await backend.delete(segmentKey(place.uploadId, name)).catch(() => undefined);
    },

    async *list(backend) {
      for await (const { key, modifiedMilliseconds } of backend.list(uploadsPrefix)) {
        const uploadId = uploadInKey.exec(key)?.[1];
        if (uploadId !== undefined) yield { uploadId, modifiedMilliseconds, remove: () => backend.delete(key) };
      }
    },
  };
}

async function* both(first: AsyncIterable<Uint8Array>, second: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* first;
  yield* second;
}

/** A piece for the digester never crosses the end of a block. */
async function* hashing(bytes: AsyncIterable<Uint8Array>, digester: Pick<Digester, 'update'>): AsyncGenerator<Uint8Array> {
  let position = 0;
  for await (const chunk of bytes) {
    for (let taken = 0; taken < chunk.byteLength; ) {
      const piece = chunk.subarray(taken, taken + blockBytes - (position % blockBytes));
      digester.update(piece);
      taken += piece.byteLength;
      position += piece.byteLength;
    }
    yield chunk;
  }
}
