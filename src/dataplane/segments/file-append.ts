import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { allOf } from '../../runtime/all-of.ts';
import { type Appended, blockBytes, type SegmentWrite } from '../DATAPLANE.ts';
import { requireDigests } from '../declared.ts';
import type { Buffers } from '../hashing/buffers.ts';
import { beginRunning, type RunningDigests } from '../hashing/running.ts';
import { inPieces } from '../pieces.ts';
import type { ArrivalDigests } from './arrival-digests.ts';
import { arriving } from './arriving.ts';
import { openSegmentFile, type SegmentFile } from './segment-file.ts';
import type { Pace } from './stretches.ts';

export interface FileAppendParts {
  readonly pace: Pace;
  readonly buffers: Buffers;
  readonly arrival: ArrivalDigests;
}

/**
 * What came is told to the disk in the meantime, so that the last sync does not wait for all of it: of a short body in
 * small steps, since that sync is a large part of it, and of a long one in larger ones, since each has its price. How
 * long one is was announced, or shows while it comes.
 */
const shortestFlushBytes = 8 * blockBytes;
const longestFlushBytes = 32 * blockBytes;

function flushesAfter(came: number, announced = 0): number {
  return Math.min(longestFlushBytes, Math.max(shortestFlushBytes, came / 4, announced / 4));
}

/** See `Segments.append`: `name` is the file of the last segment where that is continued, or of a new one. */
export async function appendToFile(
  directory: string,
  name: string,
  write: SegmentWrite,
  source: AsyncIterable<Uint8Array>,
  { pace, buffers, arrival }: FileAppendParts,
): Promise<Appended> {
  const { segments, grows, digests } = write;
  const last = grows ? segments.at(-1) : undefined;
  const earlier = last === undefined ? segments : segments.slice(0, -1);
  const path = join(directory, name);
  const before = last?.bytes ?? 0;
  const { body, failure } = arriving(source, write);
  let begun: Promise<SegmentFile> | undefined;
  let running: RunningDigests | undefined;
  let ofBody: RunningDigests | undefined;
  let durable = segments;
  let written: Promise<unknown> = Promise.resolve();
  let flushing: Promise<unknown> = Promise.resolve();
  let [told, flushed, synced, position] = [before, before, before, before];
  let since = performance.now();

  async function begin(): Promise<SegmentFile> {
    const file = await openSegmentFile(path, last?.bytes);
    running = arrival.begin(write, segments.length > 1 ? undefined : last, file.mark);
    ofBody = digests === undefined ? undefined : beginRunning([...digests.keys()], write.maximumBytes, arrival.threads);
    return file;
  }

  async function put(piece: Uint8Array): Promise<void> {
    if (piece.byteLength === 0) return;
    begun ??= begin();
    const file = await begun;
    written = written.then(() => writePiece(file, piece));
    await allOf([written, running?.update(piece), ofBody?.update(piece)]);
  }

  async function writePiece(file: SegmentFile, piece: Uint8Array): Promise<void> {
    await file.write(piece);
    position += piece.byteLength;
    const now = performance.now();
    const tells = digests === undefined && (position - told >= pace.bytes || now - since >= pace.milliseconds);
    if (!tells && position - flushed < flushesAfter(position - before, write.sourceBytes)) return;
    await flushing;
    flushed = position;
    if (tells) [told, since] = [position, now];
    flushing = flush(file, tells);
    flushing.catch(() => undefined);
  }

  /** Beside the writes that follow. */
  async function flush(file: SegmentFile, tells: boolean): Promise<void> {
    synced = await file.sync();
    if (!tells) return;
    durable = [...earlier, { name, bytes: synced }];
    await write.onDurable(durable);
  }

  async function syncAll(): Promise<void> {
    await flushing;
    if (begun === undefined || position === before) return;
    // A flush that began with the last byte has made all of it durable.
    if (synced < position) synced = await (await begun).sync();
    durable = [...earlier, { name, bytes: synced }];
  }

  async function takeAll(): Promise<void> {
    await inPieces(body, { position: before, sizeBytes: write.maximumBytes, buffers, put });
    const failed = failure();
    const kept = digests === undefined && !isArtifactstoreError(failed?.error, 'upload_length_mismatch');
    if (failed !== undefined && !kept) throw failed.error;
    await requireBody();
    await syncAll();
    if (failed !== undefined) throw failed.error;
  }

  async function requireBody(): Promise<void> {
    if (digests === undefined) return;
    const running = ofBody ?? beginRunning([...digests.keys()], 0, undefined);
    const digested = await running.finish();
    if (digested === undefined) throw new ArtifactstoreError('internal', 'The thread that hashed a body ended before it answered');
    requireDigests(digested.digests, { digests });
  }

  const failed = await takeAll().then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  ofBody?.forget();
  // What was written before the disk was full counts, where it can be made durable.
  if (digests === undefined && isArtifactstoreError(failed?.error, 'storage_full')) await syncAll().catch(() => undefined);
  await flushing.catch(() => undefined);
  const file = await begun?.catch(() => undefined);
  const kept = durable === segments ? before : durable.at(-1)!.bytes;
  // Undefined where the file may have other bytes than those.
  const mark = await file?.close(kept).catch(() => undefined);
  const unused = last === undefined && durable === segments;
  if (unused && file !== undefined) await unlink(path).catch(() => undefined);
  if (running !== undefined) arrival.keep(write, durable.length > 1 ? undefined : durable[0], mark, running);
  const clean = file === undefined || unused ? grows : mark !== undefined;
  return { segments: durable, grows: clean, ...(failed === undefined ? {} : { failure: failed }) };
}
